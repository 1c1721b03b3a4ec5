"""Which payouts a rollback stops (states.md, section 6)."""

import datetime as dt

import pytest

from bloxtr8.domain import dossier, plans, refused_payouts, settlements, watches
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Leg, LegStatus, Side, Snapshot
from tests.unit.escrow_rows import BUYER, ID, START, paid
from tests.unit.milestone_rows import deal, release


def settling(reason: str) -> EscrowFile:
    file = paid(delivered_at=START)
    planned = plans.start(file, "confirm_delivery", Role.BUYER, actor=BUYER, to_seller=None, reason=reason, now=START)
    file.settlements, file.legs = [planned.settlement], planned.legs
    return file


@pytest.mark.parametrize(
    ("reason", "guarded"),
    [("CONFIRMED_BY_BUYER", True), ("INSPECTION_OVER", True), ("RELEASED_BY_BUYER", True), ("RESOLVED", False)],
)
def test_what_people_decided_is_paid_whoever_has_the_asset(reason: str, guarded: bool) -> None:
    file = settling(reason)
    cause = watches.payout_guarded(file)
    assert cause == (f"rollback:{file.settlements[0].id}" if guarded else None)


def test_what_is_planned_anew_gives_the_cause_of_what_was_decided() -> None:
    file = settling("CONFIRMED_BY_BUYER")
    (old,) = file.settlements
    settlements.drop(old, "lose_chargeback", Role.SYSTEM, START)
    plans.start_anew(
        file, old, "lose_chargeback", seller_share=file.escrow.amount - 100, buyer_share=0, actor=BUYER, now=START
    )
    assert watches.payout_guarded(file) == f"rollback:{old.id}"


@pytest.mark.parametrize("status", sorted(LegStatus))
def test_what_may_have_moved_is_not_stopped(status: LegStatus) -> None:
    file = settling("INSPECTION_OVER")
    file.legs[0].status = status
    moved = status in {LegStatus.SENT, LegStatus.UNKNOWN, LegStatus.CONFIRMED}
    assert (watches.payout_guarded(file) is None) == moved


@pytest.mark.parametrize("status", sorted(LegStatus))
def test_what_the_buyer_has_of_it_guards_no_seller(status: LegStatus) -> None:
    file = settling("CONFIRMED_BY_BUYER")
    file.legs.append(Leg(escrow_id=ID, settlement_id=file.settlements[0].id, n=2, pays=Side.BUYER, status=status))
    assert watches.payout_guarded(file) == f"rollback:{file.settlements[0].id}"
    settlements.park(file, file.settlements[0], settlements.ON_HOLD, START, refused=False)
    under_way = status in {LegStatus.SENT, LegStatus.UNKNOWN}  # what is held is not what is left of it
    assert (refused_payouts.withheld(file) is None) == under_way


@pytest.mark.parametrize("seen_first", [True, False])
def test_a_part_that_was_released_unproven_is_handed_over_once_it_is_seen(seen_first: bool) -> None:
    file, later = deal([5_000, 5_000], asset=0), START + dt.timedelta(hours=1)
    seen = Snapshot(id="snp_1", owner_id=file.escrow.buyer_roblox_id, at=later)
    if seen_first:
        dossier.keep(file, seen)
    release(file, 0)
    assert (file.escrow.delivered_at, watches.guards_asset(file.escrow)) == (
        (later, True) if seen_first else (None, False)
    )
    dossier.keep(file, seen)
    assert (file.escrow.delivered_at, watches.guards_asset(file.escrow)) == (later, True)


def test_another_part_that_is_released_hands_nothing_over() -> None:
    file = deal([5_000, 5_000])
    file.escrow.at_buyer_at = START
    release(file, 0)
    assert file.escrow.delivered_at is None


def test_what_was_never_handed_over_can_not_go_back() -> None:
    file = settling("RELEASED_BY_BUYER")
    file.escrow.delivered_at = None
    assert watches.payout_guarded(file) is None
    assert settlements.next_leg(file, file.settlements[0]) is not None
