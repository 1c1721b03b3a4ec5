"""An escrow's clocks stop for each cause and go on after the last; whoever may move it is told so (states.md, 4)."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8.actors import Actor, system
from bloxtr8.domain import deliveries, escrow_moves, escrows
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import DeliveryStatus, Escrow, EscrowStatus, Evidence, Freeze, Hold, RailName
from bloxtr8.errors import (
    Conflict,
    DomainError,
    Expired,
    InvalidState,
    NotFound,
    TooLarge,
    Unprocessable,
    UnsupportedMedia,
)
from tests.unit.escrow_rows import BUYER, DAY, SELLER, START, escrow, paid

E, D = EscrowStatus, DeliveryStatus
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
CAUSES = [str(cause) for cause in (*Freeze, *Hold)]
DEADLINES = ("fund_by", "deliver_by", "inspect_by")
CLOCKED = {"deliver_by": START + 4 * DAY, "inspect_by": START + 5 * DAY}


def deadlines(row: Escrow) -> list[dt.datetime]:
    return [getattr(row, name) for name in DEADLINES]


# --- frozen clocks


def test_a_frozen_clock_moves_every_deadline_that_lay_ahead_by_the_time_it_stood() -> None:
    row = escrow(fund_by=START - HOUR, **CLOCKED)

    escrows.freeze(row, Freeze.DISPUTE, START)
    assert (row.frozen_at, row.frozen_causes) == (START, {"DISPUTE"})
    escrows.thaw(row, Freeze.DISPUTE, START + 2 * DAY)

    assert deadlines(row) == [START - HOUR, START + 6 * DAY, START + 7 * DAY]
    assert (row.frozen_at, row.frozen_causes) == (None, frozenset())


def test_a_deadline_that_was_now_when_it_froze_had_passed() -> None:
    row = escrow(deliver_by=START)

    escrows.freeze(row, Freeze.PROCESSING, START)
    escrows.thaw(row, Freeze.PROCESSING, START + DAY)

    assert row.deliver_by == START


def test_of_several_causes_the_first_stops_the_clock_and_the_last_starts_it() -> None:
    row = escrow(**CLOCKED)
    before = deadlines(row)

    escrows.freeze(row, Freeze.UNKNOWN_OWNER, START)
    escrows.freeze(row, Hold.CHARGEBACK, START + HOUR)
    escrows.freeze(row, Freeze.UNKNOWN_OWNER, START + 2 * HOUR)
    escrows.thaw(row, Freeze.UNKNOWN_OWNER, START + 3 * HOUR)
    assert (deadlines(row), row.frozen_at, row.frozen_causes) == (before, START, {"CHARGEBACK"})
    escrows.thaw(row, Hold.CHARGEBACK, START + 4 * HOUR)

    assert deadlines(row) == [moment + 4 * HOUR for moment in before]


def test_a_cause_that_does_not_stand_ends_nothing() -> None:
    row = escrow(**CLOCKED)
    before = deadlines(row)
    escrows.thaw(row, Freeze.DISPUTE, START + DAY)
    escrows.freeze(row, Freeze.PROCESSING, START + DAY)
    escrows.thaw(row, Freeze.DISPUTE, START + 2 * DAY)

    assert (deadlines(row), row.frozen_causes) == (before, {"PROCESSING"})


moves = st.lists(
    st.tuples(st.booleans(), st.sampled_from(CAUSES), st.integers(0, 200_000).map(lambda s: dt.timedelta(seconds=s))),
    max_size=30,
)


@given(moves)
def test_whatever_order_causes_come_and_go_a_deadline_moves_by_the_time_that_stood_still(
    steps: list[tuple[bool, str, dt.timedelta]],
) -> None:
    row = escrow(fund_by=START + 1_000 * DAY, **CLOCKED)  # never passes on the way
    standing: set[str] = set()
    now, stood = START, dt.timedelta()
    for stop, cause, later in steps:
        if standing:
            stood += later
        now += later
        (escrows.freeze if stop else escrows.thaw)(row, cause, now)
        standing = standing | {cause} if stop else standing - {cause}
        assert row.frozen_causes == standing
        assert (row.frozen_at is None) == (not standing)
        assert not (standing and escrows.passed(row, START, now))
        if not standing:
            assert row.fund_by == START + 1_000 * DAY + stood


@pytest.mark.parametrize(
    ("cause", "stood", "again"),
    [(Freeze.DISPUTE, HOUR, True), (Hold.CHARGEBACK, HOUR, True), (Hold.RISK_REVIEW, HOUR, True),
     (Freeze.UNKNOWN_OWNER, 23 * HOUR, False), (Freeze.UNKNOWN_OWNER, DAY, True)],
)  # fmt: skip
def test_a_warning_is_over_with_the_stop_of_the_clock(cause: str, stood: dt.timedelta, again: bool) -> None:
    row = escrow(E.DELIVERED, warned_at=START, inspect_by=START + DAY)
    escrows.freeze(row, cause, START)
    escrows.freeze(row, Hold.COMPLIANCE, START)
    escrows.thaw(row, Hold.COMPLIANCE, START)
    assert row.warned_at == START  # the clock stands still
    escrows.thaw(row, cause, START + stood)
    assert (row.warned_at is None) == again


@given(st.integers(-10_000, 10_000), st.booleans(), st.booleans())
def test_a_deadline_equal_to_now_has_passed_unless_the_clock_stands(seconds: int, frozen: bool, none: bool) -> None:
    row = escrow()
    if frozen:
        escrows.freeze(row, Freeze.DISPUTE, START)
    deadline = None if none else START + dt.timedelta(seconds=seconds)

    assert escrows.passed(row, deadline, START) == (not none and not frozen and seconds <= 0)


# --- the next look

_OLD = {"funded_at": START - 79 * DAY, "held_days_told": 60}
_OVER = {"funded_at": START - 80 * DAY, "held_days_told": 80}


@pytest.mark.parametrize(
    ("status", "fields", "next_look"),
    [
        (E.AWAIT_FUNDS, {}, START + 2 * MINUTE),
        (E.AWAIT_FUNDS, {"looks": 3}, START + 16 * MINUTE),
        (E.AWAIT_FUNDS, {"looks": 30}, START + HOUR),
        (E.AWAIT_FUNDS, {"fund_by": START + MINUTE}, START + MINUTE),
        (E.AWAIT_FUNDS, {"fund_by": START, "looks": 1}, START + 4 * MINUTE),
        (E.AWAIT_FUNDS, {"fund_by": START + MINUTE, "frozen_causes": {"PROCESSING"}}, START + 2 * MINUTE),
        (E.FUNDS_HELD, {"deliver_by": START + DAY}, START + DAY),
        (E.FUNDS_HELD, {"deliver_by": START - DAY, "looks": 5}, START + HOUR),
        (E.FUNDS_HELD, {"deliver_by": START + DAY, "frozen_causes": {"UNKNOWN_OWNER"}}, START + 2 * MINUTE),
        (E.DELIVERED, {"inspect_by": START + 3 * DAY}, START + 2 * DAY),
        (E.DELIVERED, {"inspect_by": START + HOUR}, START),
        (E.DELIVERED, {"inspect_by": START + 3 * DAY, "warned_at": START}, START + 3 * DAY),
        (E.DELIVERED, {"inspect_by": START, "warned_at": START}, START + 2 * MINUTE),
        (E.DISPUTED, {"inspect_by": START + DAY, "frozen_causes": {"DISPUTE"}}, None),
        (E.DISPUTED, {"frozen_causes": {"DISPUTE", "CHARGEBACK"}}, None),
        (E.FUNDS_HELD, {"deliver_by": START + DAY, "frozen_causes": {"RISK_REVIEW"}}, None),
        (E.FUNDS_HELD, {"frozen_causes": {"RISK_REVIEW", "UNKNOWN_OWNER"}}, START + 2 * MINUTE),
        (E.AWAIT_FUNDS, {"frozen_causes": {"RISK_REVIEW"}}, START + 2 * MINUTE),
        (E.SETTLING, {"deliver_by": START - DAY}, None),
        (E.CANCELLED, {}, START + 2 * MINUTE),
        (E.CANCELLED, {"funding_closed": True}, None),
        *((end, {"inspect_by": START - DAY}, None) for end in (E.RELEASED, E.REFUNDED, E.SPLIT)),
        # by card what is held for eighty days is looked at, whatever stops its clocks
        (E.DISPUTED, {**_OLD, "frozen_causes": {"DISPUTE"}}, START + DAY),
        (E.FUNDS_HELD, {**_OLD, "frozen_causes": {"RISK_REVIEW"}, "deliver_by": START}, START + DAY),
        (E.DELIVERED, {**_OLD, "inspect_by": START + 9 * DAY}, START + DAY),
        (E.DISPUTED, {**_OVER, "frozen_causes": {"DISPUTE"}}, None),
        (E.SETTLING, _OVER, None),
        (E.DELIVERED, {**_OVER, "inspect_by": START + 9 * DAY}, START + 2 * MINUTE),
        (E.FUNDS_HELD, {**_OVER, "frozen_causes": {"RISK_REVIEW"}}, START + 2 * MINUTE),
        (E.FUNDS_HELD, {**_OVER, "frozen_causes": {"RISK_REVIEW"}, "rail": RailName.USDC_BASE}, None),
    ],
)
def test_the_next_look_is_the_first_thing_that_can_happen(
    status: EscrowStatus, fields: dict[str, Any], next_look: dt.datetime | None
) -> None:
    fields = {name: frozenset(value) if isinstance(value, set) else value for name, value in fields.items()}
    row = escrow(status, **fields)

    escrows.plan_look(row, START)

    assert row.next_look == next_look


@given(
    st.sampled_from(sorted(E)), st.integers(-100, 100), st.integers(0, 60), st.sets(st.sampled_from(CAUSES)),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_whoever_waits_is_looked_at_again_and_later(
    status: EscrowStatus, hours: int, looks: int, causes: set[str], warned: bool, closed: bool
) -> None:
    deadline = START + hours * HOUR
    row = escrow(
        status, fund_by=deadline, deliver_by=deadline, inspect_by=deadline, looks=looks, frozen_at=START,
        frozen_causes=frozenset(causes), warned_at=START if warned else None, funding_closed=closed,
    )  # fmt: skip

    escrows.plan_look(row, START)

    waits = status in {E.AWAIT_FUNDS, E.FUNDS_HELD, E.DELIVERED} and not causes
    assert row.next_look is not None or not waits
    assert row.next_look is None or row.next_look >= START
    if row.next_look == START:
        assert status is E.DELIVERED  # the warning is due now, and is given once
        assert not warned
    if waits and deadline > START:
        assert row.next_look is not None
        assert row.next_look <= deadline


@given(st.integers(0, 10_000))
def test_repairs_wait_two_minutes_doubling_to_an_hour(looks: int) -> None:
    delay = escrows.repair_delay(looks)

    assert 2 * MINUTE <= delay <= escrows.repair_delay(looks + 1) <= HOUR


# --- two readings of the owner


def test_an_owner_counts_when_seen_twice_five_minutes_apart() -> None:
    row = escrow()

    assert not escrows.check_seen(row, "SELLER", START)
    assert not escrows.check_seen(row, "SELLER", START + 4 * MINUTE)
    assert escrows.check_seen(row, "SELLER", START + 5 * MINUTE)


def test_another_owner_starts_anew() -> None:
    row = escrow()
    escrows.check_seen(row, "SELLER", START)

    assert not escrows.check_seen(row, "OTHER", START + 10 * MINUTE)
    assert not escrows.check_seen(row, "SELLER", START + 20 * MINUTE)
    assert escrows.check_seen(row, "SELLER", START + 25 * MINUTE)


# --- moves


def test_holding_the_money_starts_the_sellers_time() -> None:
    row = escrow(looks=7)

    escrows.hold_funds(row, START)

    assert (row.status, row.funded_at, row.funding_closed) == (E.FUNDS_HELD, START, True)
    assert (row.deliver_by, row.next_look, row.looks) == (START + 7 * DAY, START + 7 * DAY, 0)


@pytest.mark.parametrize("before", [D.PENDING, D.IN_PROGRESS])
def test_a_proven_delivery_starts_the_buyers_time(before: DeliveryStatus) -> None:
    file = paid(E.FUNDS_HELD, deliver_by=START + DAY, owner_seen={"who": "SELLER"}, unknown_since=START)
    file.delivery.status = before
    escrows.freeze(file.escrow, Freeze.UNKNOWN_OWNER, START)

    deliveries.deliver(file, "prove_delivery", Role.SYSTEM, snapshot_id="snp_1", now=START + DAY)

    row, delivery = file.escrow, file.delivery
    assert (row.status, row.delivered_at, row.inspect_by) == (E.DELIVERED, START + DAY, START + 8 * DAY)
    assert (row.frozen_causes, row.owner_seen, row.unknown_since) == (frozenset(), None, None)
    assert row.next_look == START + 7 * DAY
    assert (delivery.status, delivery.verification, delivery.snapshot_id) == (D.DELIVERED, "VERIFIED", "snp_1")


@pytest.mark.parametrize(
    ("action", "role", "delivery"),
    [("mark_delivered", Role.SELLER, D.PENDING), *(("prove_delivery", Role.SYSTEM, done) for done in (
        D.DELIVERED, D.CONFIRMED, D.REJECTED, D.CANCELLED))],
)  # fmt: skip
def test_every_other_jump_of_a_delivery_is_refused(action: str, role: Role, delivery: DeliveryStatus) -> None:
    file = paid(E.FUNDS_HELD)
    file.delivery.status = delivery

    with pytest.raises(InvalidState) as refusal:
        deliveries.deliver(file, action, role, snapshot_id=None, now=START)

    assert refusal.value.details == {"currentStatus": str(delivery)}
    assert (file.escrow.status, file.delivery.status) == (E.FUNDS_HELD, delivery)


def test_a_cancelled_escrow_waits_for_its_rail_alone() -> None:
    row = escrow()
    escrows.freeze(row, Freeze.PROCESSING, START)

    escrows.cancel(row, "cancel_escrow", Role.BUYER, "No longer.", START + DAY)

    assert (row.status, row.reason, row.ended_at) == (E.CANCELLED, "No longer.", START + DAY)
    assert (row.frozen_causes, row.frozen_at, row.next_look) == (frozenset(), None, START + DAY + 2 * MINUTE)


# --- who, and what they may do

TALK = ("propose_settlement", "open_dispute", "add_evidence")


def test_an_outsider_learns_nothing() -> None:
    row = escrow()

    assert [escrows.role_of(row, actor) for actor in (BUYER, SELLER, Actor(id="usr_x"), system("job"))] == [
        Role.BUYER, Role.SELLER, Role.OUTSIDER, Role.SYSTEM,
    ]  # fmt: skip
    with pytest.raises(NotFound):
        escrows.party(row, Actor(id="usr_x"))


@pytest.mark.parametrize(
    ("status", "fields", "role", "actions"),
    [
        (E.AWAIT_FUNDS, {}, Role.BUYER, {"start_payment", "cancel_escrow", "add_evidence"}),
        (E.AWAIT_FUNDS, {}, Role.SELLER, {"cancel_escrow", "extend_deadline", "add_evidence"}),
        (E.AWAIT_FUNDS, {"fund_by": START}, Role.BUYER, {"cancel_escrow", "add_evidence"}),
        (E.AWAIT_FUNDS, {"frozen_causes": frozenset({"PROCESSING"})}, Role.BUYER, {"start_payment", "add_evidence"}),
        (E.AWAIT_FUNDS, {"deposited": 1}, Role.SELLER, {"extend_deadline", "add_evidence"}),
        (E.FUNDS_HELD, {}, Role.SELLER, {"start_delivery", "verify_delivery", "refund_escrow", *TALK}),
        (E.FUNDS_HELD, {}, Role.BUYER, {"verify_delivery", "extend_deadline", *TALK}),
        (E.FUNDS_HELD, {"holds": frozenset({"COMPLIANCE"})}, Role.SELLER,
         {"start_delivery", "verify_delivery", *TALK}),
        (E.DELIVERED, {}, Role.BUYER, {"confirm_delivery", "reject_delivery", *TALK}),
        (E.DELIVERED, {"settlement_id": "stl_1"}, Role.BUYER, {"reject_delivery", *TALK}),
        (E.DELIVERED, {}, Role.SELLER, {"refund_escrow", "extend_deadline", *TALK}),
        (E.DISPUTED, {}, Role.SELLER, {"refund_escrow", "propose_settlement", "add_evidence"}),
        (E.DISPUTED, {}, Role.BUYER, {"propose_settlement", "add_evidence"}),
        (E.SETTLING, {}, Role.BUYER, {"add_evidence"}),
        *((end, {}, role, set()) for end in sorted(ESCROW.ends) for role in (Role.BUYER, Role.SELLER)),
        *((status, {}, Role.ARBITER, {"add_evidence"}) for status in sorted(set(E) - ESCROW.ends)),
        *((status, {}, Role.COMPLIANCE, {"decide_hold"}) for status in sorted(set(E) - ESCROW.ends)),
        *((end, {}, Role.COMPLIANCE, set()) for end in sorted(ESCROW.ends)),
        *((status, {}, role, set()) for status in sorted(E) for role in (Role.SUPPORT, Role.PADMIN, Role.OUTSIDER)),
    ],
)  # fmt: skip
def test_what_someone_may_do(status: EscrowStatus, fields: dict[str, Any], role: Role, actions: set[str]) -> None:
    file = paid(status, **{"fund_by": START + DAY} | fields)
    if status is E.AWAIT_FUNDS:
        file.escrow.deposited = fields.get("deposited", 0)

    allowed = escrow_moves.allowed_actions(file, [role], START)

    assert set(allowed) == actions
    assert len(allowed) == len(actions)
    of_a_part = {  # what the dispute, or the manual payment, itself allows and lists
        "withdraw_dispute", "resolve_dispute", "record_manual_payment", "withdraw_manual_payment",
    }  # fmt: skip
    for action in {move.action for move in ESCROW.moves if move.sources} - actions - of_a_part:
        with pytest.raises(DomainError):
            escrow_moves.check(action, file, role, START)


def test_a_delivery_that_started_can_be_marked_and_not_started_again() -> None:
    file = paid(E.FUNDS_HELD)
    file.delivery.status = D.IN_PROGRESS

    allowed = escrow_moves.allowed_actions(file, [Role.SELLER], START)

    assert "mark_delivered" in allowed
    assert "start_delivery" not in allowed


# --- refusals by name


@pytest.mark.parametrize(("seconds", "refused"), [(1, False), (0, True), (-1, True)])
def test_the_time_to_pay_passes(seconds: int, refused: bool) -> None:
    row = escrow(fund_by=START + dt.timedelta(seconds=seconds))
    if not refused:
        escrows.check_fundable(row, START)
        return
    with pytest.raises(Expired) as refusal:
        escrows.check_fundable(row, START)
    assert refusal.value.code == "FUNDING_EXPIRED"
    escrows.freeze(row, Freeze.PROCESSING, START)
    escrows.check_fundable(row, START)


@pytest.mark.parametrize("change", [{"deposited": 1}, {"frozen_causes": frozenset({"PROCESSING"})}])
def test_money_in_flight_is_not_cancelled(change: dict[str, Any]) -> None:
    file = paid(E.AWAIT_FUNDS)
    file.escrow.deposited = 0
    escrows.check_nothing_received(file)
    for name, value in change.items():
        setattr(file.escrow, name, value)
    with pytest.raises(Conflict) as refusal:
        escrows.check_nothing_received(file)
    assert refusal.value.code == "FUNDS_IN_FLIGHT"


def test_ten_files_of_a_side_and_a_claim_without_one_are_room_enough() -> None:
    file = paid()
    claim = Evidence(escrow_id=file.escrow.id, id="evd_0", user_id=BUYER.id, note="done", at=START)
    files = [
        Evidence(escrow_id=file.escrow.id, id=f"evd_{n}", user_id=BUYER.id, sha256="0" * 64, at=START)
        for n in range(1, 11)
    ]
    file.evidence = [claim, *files[:9]]
    escrow_moves.check_evidence_room(file, Role.BUYER)
    file.evidence.append(files[9])
    for role in (Role.SELLER, Role.ARBITER):
        escrow_moves.check_evidence_room(file, role)
    with pytest.raises(Unprocessable) as refusal:
        escrow_moves.check_evidence_room(file, Role.BUYER)
    assert refusal.value.code == "TOO_MUCH_EVIDENCE"


def test_what_kind_of_file_is_taken() -> None:
    for kind in escrow_moves.EVIDENCE_TYPES:
        escrow_moves.check_file(kind, 25 * 1024 * 1024)
    with pytest.raises(TooLarge):
        escrow_moves.check_file("image/png", 25 * 1024 * 1024 + 1)
    for kind in ("text/html", "image/svg+xml", "IMAGE/PNG", "image/png; charset=x", ""):
        with pytest.raises(UnsupportedMedia):
            escrow_moves.check_file(kind, 1)
