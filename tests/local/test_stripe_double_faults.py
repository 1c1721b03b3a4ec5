"""Bad luck with the double of Stripe: lost answers, stored errors, keys used twice at once."""

import threading
from typing import Any

import pytest
import stripe

from local.doubles.stripe import StripeDouble
from tests.local.stripe_platform import Platform, in_process, over_http

KEY = "esc_1:open:1"


@pytest.fixture
def double() -> StripeDouble:
    return StripeDouble()


@pytest.fixture
def platform(double: StripeDouble) -> Platform:
    return in_process(double)


def made(platform: Platform) -> int:
    """How many PaymentIntents exist."""
    return len(platform.client.v1.payment_intents.list().data)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "409", "503"])
def test_the_sdk_tries_again_and_makes_one(double: StripeDouble, platform: Platform, kind: str) -> None:
    double.fault(kind, path="payment_intents$", times=1)
    platform.open(KEY)
    assert made(platform) == 1
    assert [call.status for call in double.requests[:2]][0 if kind == "drop_after" else -1] in (None, 200)
    assert len([call for call in double.requests if call.method == "POST"]) == 2


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_dropped_connection_has_no_answer_over_http(double: StripeDouble, kind: str) -> None:
    with over_http(double) as platform:
        double.fault(kind, path="payment_intents$", times=3)
        with pytest.raises(stripe.APIConnectionError):
            platform.open(KEY)
        assert made(platform) == (1 if kind == "drop_after" else 0)
        assert platform.open(KEY).status == "requires_payment_method"
        assert made(platform) == 1


def test_429_is_not_tried_again_and_not_kept(double: StripeDouble, platform: Platform) -> None:
    double.fault("429", path="payment_intents")
    with pytest.raises(stripe.RateLimitError):
        platform.open(KEY)
    assert made(platform) == 0
    assert platform.open(KEY).status == "requires_payment_method"


def test_a_stored_500_is_replayed_for_a_day(double: StripeDouble, platform: Platform) -> None:
    double.fault("500_after", path="payment_intents$")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            platform.open(KEY)
    assert made(platform) == 1
    assert platform.client.v1.payment_intents.list().data[0].transfer_group == platform.group
    assert [call.replayed for call in double.requests if call.method == "POST"] == [False, True]


def test_a_key_is_forgotten_after_a_day(double: StripeDouble, platform: Platform) -> None:
    first = platform.open(KEY)
    double.advance(seconds=86_399)
    assert platform.open(KEY).id == first.id
    double.advance(seconds=1)
    assert platform.open(KEY).id != first.id


def test_a_key_in_use_is_409(platform: Platform) -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait(_: float) -> None:
        entered.set()
        leave.wait(10)

    double = StripeDouble(sleep=wait)
    client = stripe.StripeClient("sk_test_1", http_client=double.http_client())
    slow = Platform(client, platform.group)
    double.fault("slow", path="payment_intents$", seconds=1)
    results: list[str] = []
    thread = threading.Thread(target=lambda: results.append(slow.open(KEY).id))
    thread.start()
    assert entered.wait(10)
    with pytest.raises(stripe.APIError) as caught:
        slow.open(KEY)
    leave.set()
    thread.join()
    assert caught.value.http_status == 409
    assert caught.value.error is not None
    assert caught.value.error.code == "idempotency_key_in_use"
    assert slow.open(KEY).id == results[0]


def test_many_at_once_with_one_key_make_one(double: StripeDouble) -> None:
    with over_http(double) as platform:
        barrier, ids, group = threading.Barrier(8), set(), platform.group

        def go() -> None:
            client = stripe.StripeClient(
                "sk_test_1", base_addresses=platform.client._requestor.base_addresses, max_network_retries=5
            )
            barrier.wait()
            ids.add(Platform(client, group).open(KEY).id)

        threads = [threading.Thread(target=go) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ids) == 1
        assert made(platform) == 1


def test_many_transfers_at_once_never_exceed_the_charge(double: StripeDouble, platform: Platform) -> None:
    seller, paid = platform.seller(), platform.pay()
    double.onboard(seller)
    outcomes: list[str] = []

    def go() -> None:
        try:
            outcomes.append(platform.transfer(str(paid.latest_charge), seller, 3_000).id)
        except stripe.InvalidRequestError:
            outcomes.append("refused")

    threads = [threading.Thread(target=go) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("refused") == 9
    assert double.balance(seller) == {"available": 0, "pending": 9_000}
    assert double.ledger_sum() == 0


def test_a_key_has_at_most_255_characters(platform: Platform) -> None:
    assert platform.open("k" * 255).id
    with pytest.raises(stripe.InvalidRequestError):
        platform.open("k" * 256)


def test_faults_hit_what_they_name(double: StripeDouble, platform: Platform) -> None:
    double.fault("503", method="get", path="/payment_intents/", times=None)
    intent = platform.open()
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            platform.client.v1.payment_intents.retrieve(intent.id)
    double.clear_faults()
    assert platform.client.v1.payment_intents.retrieve(intent.id).id == intent.id


def test_faults_happen_in_the_order_they_were_planned(double: StripeDouble) -> None:
    client = stripe.StripeClient("sk_test_1", http_client=double.http_client())
    platform = Platform(client)
    double.fault("429")
    double.fault("503")
    for error in (stripe.RateLimitError, stripe.APIError):
        with pytest.raises(error):
            platform.open()
    assert platform.open().status == "requires_payment_method"


@pytest.mark.parametrize(
    "nonsense",
    [{"kind": "flood"}, {"kind": "503", "path": "("}, {"kind": "503", "times": 0}, {"kind": "slow", "seconds": -1}],
)
def test_nonsense_is_no_fault(double: StripeDouble, nonsense: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        double.fault(**nonsense)


def test_the_log_has_every_call_and_no_key(double: StripeDouble, platform: Platform) -> None:
    double.fault("drop_before", path="customers")
    platform.client.v1.customers.create({"metadata": {"userId": "usr_1"}}, {"idempotency_key": "user:usr_1:customer"})
    lost, answered = double.requests
    assert (lost.fault, lost.status) == ("drop_before", None)
    assert (answered.method, answered.path, answered.status) == ("POST", "/v1/customers", 200)
    assert answered.params == {"metadata[userId]": "usr_1"}
    assert answered.idempotency_key == "user:usr_1:customer"
    assert "sk_test" not in repr(double.requests)


def test_the_same_seed_makes_the_same_ids() -> None:
    def story(seed: int) -> list[str]:
        double = StripeDouble(seed=seed)
        in_process(double).pay()
        return [event["id"] for event in double.events]

    assert story(1) == story(1)
    assert not set(story(1)) & set(story(2))
