"""park_settlement: visible and alarmed, until a person resumes it; only a refusal says that a payout failed."""

import pytest

from bloxtr8.entities import Escrow, Hold, PlatformRole
from bloxtr8.rails.base import RailBug
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.money import ScriptedRail, rail
from tests.functions.webhooks import Machines, alarms
from tests.wire import Wire

__all__ = ["rail"]


def refused(aws: Platform, rail: ScriptedRail) -> Escrow:
    """A refund that the provider refused for good, and that is parked."""
    escrow = money.paid_with_rail(aws, rail)
    escrows.refund(aws, escrow)
    rail.fates = [RailBug()]
    factories.settle(escrow)
    return escrow


def resume(aws: Platform, escrow: Escrow) -> None:
    admin = escrows.staff(PlatformRole.PADMIN)
    headers = {"Idempotency-Key": "resume"}
    answer = aws.call("resume_settlement", admin, {"reason": "Mended."}, headers=headers, escrow_id=escrow.id)
    assert answer.status == 202, answer.body


def test_a_refusal_is_a_failed_payout(aws: Platform, rail: ScriptedRail, monkeypatch: pytest.MonkeyPatch) -> None:
    told = alarms(monkeypatch)
    escrow = refused(aws, rail)
    settlement, row = money.settlement(escrow), escrows.row(escrow)
    assert (settlement.status, settlement.error, settlement.next_look) == ("PARKED", "RailBug", None)
    assert (row.status, row.holds, row.settlement_id) == ("SETTLING", {Hold.PAYOUT_FAILED}, settlement.id)
    assert told == [("settlement parked", {"escrowId": escrow.id, "settlementId": settlement.id, "error": "RailBug"})]
    assert money.actions(aws, escrow)[-1] == "park_settlement"
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross, "HELD": escrow.gross}


def test_a_repeat_neither_writes_nor_alarms(aws: Platform, rail: ScriptedRail, monkeypatch: pytest.MonkeyPatch) -> None:
    escrow = refused(aws, rail)
    told = alarms(monkeypatch)
    money.nothing_happens(aws, "park_settlement", money.event(escrow) | {"error": "RailBug"})
    assert told == []


@pytest.mark.parametrize("done", [False, True])
def test_whoever_is_killed_at_the_commit_has_told_people(
    aws: Platform, rail: ScriptedRail, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    told = alarms(monkeypatch)
    with money.killed_around(monkeypatch, "park_settlement", done=done):
        refused(aws, rail)
    assert [message for message, _ in told] == ["settlement parked"]


def test_a_hold_parks_without_a_failed_payout(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.paid_with_rail(aws, rail)
    escrows.refund(aws, escrow)
    escrows.changed(escrow, holds=frozenset({Hold.SANCTIONS}))
    row = factories.settle(escrow)
    assert (row.holds, money.settlement(escrow).error) == ({Hold.SANCTIONS}, "ON_HOLD")


def test_a_return_that_is_refused_touches_no_hold(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.executed_with_rail()
    rail.pay(escrow.gross + 7, "ch_1")
    for task in ("screen_deposit", "hold_funds"):
        aws.invoke(task, {"escrowId": escrow.id})
    rail.fates = [RailBug()]
    row = factories.settle(escrow, money.settlement(escrow).id)
    assert (money.settlement(escrow).status, row.status, row.holds) == ("PARKED", "FUNDS_HELD", set())


def test_what_is_done_is_not_parked(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.paid_with_rail(aws, rail)
    escrows.refund(aws, escrow)
    assert factories.settle(escrow).status == "REFUNDED"
    money.nothing_happens(aws, "park_settlement", money.event(escrow) | {"error": "RailBug"})


def test_a_resumed_run_goes_on_under_a_new_key(aws: Platform, rail: ScriptedRail, wire: Wire) -> None:
    escrow = refused(aws, rail)
    machines = Machines(wire)
    resume(aws, escrow)
    settlement = money.settlement(escrow)
    assert (settlement.status, settlement.run, settlement.error) == ("OPEN", 2, None)
    assert machines.started == [f"{settlement.id}-2"]
    assert machines.inputs[f"{settlement.id}-2"] == money.event(escrow)
    assert factories.settle(escrow).status == "REFUNDED"
    assert [order.attempt for order in rail.sent] == [1, 2]
    assert escrows.row(escrow).holds == set()
    assert escrows.sound(aws, escrow) == {}


def test_resumed_while_the_hold_stands_it_is_parked_again(aws: Platform, rail: ScriptedRail, wire: Wire) -> None:
    escrow = money.paid_with_rail(aws, rail)
    escrows.refund(aws, escrow)
    escrows.changed(escrow, holds=frozenset({Hold.CHARGEBACK}))
    factories.settle(escrow)
    Machines(wire)
    resume(aws, escrow)
    factories.settle(escrow)
    assert (money.settlement(escrow).status, rail.sent) == ("PARKED", [])
    assert escrows.row(escrow).holds == {Hold.CHARGEBACK}


def test_what_was_moved_all_the_same_is_found_and_not_moved_again(
    aws: Platform, rail: ScriptedRail, wire: Wire
) -> None:
    escrow = refused(aws, rail)
    rail.makes(money.leg(escrow).id)
    Machines(wire)
    resume(aws, escrow)
    rail.fates = []
    assert factories.settle(escrow).status == "REFUNDED"
    assert len(escrows.file(escrow).ledger) == 2
