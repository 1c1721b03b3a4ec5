"""A settlement is a frozen plan; its legs carry exactly that money, once (states.md, sections 5 and 10; M44-M47)."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import money
from bloxtr8.actors import Actor
from bloxtr8.domain import disputes, ledger, manual_payments, plans, resuming, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.manual_payments import Due
from bloxtr8.entities import (
    Account,
    DeliveryStatus,
    Deposit,
    Dispute,
    DisputeStatus,
    EscrowStatus,
    Freeze,
    Hold,
    LegStatus,
    SettlementKind,
    SettlementStatus,
    Side,
)
from bloxtr8.errors import Conflict, DomainError, Forbidden, InvalidState, Unprocessable
from tests.unit.escrow_rows import BUYER, DAY, SELLER, START, paid, pay_out, start

E = EscrowStatus
BOSS = Actor(id="usr_boss")


def legs(planned: plans.Planned) -> list[tuple[Side, int, int]]:
    """(whom, how much, the fee that moves with it)."""
    return [(leg.pays, leg.amount, leg.fee) for leg in planned.legs]


def split(file: EscrowFile, to_seller: int) -> plans.Planned:
    """What a decided dispute will start: today the same plan under another move's name."""
    return start(file, to_seller)


# --- the plan


@pytest.mark.parametrize(
    ("to_seller", "buyer_bps", "kind", "planned"),
    [
        (None, 0, SettlementKind.RELEASE, [(Side.SELLER, 9_710, 290)]),
        (None, 100, SettlementKind.RELEASE, [(Side.SELLER, 9_710, 390)]),
        (0, 0, SettlementKind.REFUND, [(Side.BUYER, 10_000, 0)]),
        (0, 100, SettlementKind.REFUND, [(Side.BUYER, 10_100, 0)]),
        (3_333, 0, SettlementKind.SPLIT, [(Side.SELLER, 3_237, 96), (Side.BUYER, 6_667, 0)]),
        (3_333, 100, SettlementKind.SPLIT, [(Side.SELLER, 3_237, 129), (Side.BUYER, 6_734, 0)]),
        (1, 0, SettlementKind.SPLIT, [(Side.SELLER, 1, 0), (Side.BUYER, 9_999, 0)]),
    ],
)
def test_release_refund_and_split_are_plans(
    to_seller: int | None, buyer_bps: int, kind: SettlementKind, planned: list[tuple[Side, int, int]]
) -> None:
    file = paid(buyer_fee_bps=buyer_bps)

    made = start(file, to_seller)

    row = made.settlement
    assert (row.kind, row.status, legs(made)) == (kind, SettlementStatus.OPEN, planned)
    assert row.to_seller + row.to_platform + row.to_buyer == file.escrow.gross
    assert row.seller_share + row.buyer_share == file.escrow.amount
    assert (file.escrow.status, file.escrow.settlement_id) == (E.SETTLING, row.id)
    assert [(leg.n, leg.status, leg.attempt) for leg in made.legs] == [
        (n, LegStatus.PLANNED, 1) for n in range(1, len(planned) + 1)
    ]
    assert {leg.pays: leg.destination for leg in made.legs}.get(Side.SELLER, "acct_1") == "acct_1"
    assert all(leg.destination is None for leg in made.legs if leg.pays is Side.BUYER)


@given(st.integers(50, money.MAX_CENTS), st.integers(0, 1_000), st.integers(0, 1_000), st.data())
def test_every_cent_is_paid_once_and_the_escrow_ends_as_planned(
    amount: int, buyer_bps: int, seller_bps: int, data: st.DataObject
) -> None:
    file = paid(amount=amount, buyer_fee_bps=buyer_bps, seller_fee_bps=seller_bps)
    to_seller = data.draw(st.integers(0, amount))

    planned = split(file, to_seller)
    pay_out(file, planned)
    settlements.close(file, planned.settlement, None, sold=to_seller > 0, now=START)

    escrow = file.escrow
    assert escrow.status is (E.RELEASED if to_seller == amount else E.SPLIT if to_seller else E.REFUNDED)
    assert (escrow.held, escrow.surplus, escrow.settlement_id, escrow.ended_at) == (0, 0, None, START)
    assert escrow.released + escrow.refunded + escrow.fees == escrow.gross
    assert ledger.balance(escrow, file.ledger).balanced
    assert plans.remaining(file) == 0
    if to_seller == 0:
        assert (escrow.refunded, escrow.fees, escrow.released) == (escrow.gross, 0, 0)
    if to_seller == amount:
        assert escrow.released == amount - money.fee(amount, seller_bps)


@pytest.mark.parametrize("status", sorted({E.FUNDS_HELD, E.DELIVERED, E.DISPUTED}))
def test_a_refund_stops_the_clocks_and_leaves_none(status: EscrowStatus) -> None:
    file = paid(status, frozen_causes=frozenset({Freeze.UNKNOWN_OWNER}), frozen_at=START, unknown_since=START)

    start(file, 0, "refund_escrow")

    escrow = file.escrow
    assert (escrow.frozen_causes, escrow.frozen_at, escrow.unknown_since) == (frozenset(), None, None)
    assert escrow.next_look is None


# --- who, when


@pytest.mark.parametrize(
    ("status", "action", "role", "refusal"),
    [
        (E.DELIVERED, "confirm_delivery", Role.SELLER, Forbidden),
        (E.DELIVERED, "confirm_delivery", Role.OUTSIDER, Forbidden),
        (E.DELIVERED, "refund_escrow", Role.BUYER, Forbidden),
        (E.DELIVERED, "auto_release", Role.BUYER, Forbidden),
        *((status, "refund_escrow", Role.SELLER, InvalidState) for status in E
          if status not in {E.FUNDS_HELD, E.DELIVERED, E.DISPUTED}),
        *((status, "confirm_delivery", Role.BUYER, InvalidState) for status in E if status is not E.DELIVERED),
    ],
)  # fmt: skip
def test_refuses_what_is_not_a_move(status: EscrowStatus, action: str, role: Role, refusal: type[DomainError]) -> None:
    file = paid(status)

    with pytest.raises(refusal):
        plans.start(file, action, role, actor=BUYER, to_seller=0, reason="no", now=START)

    assert (file.escrow.status, file.escrow.settlement_id, file.settlements, file.legs) == (status, None, [], [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"settlement_id": "stl_1"}, "SETTLEMENT_IN_PROGRESS"),
        *(({"holds": frozenset({hold})}, "ESCROW_ON_HOLD") for hold in Hold),
    ],
)
def test_one_settlement_at_a_time_and_none_on_hold(change: dict[str, Any], code: str) -> None:
    file = paid(**change)

    with pytest.raises(Conflict) as refusal:
        start(file, None)

    assert (refusal.value.code, file.escrow.status, file.settlements) == (code, E.DELIVERED, [])


@pytest.mark.parametrize(
    ("to_seller", "to_buyer"), [(3_333, 6_666), (3_333, 6_668), (-1, 10_001), (10_001, -1), (0, 0)]
)
def test_parts_that_are_not_all_of_it_are_not_planned(to_seller: int, to_buyer: int) -> None:
    file = paid(E.DISPUTED)

    with pytest.raises(Unprocessable) as refusal:
        plans.plan_split(
            file, "refund_escrow", Role.SELLER, actor=SELLER, to_seller=to_seller, to_buyer=to_buyer, reason="x",
            now=START,
        )  # fmt: skip

    assert (refusal.value.code, refusal.value.details) == ("SUM_MISMATCH", {"remaining": 10_000})
    assert (file.escrow.status, file.settlements) == (E.DISPUTED, [])


@pytest.mark.parametrize(
    ("to_seller", "kind"),
    [(10_000, SettlementKind.RELEASE), (0, SettlementKind.REFUND), (3_333, SettlementKind.SPLIT)],
)
def test_parts_that_are_all_of_it_are_planned_as_what_they_are(to_seller: int, kind: SettlementKind) -> None:
    file = paid(E.DISPUTED)

    planned = plans.plan_split(
        file, "refund_escrow", Role.SELLER, actor=SELLER, to_seller=to_seller, to_buyer=10_000 - to_seller,
        reason="x", now=START,
    )  # fmt: skip

    row = planned.settlement
    assert (row.kind, row.seller_share, row.buyer_share) == (kind, to_seller, 10_000 - to_seller)


def test_a_share_above_what_remains_is_not_planned() -> None:
    with pytest.raises(ValueError, match="outside the amount"):
        start(paid(), 10_001)


# --- a refund and a dispute


@pytest.mark.parametrize("status", sorted({DisputeStatus.OPEN, DisputeStatus.IN_REVIEW}))
def test_a_refund_closes_the_live_dispute(status: DisputeStatus) -> None:
    file = paid(E.DISPUTED)
    row = Dispute(
        escrow_id=file.escrow.id, id="dsp_1", opener_id="usr_buyer", reason_code="OTHER", status=status,
        respond_by=START, created_at=START,
    )  # fmt: skip
    file.disputes.append(row)

    assert disputes.close_by_refund(file, Role.SELLER, START + DAY) == [row]
    assert (row.status, row.outcome, row.closed_at) == (DisputeStatus.CLOSED, "REFUNDED_BY_SELLER", START + DAY)
    assert disputes.close_by_refund(file, Role.SELLER, START + DAY) == []


# --- what comes back


def test_a_return_pays_out_of_surplus_and_touches_nothing_else() -> None:
    file = paid(E.RELEASED)
    file.escrow.held, file.escrow.surplus = 0, 700
    deposit = Deposit(escrow_id=file.escrow.id, ref="ch_2", amount=700, currency="USD", late=True, at=START)

    planned = plans.give_back(file, deposit, 700, actor=BUYER, reason="LATE_MONEY", now=START)

    (leg,) = planned.legs
    assert (leg.pays, leg.amount, leg.fee, leg.source_account, leg.destination, leg.deposit_ref) == (
        Side.BUYER, 700, 0, Account.SURPLUS, None, "ch_2",
    )  # fmt: skip
    assert (planned.settlement.kind, file.escrow.status, file.escrow.settlement_id) == (
        SettlementKind.RETURN, E.RELEASED, None,
    )  # fmt: skip
    settlements.send(leg, planned.settlement, START)
    settlements.confirm(file, leg, "re_1", START)
    assert settlements.close(file, planned.settlement, None, sold=False, now=START) == []
    assert (file.escrow.status, file.escrow.surplus, file.escrow.refunded) == (E.RELEASED, 0, 700)
    assert plans.remaining(file) == 10_000


@pytest.mark.parametrize("hold", sorted(Hold))
def test_a_hold_stops_every_leg_but_the_return_that_a_payout_does_not_concern(hold: Hold) -> None:
    file = paid()
    planned = start(file, None)
    back = plans.give_back(file, None, 5, actor=BUYER, reason="x", now=START)
    file.escrow.holds = frozenset({hold})

    assert not settlements.may_send(file.escrow, planned.settlement)
    assert settlements.may_send(file.escrow, back.settlement) is (hold is Hold.PAYOUT_FAILED)
    file.escrow.holds = frozenset()
    assert settlements.may_send(file.escrow, planned.settlement)


# --- legs


def test_legs_go_one_after_the_other_the_sellers_first() -> None:
    file = paid()
    planned = split(file, 3_333)
    first, second = planned.legs

    assert settlements.next_leg(file, planned.settlement) is first
    with pytest.raises(Conflict):
        settlements.close(file, planned.settlement, None, sold=False, now=START)
    settlements.send(first, planned.settlement, START)
    assert settlements.next_leg(file, planned.settlement) is first
    lines = settlements.confirm(file, first, "tr_1", START)
    assert [(line.credit, line.amount, line.leg_id) for line in lines] == [
        (Account.SELLER, 3_237, first.id), (Account.FEES, 96, first.id),
    ]  # fmt: skip
    assert settlements.next_leg(file, planned.settlement) is second


@pytest.mark.parametrize("status", sorted(set(LegStatus) - {LegStatus.SENT, LegStatus.UNKNOWN}))
def test_only_what_was_sent_is_confirmed(status: LegStatus) -> None:
    file = paid()
    (leg,) = start(file, None).legs
    leg.status = status

    with pytest.raises(InvalidState):
        settlements.confirm(file, leg, "tr_1", START)

    assert (len(file.ledger), file.escrow.held) == (1, 10_000)


def test_a_refused_leg_is_tried_again_under_a_new_number_and_not_for_ever() -> None:
    file = paid()
    planned = start(file, None)
    (leg,) = planned.legs
    waits: list[dt.timedelta] = []
    while True:
        settlements.send(leg, planned.settlement, START)
        if not settlements.reject(leg, planned.settlement, "REFUSED", START):
            break
        assert leg.next_look == planned.settlement.next_look
        waits.append(leg.next_look - START)

    assert (leg.status, leg.attempt, leg.error) == (LegStatus.REJECTED, settlements.MAX_ATTEMPTS, "REFUSED")
    assert waits == sorted(waits)
    assert len(waits) == settlements.MAX_ATTEMPTS - 1


def test_waiting_keeps_the_number_where_nothing_was_refused() -> None:
    file = paid()
    planned = start(file, None)
    (leg,) = planned.legs
    settlements.send(leg, planned.settlement, START)

    settlements.wait(leg, planned.settlement, "NOT_FOUND", START + DAY, attempt=False)

    assert (leg.status, leg.attempt, leg.next_look) == (LegStatus.PLANNED, 1, START + DAY)


# --- parked and resumed


def parked(error: str = "REJECTED") -> tuple[EscrowFile, plans.Planned]:
    """A release that the provider refused for good."""
    file = paid()
    planned = start(file, None)
    settlements.send(planned.legs[0], planned.settlement, START)
    settlements.refuse(planned.legs[0], error)
    settlements.park(file, planned.settlement, error, START, refused=True)
    return file, planned


def test_what_can_not_go_on_is_parked_visibly() -> None:
    file, planned = parked()

    row = planned.settlement
    assert (row.status, row.error, row.next_look) == (SettlementStatus.PARKED, "REJECTED", None)
    assert (file.escrow.status, file.escrow.holds) == (E.SETTLING, {Hold.PAYOUT_FAILED})
    assert settlements.live(file) == []
    assert plans.remaining(file) == 0


def test_a_parked_return_puts_no_hold_on_the_escrow() -> None:
    file = paid(E.RELEASED)
    planned = plans.give_back(file, None, 5, actor=BUYER, reason="x", now=START)

    settlements.park(file, planned.settlement, "REJECTED", START, refused=True)

    assert (file.escrow.holds, planned.settlement.status) == (frozenset(), SettlementStatus.PARKED)


def test_resuming_goes_on_as_the_next_run_under_a_new_number() -> None:
    file, planned = parked()
    back = plans.give_back(file, None, 5, actor=BUYER, reason="x", now=START)
    settlements.park(file, back.settlement, "REJECTED", START, refused=True)

    changed = resuming.resume_all(file, BOSS, START + DAY)

    (leg,) = planned.legs
    assert {row.id for row in changed} == {planned.settlement.id, back.settlement.id, leg.id}
    for row in (planned.settlement, back.settlement):
        assert (row.status, row.run, row.error) == (SettlementStatus.OPEN, 2, None)
        assert row.next_look is not None
        assert row.next_look > START + DAY
    assert (leg.status, leg.attempt) == (LegStatus.PLANNED, 2)
    assert leg.next_look == START + DAY
    assert file.escrow.holds == frozenset()


@pytest.mark.parametrize("status", sorted({LegStatus.SENT, LegStatus.UNKNOWN, LegStatus.PLANNED}))
def test_resuming_leaves_a_leg_alone_that_was_not_refused(status: LegStatus) -> None:
    file, planned = parked()
    planned.legs[0].status = status

    assert resuming.resume_all(file, BOSS, START) == [planned.settlement]
    assert (planned.legs[0].status, planned.legs[0].attempt) == (status, 1)


def test_resuming_takes_its_own_hold_alone() -> None:
    file, _ = parked()
    file.escrow.holds |= {Hold.CHARGEBACK}

    resuming.resume_all(file, BOSS, START)

    assert file.escrow.holds == {Hold.CHARGEBACK}


def test_what_people_are_paying_is_not_resumed_and_keeps_its_hold() -> None:
    file, planned = parked()
    back = plans.give_back(file, None, 5, actor=BUYER, reason="x", now=START)
    settlements.park(file, back.settlement, "REJECTED", START, refused=True)
    (leg,) = planned.legs
    due = Due(leg.amount, leg.settlement_id, leg.n)
    manual_payments.announce(file, due, leg, actor=BUYER, reason="x", now=START)

    assert resuming.resume_all(file, BOSS, START) == [back.settlement]
    assert (planned.settlement.status, file.escrow.holds) == (SettlementStatus.PARKED, {Hold.PAYOUT_FAILED})
    back.settlement.status = SettlementStatus.DONE
    with pytest.raises(Conflict, match="about to pay"):
        resuming.resume_all(file, BOSS, START)


@pytest.mark.parametrize("status", sorted(set(SettlementStatus) - {SettlementStatus.PARKED}))
def test_nothing_parked_is_nothing_to_resume(status: SettlementStatus) -> None:
    file = paid()
    start(file, None).settlement.status = status

    with pytest.raises(InvalidState):
        resuming.resume_all(file, BOSS, START)


# --- the end


@pytest.mark.parametrize(
    ("to_seller", "left"),
    [(None, DeliveryStatus.DELIVERED), (0, DeliveryStatus.CANCELLED), (5, DeliveryStatus.CANCELLED)],
)
def test_the_delivery_of_what_was_not_released_is_cancelled(to_seller: int | None, left: DeliveryStatus) -> None:
    file = paid()
    planned = start(file, to_seller)
    pay_out(file, planned)

    closed = settlements.close(file, planned.settlement, None, sold=True, now=START)

    assert (file.delivery.status, closed) == (left, [] if left is DeliveryStatus.DELIVERED else [file.delivery])


def test_who_started_it_is_kept() -> None:
    file = paid()

    assert start(file, 0, "refund_escrow").settlement.actor == SELLER.id


@pytest.mark.parametrize(("error", "told"), [("REJECTED", True), (settlements.ON_HOLD, False), ("REVIEW", False)])
def test_only_what_was_refused_is_for_an_administrator(error: str, told: bool) -> None:
    _, planned = parked(error)
    assert (planned.settlement.parked, planned.settlement.parked_at) == ("PARKED", START)
    assert resuming.is_refused(planned.settlement) is told
