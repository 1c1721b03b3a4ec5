"""place_hold: a deposit that a person has to look at stops the escrow, under a cause of its own (D15)."""

import pytest

from bloxtr8 import clock, table
from bloxtr8.actors import system
from bloxtr8.domain import holds
from bloxtr8.entities import Escrow
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import STRANGER, UNITS, FakeChain, Wallets, chain, screened, wallets

__all__ = ["chain", "wallets"]


def paid(aws: Platform, chain: FakeChain, wallets: Wallets, **risks: str) -> Escrow:
    """An escrow that strangers of these risks paid, screened."""
    escrow = chains.payable()
    for n, risk in enumerate(risks.values()):
        sender = STRANGER[:-1] + str(n)
        wallets.risks[sender] = risk
        chain.pay(escrow, escrow.gross * UNITS, sender)
    assert screened(aws, escrow)["verdict"] == "HOLD"
    return escrow


@pytest.mark.parametrize(
    ("risk", "hold"), [("MEDIUM", "RISK_REVIEW"), ("HIGH", "RISK_REVIEW"), ("SANCTIONED", "SANCTIONS")]
)
def test_it_is_held_and_its_clock_stands_still(
    aws: Platform, chain: FakeChain, wallets: Wallets, risk: str, hold: str
) -> None:
    escrow = paid(aws, chain, wallets, one=risk)
    aws.invoke("place_hold", {"escrowId": escrow.id})
    row = escrows.row(escrow)
    assert (row.status, row.holds, row.frozen_causes) == ("AWAIT_FUNDS", {hold}, {hold})
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": False}
    aws.clock.advance(hours=100)
    assert aws.invoke("cancel_unfunded", {"escrowId": escrow.id}) == {"outcome": "MONEY"}
    money.nothing_happens(aws, "place_hold", {"escrowId": escrow.id})
    assert money.actions(aws, escrow).count("place_hold") == 1


def test_each_deposit_is_a_cause_of_its_own(aws: Platform, chain: FakeChain, wallets: Wallets) -> None:
    escrow = paid(aws, chain, wallets, one="SANCTIONED", two="MEDIUM")
    aws.invoke("place_hold", {"escrowId": escrow.id})
    file, now = escrows.file(escrow), clock.now()
    assert file.escrow.holds == {"SANCTIONS", "RISK_REVIEW"}
    causes = sorted(file.escrow.hold_causes)
    assert [cause.partition("deposit:")[0] for cause in causes] == ["", "sanctions:"]
    assert holds.lift(file, causes[0], now) == []  # the end of one never lifts what the other still needs
    assert (file.escrow.holds, file.escrow.frozen_causes) == ({"SANCTIONS"}, {"SANCTIONS"})
    holds.lift(file, causes[1], now)
    assert (file.escrow.holds, file.escrow.frozen_causes, file.escrow.hold_causes) == (set(), set(), set())


def test_nothing_is_held_where_nothing_has_to_be(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.held(aws, chain)
    money.nothing_happens(aws, "place_hold", {"escrowId": escrow.id})


def test_an_escrow_that_ended_is_not_held(aws: Platform, chain: FakeChain, wallets: Wallets) -> None:
    escrow = paid(aws, chain, wallets, one="MEDIUM")
    file = escrows.file(escrow)
    file.escrow.status = "CANCELLED"
    table.commit(file.escrow, action="test", actor=system("test"))
    money.nothing_happens(aws, "place_hold", {"escrowId": escrow.id})
