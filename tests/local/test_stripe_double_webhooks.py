"""The double's webhooks: signed as Stripe signs, kept until they are taken, and as unlucky as one wants."""

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import stripe
from werkzeug import Request, Response

from local.doubles.stripe import StripeDouble
from local.doubles.web import serve
from tests.local.stripe_platform import Platform, in_process

OLD, NEW = "whsec_old", "whsec_new"
PAID = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


class Receiver:
    """An endpoint that checks signatures as Stripe's SDK does, and answers what it is told."""

    def __init__(self, secret: str = NEW) -> None:
        self.secret, self.answer = secret, 200
        self.seen: list[stripe.Event] = []

    def __call__(self, body: bytes, headers: dict[str, str]) -> int:
        self.seen.append(stripe.Webhook.construct_event(body, headers["Stripe-Signature"], self.secret))
        return self.answer

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.seen]


@pytest.fixture
def double() -> StripeDouble:
    return StripeDouble()


@pytest.fixture
def platform(double: StripeDouble) -> Platform:
    return in_process(double)


@pytest.fixture
def receiver(double: StripeDouble) -> Receiver:
    made = Receiver()
    double.deliver_to(made, [NEW])
    return made


def test_events_are_what_stripe_sends(double: StripeDouble, platform: Platform, receiver: Receiver) -> None:
    paid = platform.pay()
    assert double.deliver() == []
    assert receiver.types == PAID
    event = receiver.seen[-1]
    assert (event.api_version, event.livemode, event.object) == ("2026-10-28.endive", False, "event")
    assert event.data.object["id"] == paid.id
    assert event.data.object["metadata"]["escrowId"] == platform.group
    assert platform.client.v1.events.retrieve(event.id).type == "payment_intent.succeeded"
    assert double.outbox == []
    assert double.deliver() == []
    assert len(receiver.seen) == 3


def test_an_event_is_a_snapshot(double: StripeDouble, platform: Platform, receiver: Receiver) -> None:
    platform.pay()
    double.deliver()
    created = receiver.seen[0]
    assert created.data.object["status"] == "requires_payment_method"


def test_two_secrets_while_they_are_rolled(double: StripeDouble, platform: Platform) -> None:
    before, after, stranger = Receiver(OLD), Receiver(NEW), Receiver("whsec_other")
    for receiver in (before, after, stranger):
        double.deliver_to(receiver, [OLD, NEW])
    platform.open()
    assert len(double.deliver()) == 1
    assert (before.types, after.types, stranger.types) == ([PAID[0]], [PAID[0]], [])


def test_a_signature_has_the_receivers_time() -> None:
    moment = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    double = StripeDouble(lambda: moment)
    headers: list[str] = []

    def receive(body: bytes, sent: dict[str, str]) -> int:
        headers.append(sent["Stripe-Signature"])
        return 200

    double.deliver_to(receive, [NEW])
    in_process(double).open()
    double.advance(days=30)
    double.deliver()
    assert headers[0].startswith(f"t={int(moment.timestamp())},v1=")


def test_what_is_not_taken_stays(double: StripeDouble, platform: Platform, receiver: Receiver) -> None:
    receiver.answer = 500
    platform.open()
    (failed,) = double.deliver()
    assert [(row["id"], row["attempts"], row["lastStatus"]) for row in double.outbox] == [(failed, 1, 500)]
    receiver.answer = 204
    assert double.deliver() == []
    assert double.outbox == []
    assert receiver.types == [PAID[0]] * 2


def test_a_receiver_that_dies_gets_it_again(double: StripeDouble, platform: Platform) -> None:
    lives = iter([False, True])

    def receive(body: bytes, headers: dict[str, str]) -> int:
        if not next(lives):
            raise RuntimeError("killed")
        return 200

    double.deliver_to(receive, [NEW])
    platform.open()
    assert len(double.deliver()) == 1
    assert double.deliver() == []


def test_every_endpoint_has_to_take_it(double: StripeDouble, platform: Platform, receiver: Receiver) -> None:
    second = Receiver()
    second.answer = 503
    double.deliver_to(second, [NEW])
    platform.open()
    assert len(double.deliver()) == 1
    second.answer = 200
    assert double.deliver() == []
    assert (len(receiver.seen), len(second.seen)) == (1, 2)


def test_duplicates_and_shuffles(double: StripeDouble, platform: Platform, receiver: Receiver) -> None:
    for _ in range(5):
        platform.pay()
    assert double.deliver(duplicate=20, shuffle=True) == []
    assert len(receiver.seen) == 15 * 20
    assert len({event.id for event in receiver.seen}) == 15
    assert receiver.types != PAID * 5 * 20


def test_the_policy_of_bad_luck(double: StripeDouble, platform: Platform, receiver: Receiver) -> None:
    double.webhook_policy(paused=True)
    platform.open()
    double.deliver()
    assert receiver.seen == []
    double.webhook_policy(paused=False, drop=1)
    assert len(double.deliver()) == 1
    assert receiver.seen == []
    double.webhook_policy(duplicate=2)
    assert double.deliver() == []
    assert receiver.types == [PAID[0]] * 2


def test_delayed_events_come_later(double: StripeDouble, platform: Platform, receiver: Receiver) -> None:
    double.webhook_policy(delay_seconds=60)
    platform.open()
    double.deliver()
    double.advance(seconds=59)
    double.deliver()
    assert receiver.seen == []
    double.advance(seconds=1)
    double.deliver()
    assert receiver.types == [PAID[0]]


def test_the_receiver_may_ask_the_double(double: StripeDouble, platform: Platform) -> None:
    statuses: list[str] = []

    def receive(body: bytes, headers: dict[str, str]) -> int:
        found = platform.client.v1.payment_intents.retrieve(json.loads(body)["data"]["object"]["id"])
        statuses.append(found.status)
        return 200

    double.deliver_to(receive, [NEW])
    platform.open()
    assert double.deliver() == []
    assert statuses == ["requires_payment_method"]


def test_accounts_tell_whose_event_it_is(double: StripeDouble, platform: Platform, receiver: Receiver) -> None:
    seller = platform.seller()
    double.onboard(seller)
    double.deliver()
    assert receiver.types == ["account.updated", "capability.updated", "account.updated"]
    assert {event.account for event in receiver.seen} == {seller}
    capability, account = receiver.seen[1].data.object, receiver.seen[2].data.object
    assert (capability["id"], capability["account"], capability["status"]) == ("transfers", seller, "active")
    assert (account["payouts_enabled"], account["capabilities"]["transfers"]) == (True, "active")


def test_an_endpoint_needs_a_secret(double: StripeDouble) -> None:
    for secrets in ([], ["secret"]):
        with pytest.raises(ValueError, match="whsec_"):
            double.deliver_to(Receiver(), secrets)


@pytest.fixture
def running(double: StripeDouble) -> Iterator[Receiver]:
    """A receiver behind HTTP, and the delivery in the background."""
    receiver = Receiver()

    @Request.application
    def app(request: Request) -> Response:
        return Response(status=receiver(request.get_data(), dict(request.headers)))

    with serve(app) as base:
        double.deliver_to(base + "/webhooks/stripe", [OLD, NEW])
        double.start_delivery()
        yield receiver
        double.stop()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_the_background_delivers_and_retries(double: StripeDouble, platform: Platform, running: Receiver) -> None:
    running.answer = 500
    paid = platform.pay("pm_card_bypassPending")
    until(lambda: len(running.seen) >= 3)
    running.answer = 200
    double.advance(seconds=60)
    until(lambda: double.outbox == [])
    refund = platform.refund(paid, amount=100)
    double.advance(seconds=5)
    until(lambda: "refund.updated" in running.types)
    assert platform.client.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_a_refund_succeeds_by_itself_in_the_background() -> None:
    double = StripeDouble(refund_seconds=1)
    receiver, done = Receiver(), threading.Event()
    double.deliver_to(lambda body, headers: receiver(body, headers) if not done.is_set() else 200, [NEW])
    platform = in_process(double)
    platform.refund(platform.pay("pm_card_bypassPending"))
    double.top_up(320)
    double.start_delivery()
    until(lambda: "refund.updated" in receiver.types)
    done.set()
    double.stop()


def test_nothing_runs_after_stop(double: StripeDouble) -> None:
    double.start_delivery()
    double.start_delivery()
    double.stop()
    double.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "webhooks"]
