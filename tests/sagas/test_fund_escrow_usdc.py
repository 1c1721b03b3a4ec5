"""fund_escrow on chain: what the sender of the money leads to, and what the failure of each of its steps does."""

import pytest

from bloxtr8.entities import Escrow
from bloxtr8.errors import StaleWrite
from bloxtr8.rails.base import RailOutcomeUnknown
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import STRANGER, UNITS, FakeChain, Wallets, chain, wallets
from tests.sagas.conftest import Saga

__all__ = ["chain", "wallets"]
PAID = ["OpenFunding", "IsItOpen", "AwaitFunding", "WhatHappened", "ScreenDeposit", "IsItEnough"]


@pytest.fixture
def escrow(aws: Platform, chain: FakeChain, saga: Saga) -> Escrow:
    return chains.payable()


def run(saga: Saga, escrow: Escrow) -> list[str]:
    return saga.run("fund_escrow", escrowId=escrow.id)


def pay(chain: FakeChain, wallets: Wallets, escrow: Escrow, risk: str, sender: str | None = None) -> None:
    wallets.risks[sender or chains.sides(escrow)[0]] = risk
    chain.pay(escrow, escrow.gross * UNITS, sender)


def test_clean_money_is_held(saga: Saga, chain: FakeChain, wallets: Wallets, escrow: Escrow) -> None:
    pay(chain, wallets, escrow, "LOW", STRANGER)
    assert run(saga, escrow) == [*PAID, "HoldFunds", "IsItHeld", "Funded", "SUCCEEDED"]
    assert escrows.row(escrow).status == "FUNDS_HELD"


@pytest.mark.parametrize(("risk", "hold"), [("MEDIUM", "RISK_REVIEW"), ("SANCTIONED", "SANCTIONS")])
def test_doubtful_money_is_for_a_person(
    saga: Saga, chain: FakeChain, wallets: Wallets, escrow: Escrow, risk: str, hold: str
) -> None:
    pay(chain, wallets, escrow, risk)
    assert run(saga, escrow) == [*PAID, "PlaceHold", "OnHold", "SUCCEEDED"]
    assert (escrows.row(escrow).status, escrows.row(escrow).holds) == ("AWAIT_FUNDS", {hold})
    run(saga, escrow)
    assert money.actions(saga.platform, escrow).count("place_hold") == 1


def test_the_buyers_own_risky_money_goes_back(saga: Saga, chain: FakeChain, wallets: Wallets, escrow: Escrow) -> None:
    pay(chain, wallets, escrow, "HIGH")
    assert run(saga, escrow) == [*PAID, "ReturnMoney", "CloseFunding", "SUCCEEDED"]
    assert (escrows.row(escrow).status, escrows.row(escrow).funding_closed) == ("CANCELLED", True)
    settlement = money.settlement(escrow)
    assert saga.run("settle_escrow", escrowId=escrow.id, settlementId=settlement.id)[-1] == "SUCCEEDED"
    assert chain.balance(chains.sides(escrow)[0]) == escrow.gross * UNITS


def test_while_nobody_knows_the_attempt_ends_and_the_next_goes_on(
    saga: Saga, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    pay(chain, wallets, escrow, "UNKNOWN")
    assert run(saga, escrow) == [*PAID, "Unscreened", "SUCCEEDED"]
    wallets.risks.clear()
    assert run(saga, escrow)[-2:] == ["Funded", "SUCCEEDED"]


@pytest.mark.parametrize("error", [RailOutcomeUnknown(), StaleWrite()])
@pytest.mark.parametrize(("step", "risk"), [("place_hold", "MEDIUM"), ("return_money", "HIGH")])
@pytest.mark.parametrize("done", [False, True])
def test_a_step_that_fails_once_is_tried_again(
    saga: Saga, chain: FakeChain, wallets: Wallets, escrow: Escrow, step: str, risk: str, error: Exception, done: bool
) -> None:
    pay(chain, wallets, escrow, risk)
    (saga.after if done else saga.faults)[step].append(error)
    assert run(saga, escrow)[-1] == "SUCCEEDED"
    assert money.actions(saga.platform, escrow).count(step) == 1
    assert len(saga.pauses) == 1


def test_too_little_goes_back_at_the_deadline(
    aws: Platform, saga: Saga, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    chain.pay(escrow, 500 * UNITS)
    execution = saga.start("fund_escrow", escrowId=escrow.id)
    saga.asleep(execution)
    aws.clock.advance(days=5)
    aws.invoke("enforce_escrow_deadlines")
    assert "CancelUnfunded" in saga.end(execution)
    assert escrows.row(escrow).status == "CANCELLED"
    assert [(leg.action, leg.amount) for leg in escrows.file(escrow).legs] == [(67, 500)]
