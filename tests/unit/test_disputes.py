"""The rules of disputes without a table: clocks, counts, and every end (states.md, section 7)."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8.actors import system
from bloxtr8.domain import dispute_opening, disputes, escrows, plans
from bloxtr8.domain.dispute_opening import Claim
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Dispute, DisputeStatus, EscrowStatus, Freeze, Settlement, SettlementKind
from bloxtr8.errors import RateLimited
from tests.unit.escrow_rows import BUYER, DAY, START, paid

HOUR = dt.timedelta(hours=1)


def begun(file: EscrowFile, now: dt.datetime = START, *, rejects: bool = False) -> Dispute:
    """The buyer opens one, or rejects the delivery."""
    action, delivery = ("reject_delivery", file.delivery) if rejects else ("open_dispute", None)
    return dispute_opening.begin(
        action, file, Role.BUYER, Claim("OTHER"), opener_id=BUYER.id, seen=None, now=now, delivery=delivery
    )


def delivered() -> EscrowFile:
    return paid(EscrowStatus.DELIVERED, deliver_by=START + DAY, inspect_by=START + 7 * DAY, delivered_at=START)


@given(
    left=st.integers(1, 30 * 24),
    lived=st.integers(1, 100 * 24),
    held=st.none() | st.tuples(st.integers(0, 50), st.integers(51, 200)),
)
def test_a_deadline_has_as_long_to_go_as_it_had(left: int, lived: int, held: tuple[int, int] | None) -> None:
    """Whatever else stops the clock meanwhile, and whichever ends last."""
    file = paid(EscrowStatus.FUNDS_HELD, deliver_by=START + left * HOUR)
    dispute = begun(file)
    moments = [(lived, "withdraw")] + ([(held[0], "hold"), (held[1], "lift")] if held else [])
    for hours, what in sorted(moments):
        now = START + hours * HOUR
        if what == "withdraw":
            disputes.withdraw(file, dispute, Role.BUYER, now)
        elif what == "hold":
            escrows.freeze(file.escrow, "COMPLIANCE", now)
        else:
            escrows.thaw(file.escrow, "COMPLIANCE", now)
    assert file.escrow.frozen_causes == frozenset()
    stood = lived
    if held:
        overlaps = held[0] <= lived
        stood = max(lived, held[1]) if overlaps else lived
        if not overlaps and held[0] < lived + left:
            stood += held[1] - held[0]
    assert file.escrow.deliver_by is not None
    assert file.escrow.deliver_by - START == (left + stood) * HOUR


def test_a_deadline_that_had_passed_stays_passed() -> None:
    file = paid(EscrowStatus.FUNDS_HELD, deliver_by=START - HOUR)
    dispute = begun(file)
    disputes.withdraw(file, dispute, Role.BUYER, START + DAY)
    assert file.escrow.deliver_by == START - HOUR


def test_what_was_rejected_has_its_48_hours_or_more() -> None:
    for lived, expected in ((HOUR, START + 2 * DAY + HOUR), (5 * DAY, START + 7 * DAY)):
        file = delivered()
        dispute = begun(file, rejects=True)
        disputes.withdraw(file, dispute, Role.BUYER, START + lived)
        assert (file.escrow.status, file.escrow.deliver_by) == (EscrowStatus.FUNDS_HELD, expected)


def resolved(file: EscrowFile) -> tuple[Dispute, Settlement]:
    dispute = begun(file)
    dispute.status = DisputeStatus.IN_REVIEW
    planned = plans.plan_split(
        file, "resolve_dispute", Role.ARBITER, actor=system("test"), to_seller=6_000, to_buyer=4_000, reason="x",
        now=START,
    )  # fmt: skip
    disputes.resolve(dispute, planned, "SPLIT", "Because both have a point.", START)
    return dispute, planned.settlement


def test_what_was_decided_ends_by_its_own_settlement_or_by_another() -> None:
    file = delivered()
    dispute, own = resolved(file)
    assert disputes.close_by_settlement(file, own, START) == [dispute]
    assert (dispute.status, dispute.outcome) == (DisputeStatus.CLOSED, "EXECUTED")
    file = delivered()
    dispute, _ = resolved(file)
    other = Settlement(escrow_id=file.escrow.id, id="stl_2", kind=SettlementKind.REFUND, actor="x", created_at=START)
    disputes.close_by_settlement(file, other, START)
    assert dispute.outcome == "SETTLED"


@pytest.mark.parametrize("decided", [False, True])
def test_a_vault_that_was_reclaimed_leaves_nothing_to_decide(decided: bool) -> None:
    file = delivered()
    dispute = resolved(file)[0] if decided else begun(file)
    assert disputes.close_by_reclaim(file, START) == [dispute]
    assert (dispute.status, dispute.outcome) == (DisputeStatus.CLOSED, "RECLAIMED")


@pytest.mark.parametrize(
    ("who", "delivered_at", "expected"),
    [
        ("BUYER", None, True),
        ("SELLER", START, False),
        ("NOBODY", START, False),
        ("UNKNOWN", START, True),
        ("UNKNOWN", None, False),
    ],
)
def test_a_split_sells_what_was_the_buyers(who: str, delivered_at: Any, expected: bool) -> None:
    file = delivered()
    file.escrow.delivered_at = delivered_at
    dispute, own = resolved(file)
    dispute.facts["owner"]["who"] = who
    assert disputes.sold(file, own) is expected


def opened_at(*days: float) -> list[Dispute]:
    fields: dict[str, Any] = {"id": "dsp_1", "escrow_id": "esc_1", "opener_id": "u", "reason_code": "OTHER"}
    return [Dispute(**fields, respond_by=START, created_at=START + n * DAY) for n in days]


def test_five_in_thirty_days_and_the_wait_is_told() -> None:
    dispute_opening.check_not_too_often(opened_at(0, 1, 2, 3), START + 4 * DAY)
    with pytest.raises(RateLimited) as refused:
        dispute_opening.check_not_too_often(opened_at(0, 1, 2, 3, 3.5), START + 4 * DAY)
    assert refused.value.retry_after == 26 * 86_400 + 1
    dispute_opening.check_not_too_often(opened_at(0, 1, 2, 3, 3.5), START + 30 * DAY)
    rejections = opened_at(0, 1, 2, 3, 3.5)
    for row in rejections:
        row.delivery_id = "dlv_1"
    dispute_opening.check_not_too_often(rejections, START + 4 * DAY)


def test_opening_stops_the_clock_of_every_deadline() -> None:
    file = paid(EscrowStatus.FUNDS_HELD, deliver_by=START + HOUR)
    begun(file)
    assert not escrows.passed(file.escrow, file.escrow.deliver_by, START + 100 * DAY)
    assert file.escrow.frozen_causes == {Freeze.DISPUTE}
