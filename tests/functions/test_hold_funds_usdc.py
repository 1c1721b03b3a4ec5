"""hold_funds on chain: only clean money is held, only while the vault leaves time, and nothing under way stops its
clocks."""

import pytest

from bloxtr8 import clock
from bloxtr8.domain import escrows as rules
from bloxtr8.entities import Escrow, Freeze
from tests.emulator import Clock, Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import STRANGER, UNITS, FakeChain, Wallets, chain, screened, wallets

__all__ = ["chain", "wallets"]


@pytest.fixture
def escrow(aws: Platform, chain: FakeChain) -> Escrow:
    """One whose vault is open and empty."""
    return chains.payable()


def held(aws: Platform, escrow: Escrow) -> bool:
    return bool(aws.invoke("hold_funds", {"escrowId": escrow.id})["held"])


def test_what_is_still_on_its_way_stops_no_clock_of_the_delivery(
    aws: Platform, chain: FakeChain, escrow: Escrow
) -> None:
    chain.pay(escrow, escrow.gross * UNITS)
    screened(aws, escrow)
    row = escrows.row(escrow)
    rules.freeze(row, Freeze.PROCESSING, clock.now())  # as a look does that sees more than is final
    money.changed_rows(row)
    assert held(aws, escrow)
    after = escrows.row(escrow)
    assert (str(after.status), after.frozen_causes) == ("FUNDS_HELD", frozenset())
    assert rules.passed(after, after.deliver_by, after.deliver_by)


@pytest.mark.parametrize("risk", ["SANCTIONED", "MEDIUM", "UNKNOWN"])
def test_a_sender_seen_after_the_screening_is_judged_before_anything_is_held(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow, risk: str
) -> None:
    chain.pay(escrow, escrow.gross * UNITS)
    screened(aws, escrow)
    wallets.risks[STRANGER] = risk
    chain.pay(escrow, 100 * UNITS, STRANGER)
    aws.invoke("look_at_rail", {"escrowId": escrow.id})  # it records, and judges nobody
    assert not held(aws, escrow)
    assert str(escrows.row(escrow).status) == "AWAIT_FUNDS"
    wallets.risks.clear()
    assert screened(aws, escrow) == {"enough": True, "verdict": "CLEAN"}
    assert held(aws, escrow)


def test_at_the_deadline_a_sender_is_judged_before_his_money_goes_on(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow, clock: Clock
) -> None:
    clock.advance(days=4)
    wallets.risks[STRANGER] = "SANCTIONED"
    chain.pay(escrow, 100 * UNITS, STRANGER)
    assert aws.invoke("cancel_unfunded", {"escrowId": escrow.id}) == {"outcome": "MONEY"}
    file = escrows.file(escrow)
    assert (str(file.escrow.status), file.settlements) == ("AWAIT_FUNDS", [])


def test_money_that_comes_when_the_term_is_near_goes_back(
    aws: Platform, chain: FakeChain, escrow: Escrow, clock: Clock
) -> None:
    """Else a buyer who had the deadline moved for months could take the asset, and then his money from the vault."""
    chain.pay(escrow, escrow.gross * UNITS)
    screened(aws, escrow)
    clock.advance(days=100)
    screened(aws, escrow)
    assert not held(aws, escrow)
    file = escrows.file(escrow)
    assert (str(file.escrow.status), file.escrow.reason) == ("CANCELLED", "TERM_TOO_NEAR")
    assert [(str(row.kind), row.to_buyer) for row in file.settlements] == [("RETURN", escrow.gross)]
