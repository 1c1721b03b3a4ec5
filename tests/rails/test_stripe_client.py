"""The client: which Stripe it talks to, how patiently, with which key."""

from pathlib import Path

import pytest
import stripe

from bloxtr8 import config, rails
from bloxtr8.rails import base, stripe_client
from bloxtr8.rails.stripe import StripeRail

LOCAL = "http://127.0.0.1:12111"


@pytest.fixture(autouse=True)
def fresh() -> None:
    stripe_client.build.cache_clear()


def test_talks_to_stripe_by_default() -> None:
    assert stripe_client.build("sk_live_1")._requestor.base_addresses["api"] == stripe_client.STRIPE_API
    assert stripe.DEFAULT_API_BASE == stripe_client.STRIPE_API


def test_talks_to_the_double_with_a_test_key() -> None:
    assert stripe_client.build("sk_test_1", LOCAL)._requestor.base_addresses["api"] == LOCAL


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1", "sk_1", ""])
def test_refuses_to_send_any_other_key_elsewhere(key: str) -> None:
    with pytest.raises(base.RailBug):
        stripe_client.build(key, LOCAL)


def test_gives_up_after_two_retries_and_eight_seconds() -> None:
    requestor = stripe_client.build("sk_test_1")._requestor
    assert requestor._options.max_network_retries == 2
    client = requestor._client
    assert isinstance(client, stripe.RequestsClient)
    assert client._timeout == (3, 8)


def test_writes_nothing_below_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stripe, "enable_telemetry", True)
    stripe_client.build("sk_test_1")
    assert stripe.enable_telemetry is False


def test_a_rotated_key_makes_a_new_client(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"apiKey": "sk_test_old"}
    monkeypatch.setattr(config, "secret", lambda name: {"stripe": keys}[name])
    first = stripe_client.client()
    assert stripe_client.client() is first
    keys["apiKey"] = "sk_test_new"
    assert stripe_client.client()._requestor.api_key == "sk_test_new"


def test_the_registry_makes_the_card_rail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "secret", lambda name: {"apiKey": "sk_test_1"})
    rail = rails.get("STRIPE")
    assert isinstance(rail, StripeRail)
    assert rail.name == "STRIPE"


def test_the_registry_refuses_an_unknown_name() -> None:
    with pytest.raises(KeyError):
        rails.get("PAYPAL")
