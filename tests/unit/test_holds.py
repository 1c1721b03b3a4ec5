"""RISK_REVIEW stands as long as any of its causes, and takes nothing with it that is not its own (states.md, 4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8.domain import adoption, compliance, escrows, holds, ledger, plans, settlements
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import EscrowStatus, Freeze, Hold, LegStatus, SettlementStatus
from bloxtr8.errors import Conflict, InvalidState
from tests.unit.escrow_rows import BUYER, DAY, START, escrow, paid, start

E = EscrowStatus
OPEN = sorted(holds.WITH_MONEY_TO_LOSE)
ENDS = sorted(set(E) - holds.WITH_MONEY_TO_LOSE)
CAUSES = ("review:prv_1", "review:prv_2", "warning:issfr_1")


@pytest.mark.parametrize("status", OPEN)
def test_a_hold_stops_the_clock_and_a_repeat_changes_nothing(status: EscrowStatus) -> None:
    row = escrow(status, deliver_by=START + DAY)

    assert holds.place(row, CAUSES[0], START)
    assert not holds.place(row, CAUSES[0], START + DAY)

    assert (row.status, row.holds, row.frozen_causes) == (status, {Hold.RISK_REVIEW}, {Hold.RISK_REVIEW})
    assert (row.hold_causes, row.frozen_at) == ({CAUSES[0]}, START)
    assert not escrows.passed(row, row.deliver_by, START + 9 * DAY)


@pytest.mark.parametrize("status", ENDS)
def test_at_an_end_there_is_nothing_to_hold(status: EscrowStatus) -> None:
    row = escrow(status)
    assert not holds.can_hold(row)
    with pytest.raises(InvalidState):
        holds.place(row, CAUSES[0], START)
    assert row.holds == frozenset()


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(CAUSES)), max_size=20), st.sampled_from(OPEN))
def test_the_hold_stands_exactly_while_a_cause_does(moves: list[tuple[bool, str]], status: EscrowStatus) -> None:
    file = paid(status, holds=frozenset({Hold.CHARGEBACK}))
    standing: set[str] = set()
    for placed, cause in moves:
        if placed:
            assert holds.place(file.escrow, cause, START) is (cause not in standing)
            standing.add(cause)
        else:
            assert (holds.lift(file, cause, START) is None) is (cause not in standing)
            standing.discard(cause)
        expected = {Hold.CHARGEBACK, Hold.RISK_REVIEW} if standing else {Hold.CHARGEBACK}
        assert (file.escrow.holds, file.escrow.hold_causes) == (expected, standing)
        assert (Hold.RISK_REVIEW in file.escrow.frozen_causes) is bool(standing)


def test_the_deadlines_move_by_the_time_of_the_hold_unless_something_else_stops_them() -> None:
    file = paid(E.FUNDS_HELD, deliver_by=START + DAY)
    holds.place(file.escrow, CAUSES[0], START)
    escrows.freeze(file.escrow, Freeze.UNKNOWN_OWNER, START)
    holds.lift(file, CAUSES[0], START + 2 * DAY)
    assert file.escrow.deliver_by == START + DAY
    escrows.thaw(file.escrow, Freeze.UNKNOWN_OWNER, START + 3 * DAY)
    assert file.escrow.deliver_by == START + 4 * DAY


def test_the_end_of_the_hold_resumes_what_it_parked_as_the_next_run() -> None:
    file = paid()
    planned = start(file, None)
    holds.place(file.escrow, CAUSES[0], START)
    holds.place(file.escrow, CAUSES[2], START)
    settlements.park(file, planned.settlement, settlements.ON_HOLD, START, refused=False)

    assert holds.lift(file, CAUSES[0], START) == []
    assert planned.settlement.status is SettlementStatus.PARKED
    assert holds.lift(file, CAUSES[2], START) == [planned.settlement]

    row = planned.settlement
    assert (row.status, row.run, row.error) == (SettlementStatus.OPEN, 2, None)
    assert row.next_look is not None
    assert planned.legs[0].status is LegStatus.PLANNED


@pytest.mark.parametrize(
    ("error", "other"), [("RailBug", None), (settlements.ON_HOLD, Hold.CHARGEBACK), ("RailBug", Hold.PAYOUT_FAILED)]
)
def test_what_something_else_stopped_stays_parked(error: str, other: Hold | None) -> None:
    file = paid()
    planned = start(file, None)
    holds.place(file.escrow, CAUSES[0], START)
    settlements.park(file, planned.settlement, error, START, refused=False)
    file.escrow.holds |= {other} if other else set()

    assert holds.lift(file, CAUSES[0], START) == []
    assert planned.settlement.status is SettlementStatus.PARKED


@pytest.mark.parametrize(("gross", "people"), [(1, 1), (1_000_000, 1), (1_000_001, 2)])
def test_above_ten_thousand_dollars_two_people_decide(gross: int, people: int) -> None:
    assert compliance.needed(escrow(gross=gross)) == people


# --- refunds of the Dashboard


@pytest.mark.parametrize("status", sorted({E.FUNDS_HELD, E.DELIVERED, E.DISPUTED}))
def test_a_refund_of_everything_is_adopted_as_sent_and_decides_a_doubt(status: EscrowStatus) -> None:
    file = paid(status)
    holds.place(file.escrow, CAUSES[0], START)
    assert adoption.fits(file, 10_000, "USD")

    settlement, (leg, *_) = adoption.adopt(file, "re_1", actor=BUYER, now=START)

    assert (file.escrow.status, file.escrow.settlement_id) == (E.SETTLING, settlement.id)
    assert (file.escrow.holds, file.escrow.hold_causes, file.escrow.frozen_causes) == (set(), set(), set())
    (only,) = file.legs
    assert leg is only
    assert (only.status, only.amount, only.external_id, only.adopted_id) == (LegStatus.SENT, 10_000, "re_1", "re_1")
    assert adoption.given_back(file) == 10_000
    file.ledger += settlements.confirm(file, only, "re_1", START)
    assert ledger.balance(file.escrow, file.ledger).accounts["HELD"] == 0


@pytest.mark.parametrize(("amount", "currency"), [(9_999, "USD"), (10_001, "USD"), (10_000, "EUR")])
def test_a_refund_of_anything_else_is_not_adopted(amount: int, currency: str) -> None:
    assert not adoption.fits(paid(), amount, currency)


@pytest.mark.parametrize("status", sorted(set(E) - escrows.MONEY_HELD))
def test_a_refund_is_adopted_only_while_money_is_held(status: EscrowStatus) -> None:
    assert not adoption.fits(paid(status), 10_000, "USD")


@pytest.mark.parametrize("hold", sorted(set(Hold) - {Hold.RISK_REVIEW}))
def test_other_holds_forbid_it(hold: Hold) -> None:
    file = paid(holds=frozenset({hold}))
    assert not adoption.fits(file, 10_000, "USD")
    with pytest.raises(Conflict):
        adoption.adopt(file, "re_1", actor=BUYER, now=START)


def test_a_live_return_forbids_it() -> None:
    returning = paid()
    plans.give_back(returning, None, 5, actor=BUYER, reason="x", now=START)
    assert not adoption.fits(returning, 10_000, "USD")


@pytest.mark.parametrize("status", LegStatus)
def test_a_settlement_forbids_it_once_a_leg_may_have_moved(status: LegStatus) -> None:
    settling = paid()
    start(settling, None).legs[0].status = status
    moved = status in {LegStatus.SENT, LegStatus.UNKNOWN, LegStatus.CONFIRMED}
    assert adoption.fits(settling, 10_000, "USD") is not moved


def test_a_settlement_in_the_place_of_one_that_paid_a_side_forbids_it() -> None:
    file = paid()
    old = start(file, 5_000)
    old.legs[0].status = LegStatus.CONFIRMED
    settlements.drop(old.settlement, "lose_chargeback", Role.SYSTEM, START)
    plans.start_anew(
        file, old.settlement, "lose_chargeback", seller_share=5_000, buyer_share=5_000, actor=BUYER, now=START
    )
    assert not adoption.fits(file, 10_000, "USD")
