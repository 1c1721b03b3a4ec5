"""Who opened it takes it back: the escrow is what it was, and every clock goes on where it stood (M67)."""

import datetime as dt

import pytest

from bloxtr8 import table
from bloxtr8.entities import Deals, Escrow, Hold, PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions.disputes import frozen, names, newest, opened, rejected, withdraw
from tests.functions.escrows import changed, confirm, delivery, paid_out, refund, row, settings, sound, staff
from tests.functions.offers import same_but
from tests.wire import Wire

HOURS = dt.timedelta(hours=1)


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.delivered(stripe)


@pytest.mark.parametrize(("made", "deadline"), [("funded", "deliver_by"), ("delivered", "inspect_by")])
def test_the_deadline_moves_by_the_time_that_stood_still(
    aws: Platform, stripe: StripeDouble, wire: Wire, made: str, deadline: str
) -> None:
    escrow = getattr(factories, made)(stripe)
    before = getattr(escrow, deadline)
    opened(aws, escrow)
    aws.clock.advance(days=10)
    rows, place = aws.rows(), names(escrow)
    wire.calls.clear()

    answer = aws.call("withdraw_dispute", escrow.buyer_id, **place)

    assert (answer.status, wire.round_trips()) == (200, 2)
    assert same_but(rows, aws.rows()) == {"Escrow", "Dispute", "AuditEntry"}
    after = row(escrow)
    assert frozen(escrow) == (str(escrow.status), set(), None)
    moved = getattr(after, deadline) - before
    assert dt.timedelta(0) <= moved - dt.timedelta(days=10) < dt.timedelta(seconds=1)
    assert after.next_look is not None
    assert (answer.body["status"], answer.body["outcome"], answer.body["allowedActions"]) == ("CLOSED", "WITHDRAWN", [])
    sound(aws, escrow)


def test_another_cause_keeps_the_clock_still(aws: Platform, escrow: Escrow) -> None:
    frozen_at = aws.clock.now()
    changed(
        escrow, frozen_causes=frozenset({Hold.RISK_REVIEW}), frozen_at=frozen_at, holds=frozenset({Hold.RISK_REVIEW})
    )
    opened(aws, escrow)
    withdraw(aws, escrow)
    after = row(escrow)
    assert (after.frozen_causes, after.frozen_at, after.inspect_by) == ({"RISK_REVIEW"}, frozen_at, escrow.inspect_by)


def test_what_was_rejected_is_to_be_delivered_again(aws: Platform, stripe: StripeDouble, escrow: Escrow) -> None:
    place = delivery(escrow).id
    aws.clock.advance(days=6, hours=23)
    rejected(aws, escrow)
    aws.clock.advance(days=9)

    assert withdraw(aws, escrow).status == 200

    after, again = row(escrow), delivery(escrow)
    assert (str(after.status), after.inspect_by, after.delivered_at, after.warned_at) == (
        "FUNDS_HELD",
        None,
        None,
        None,
    )
    assert (again.id, str(again.status), again.verification, again.delivered_at) == (place, "PENDING", None, None)
    assert after.deliver_by is not None
    assert after.deliver_by >= aws.clock.moment + 48 * HOURS - dt.timedelta(seconds=1)
    path = {"escrow_id": escrow.id, "delivery_id": place}
    assert aws.call("start_delivery", escrow.seller_id, {}, escrow_id=escrow.id).status == 200
    assert aws.call("mark_delivered", escrow.seller_id, **path).status == 200
    assert confirm(aws, escrow).status == 202
    paid_out(stripe, escrow)
    assert table.get(Deals, user_id=escrow.buyer_id).disputed == 0  # what was taken back counts for nobody


def test_a_buyer_who_was_warned_is_warned_of_the_new_deadline(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    aws.clock.advance(days=6)
    aws.invoke("enforce_escrow_deadlines")
    assert row(escrow).warned_at is not None
    changed(escrow, inspect_by=aws.clock.now() + dt.timedelta(days=3))
    opened(aws, escrow)
    withdraw(aws, escrow)
    assert row(escrow).warned_at is None


def test_a_long_time_to_deliver_is_kept(aws: Platform, escrow: Escrow, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(monkeypatch, redeliver_seconds=3600)
    rejected(aws, escrow)
    withdraw(aws, escrow)
    assert escrow.deliver_by is not None
    assert row(escrow).deliver_by >= escrow.deliver_by


def test_is_its_openers_alone(aws: Platform, escrow: Escrow) -> None:
    opened(aws, escrow)
    refused(aws, 403, "FORBIDDEN", "withdraw_dispute", escrow.seller_id, **names(escrow))
    for stranger in (factories.user(), staff(PlatformRole.ARBITER)):
        refused(aws, 404, "NOT_FOUND", "withdraw_dispute", stranger, **names(escrow))
    refused(aws, 404, "NOT_FOUND", "withdraw_dispute", escrow.buyer_id, escrow_id=escrow.id, dispute_id="dsp_1")
    stale = {"If-Match": f'"{newest(escrow).version + 1}"'}
    refused(aws, 412, "VERSION_MISMATCH", "withdraw_dispute", escrow.buyer_id, headers=stale, **names(escrow))


def test_what_the_system_opened_nobody_withdraws(aws: Platform, stripe: StripeDouble, escrow: Escrow) -> None:
    found = newest_of_system(aws, escrow)
    for user in (escrow.buyer_id, escrow.seller_id):
        refused(aws, 403, "FORBIDDEN", "withdraw_dispute", user, escrow_id=escrow.id, dispute_id=found)


def newest_of_system(aws: Platform, escrow: Escrow) -> str:
    """A dispute that the system opened, because the group is the seller's again."""
    _, roblox = factories._ground
    aws.clock.advance(days=6)
    aws.invoke("enforce_escrow_deadlines")
    roblox.set_group(escrow.asset_id, owner=escrow.seller_roblox_id)
    aws.clock.advance(days=1)
    aws.invoke("enforce_escrow_deadlines")
    return newest(escrow).id


def test_an_end_is_an_end(aws: Platform, escrow: Escrow) -> None:
    opened(aws, escrow)
    refund(aws, escrow)
    answer = refused(aws, 409, "INVALID_STATE", "withdraw_dispute", escrow.buyer_id, **names(escrow))
    assert answer.body["currentStatus"] == "CLOSED"
