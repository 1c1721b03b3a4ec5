"""Which payouts a rollback stops (states.md, section 6)."""

import pytest

from bloxtr8.domain import plans, settlements, watches
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import LegStatus
from tests.unit.escrow_rows import BUYER, START, paid


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


def test_what_was_never_handed_over_can_not_go_back() -> None:
    file = settling("RELEASED_BY_BUYER")
    file.escrow.delivered_at = None
    assert watches.payout_guarded(file) is None
    assert settlements.next_leg(file, file.settlements[0]) is not None
