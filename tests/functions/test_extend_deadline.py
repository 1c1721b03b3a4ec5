"""The party that a deadline protects gives more time: never less, thirty days in all (M60)."""

import datetime as dt
from typing import Any

import pytest

from bloxtr8 import clock as now
from bloxtr8.entities import Escrow, EscrowStatus
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused
from tests.emulator import Answer, Clock, Platform
from tests.functions import chain as chains
from tests.functions import escrows
from tests.functions.chain import FakeChain, chain, wallets
from tests.functions.escrows import changed, hidden, row, seen, turned_away
from tests.functions.milestones import parts
from tests.functions.offers import same_but
from tests.wire import Wire

__all__ = ["chain", "wallets"]
DAY = dt.timedelta(days=1)
# deadline, its field, whose it is, how an escrow comes to wait for it
DEADLINES: dict[str, tuple[str, str, Any]] = {
    "fundBy": ("fund_by", "seller_id", lambda stripe: factories.payable(stripe)),
    "deliverBy": ("deliver_by", "buyer_id", lambda stripe: factories.funded(stripe)),
    "inspectBy": ("inspect_by", "seller_id", lambda stripe: factories.delivered(stripe)),
}


def extend(aws: Platform, escrow: Escrow, deadline: str, until: dt.datetime, user: Any = None, **more: Any) -> Answer:
    """Whom it protects (or somebody else) gives more time."""
    who = user or getattr(escrow, DEADLINES[deadline][1])
    body = {"deadline": deadline, "until": now.iso(until)}
    return aws.call("extend_deadline", who, body, escrow_id=escrow.id, **more)


@pytest.mark.parametrize("deadline", [*DEADLINES])
def test_moves_it_on_and_nothing_else(aws: Platform, stripe: StripeDouble, wire: Wire, deadline: str) -> None:
    field, side, begin = DEADLINES[deadline]
    escrow = begin(stripe)
    old = getattr(escrow, field)
    before = aws.rows()
    wire.calls.clear()
    for who in (escrow.buyer_id, escrow.seller_id):
        assert ("extend_deadline" in seen(aws, escrow, who)["allowedActions"]) == (who == getattr(escrow, side))
    wire.calls.clear()

    answer = extend(aws, escrow, deadline, old + DAY)

    assert (answer.status, wire.round_trips()) == (200, 2)
    assert now.parse(answer.body[deadline]) == old + DAY
    assert same_but(before, aws.rows()) == {"Escrow", "AuditEntry"}
    after = row(escrow)
    assert (getattr(after, field), after.status) == (old + DAY, escrow.status)
    assert after.next_look is not None
    others = {name for name, *_ in DEADLINES.values()} - {field}
    assert all(getattr(after, name) == getattr(escrow, name) for name in others)
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.details) == ("extend_deadline", {"deadline": deadline, "until": now.iso(old + DAY)})


@pytest.mark.parametrize("deadline", [*DEADLINES])
def test_never_earlier_and_thirty_days_in_all(aws: Platform, stripe: StripeDouble, deadline: str) -> None:
    field, side, begin = DEADLINES[deadline]
    escrow = begin(stripe)
    old, who, path = getattr(escrow, field), getattr(escrow, side), {"escrow_id": escrow.id}
    for wrong in (old, old - DAY, old - 300 * DAY):
        body = {"deadline": deadline, "until": now.iso(wrong)}
        refused(aws, 422, "DEADLINE_NOT_LATER", "extend_deadline", who, body, **path)
    second, hour = dt.timedelta(seconds=1), dt.timedelta(hours=1)
    body = {"deadline": deadline, "until": now.iso(old + hour - second)}  # nobody fills the audit path so
    refused(aws, 422, "EXTENSION_TOO_SHORT", "extend_deadline", who, body, **path)
    assert extend(aws, escrow, deadline, old + hour).status == 200
    body = {"deadline": deadline, "until": now.iso(old + 30 * DAY + second)}
    refused(aws, 422, "EXTENSION_LIMIT", "extend_deadline", who, body, **path)
    for days in (10, 20, 30):
        assert extend(aws, escrow, deadline, old + days * DAY).status == 200
    body = {"deadline": deadline, "until": now.iso(old + 30 * DAY + second)}
    refused(aws, 422, "EXTENSION_LIMIT", "extend_deadline", who, body, **path)
    assert "extend_deadline" not in seen(aws, escrow, who)["allowedActions"]


@pytest.mark.parametrize("deadline", [*DEADLINES])
def test_is_for_the_party_it_protects(aws: Platform, stripe: StripeDouble, deadline: str) -> None:
    field, side, begin = DEADLINES[deadline]
    escrow = begin(stripe)
    until = getattr(escrow, field) + DAY
    (other,) = {escrow.buyer_id, escrow.seller_id} - {getattr(escrow, side)}
    body = {"deadline": deadline, "until": now.iso(until)}
    refused(aws, 403, "FORBIDDEN", "extend_deadline", other, body, escrow_id=escrow.id)
    hidden(aws, "extend_deadline", escrow, getattr(escrow, side), body)
    refused(
        aws, 412, "VERSION_MISMATCH", "extend_deadline", getattr(escrow, side), body, escrow_id=escrow.id,
        headers={"If-Match": '"1"'},
    )  # fmt: skip


def test_only_the_deadline_that_counts(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    until = {"until": now.iso(escrow.inspect_by + DAY)}
    for deadline in ("fundBy", "deliverBy"):
        who = getattr(escrow, DEADLINES[deadline][1])
        body = {"deadline": deadline} | until
        problem = refused(aws, 409, "INVALID_STATE", "extend_deadline", who, body, escrow_id=escrow.id).body
        assert problem["currentStatus"] == "DELIVERED"
    for status in sorted(set(EscrowStatus) - {"AWAIT_FUNDS", "FUNDS_HELD", "DELIVERED"}):
        changed(escrow, status=status)
        body = {"deadline": "inspectBy"} | until
        refused(aws, 409, "INVALID_STATE", "extend_deadline", escrow.seller_id, body, escrow_id=escrow.id)
        assert "extend_deadline" not in seen(aws, escrow, escrow.seller_id)["allowedActions"]


def test_refuses_what_is_no_deadline_and_no_moment(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    good = {"deadline": "deliverBy", "until": now.iso(escrow.deliver_by + DAY)}
    bad = [good | {"deadline": wrong} for wrong in ("signBy", "deliver_by", "", None, 1)]
    bad += [good | {"until": wrong} for wrong in ("tomorrow", "2030-01-01", 1_900_000_000, None)]
    bad += [{"deadline": "deliverBy"}, {"until": good["until"]}, good | {"more": 1}, {}]
    turned_away(aws, "extend_deadline", escrow.buyer_id, bad, escrow_id=escrow.id)


def test_one_that_has_passed_unseen_is_extended_into_the_future_alone(
    aws: Platform, stripe: StripeDouble, clock: Clock
) -> None:
    escrow = factories.funded(stripe)
    clock.advance(days=8)
    body = {"deadline": "deliverBy", "until": now.iso(escrow.deliver_by + DAY / 24)}
    refused(aws, 422, "DEADLINE_NOT_LATER", "extend_deadline", escrow.buyer_id, body, escrow_id=escrow.id)
    assert extend(aws, escrow, "deliverBy", escrow.deliver_by + 3 * DAY).status == 200
    aws.invoke("enforce_escrow_deadlines", {})
    assert row(escrow).status == "FUNDS_HELD"


def test_the_warning_comes_again_before_the_new_deadline(aws: Platform, stripe: StripeDouble, clock: Clock) -> None:
    escrow = factories.delivered(stripe)
    clock.moment = escrow.inspect_by - DAY / 2
    aws.invoke("enforce_escrow_deadlines", {})
    assert row(escrow).warned_at is not None
    assert extend(aws, escrow, "inspectBy", escrow.inspect_by + 5 * DAY).status == 200
    after = row(escrow)
    assert (after.warned_at, after.next_look) == (None, escrow.inspect_by + 4 * DAY)


def test_on_chain_the_vaults_term_stays_far_away(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.held(aws, chain)
    term = dt.datetime.fromtimestamp(chains.vault_row(escrow).terms["reclaimAfter"], dt.UTC)
    last = term - dt.timedelta(days=60, seconds=escrow.inspect_seconds)
    changed(escrow, deliver_by=last - 10 * DAY)
    body = {"deadline": "deliverBy", "until": now.iso(last + dt.timedelta(seconds=1))}
    refused(aws, 422, "TERM_TOO_NEAR", "extend_deadline", escrow.buyer_id, body, escrow_id=escrow.id)
    assert extend(aws, escrow, "deliverBy", last).status == 200
    assert escrows.row(escrow).deliver_by == last
    assert "extend_deadline" not in seen(aws, escrow, escrow.buyer_id)["allowedActions"]


def test_by_card_the_last_deadline_stays_before_the_limit_of_holding(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts(2_500, 2_500, 2_500, 2_500))
    last = escrow.paid_at + 80 * DAY - dt.timedelta(seconds=4 * escrow.inspect_seconds + 3 * escrow.deliver_seconds)
    body = {"deadline": "deliverBy", "until": now.iso(last + dt.timedelta(seconds=1))}
    refused(aws, 422, "HELD_TOO_LONG", "extend_deadline", escrow.buyer_id, body, escrow_id=escrow.id)
    assert extend(aws, escrow, "deliverBy", last).status == 200
    assert "extend_deadline" not in seen(aws, escrow, escrow.buyer_id)["allowedActions"]
