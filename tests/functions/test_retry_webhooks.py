"""Events that were not processed are tried again; after ten failures a person is told."""

import datetime as dt

import pytest

from bloxtr8 import table
from bloxtr8.entities import WebhookEvent, WebhookStatus
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions.webhooks import Machines, alarms, event, row_of, sent_by, stored
from tests.wire import Wire


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


@pytest.fixture
def paid(aws: Platform, stripe: StripeDouble, machines: Machines) -> WebhookEvent:
    """A stored payment that nobody looked at yet."""
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    (sent,) = sent_by(stripe, "payment_intent.succeeded")
    return stored(aws, sent)


def read(row: WebhookEvent) -> WebhookEvent:
    return table.get(WebhookEvent, provider=row.provider, account=row.account, event_id=row.event_id)


def test_processes_what_the_stream_lost(aws: Platform, paid: WebhookEvent) -> None:
    aws.invoke("retry_webhooks")

    row = read(paid)
    assert (row.status, row.gsi3pk) == (WebhookStatus.PROCESSED, None)
    (deposit,) = [one for one in aws.rows() if one["type"]["S"] == "Deposit"]
    assert deposit["ref"]["S"].startswith("ch_")


def test_nothing_due_is_nothing_done(aws: Platform, machines: Machines) -> None:
    stored(aws, sent := event("customer.updated", {"id": "cus_1"}))
    aws.invoke("retry_webhooks")
    assert row_of(sent).status is WebhookStatus.PROCESSED
    before = aws.rows()

    aws.invoke("retry_webhooks")

    assert aws.rows() == before


def test_after_ten_failures_it_is_dead_and_a_person_is_told(
    aws: Platform, stripe: StripeDouble, paid: WebhookEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripe.fault("503", "get", "", None)
    told = alarms(monkeypatch)

    for attempt in range(1, 10):
        aws.invoke("retry_webhooks")
        aws.invoke("retry_webhooks")  # too early
        row = read(paid)
        assert (row.status, row.attempts, row.error) == (WebhookStatus.FAILED, attempt, "RailOutcomeUnknown")
        aws.clock.advance(seconds=min(120 * 2**attempt, 3600))
    assert told == []
    assert aws.clock.now() - paid.received_at > dt.timedelta(hours=6)  # an outage of an afternoon kills no event
    aws.invoke("retry_webhooks")

    row = read(paid)
    assert (row.status, row.attempts, row.gsi3pk) == (WebhookStatus.DEAD, 10, None)
    [(message, extra)] = told
    assert (message, extra["event"], extra["dead"]) == ("webhook event failed", row.id, True)
    stripe.clear_faults()
    aws.invoke("retry_webhooks")
    assert (read(paid).status, read(paid).version) == (WebhookStatus.DEAD, row.version)


def test_one_that_fails_stops_no_other(aws: Platform, stripe: StripeDouble, paid: WebhookEvent) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    other = stored(aws, sent_by(stripe, "payment_intent.succeeded")[-1])
    rails = {row["escrow_id"]["S"]: row["external_id"]["S"] for row in aws.rows() if row["SK"]["S"] == "RAIL"}
    (broken,) = [intent for escrow_id, intent in rails.items() if escrow_id != escrow.id]
    stripe.fault("503", "get", broken, None)

    aws.invoke("retry_webhooks")

    assert (read(paid).status, read(other).status) == (WebhookStatus.FAILED, WebhookStatus.PROCESSED)


def test_a_row_that_can_not_even_be_read_stops_no_other(
    aws: Platform, paid: WebhookEvent, machines: Machines, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    other = stored(aws, event("customer.updated", {"id": "cus_1"}))
    wire.lose("GetItem", done=False)

    aws.invoke("retry_webhooks")

    assert (read(paid).status, read(other).status) == (WebhookStatus.RECEIVED, WebhookStatus.PROCESSED)
    assert told == [("a row could not be processed", {"row": paid.id})]
