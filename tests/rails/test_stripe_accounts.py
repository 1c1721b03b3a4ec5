"""The seller's account and the buyer's customer, against the double."""

import datetime as dt

import pytest

from bloxtr8.rails import stripe_accounts, stripe_client
from bloxtr8.rails.base import RailOutcomeUnknown, SellerNotReady
from tests.rails.bench_stripe import StripeBench

SELLER = "usr_01JDCZ0000000000000000000E"


def test_opens_one_express_account_that_can_only_receive(cards: StripeBench) -> None:
    first = stripe_accounts.open_account(SELLER, "de", client=cards.client)
    assert stripe_accounts.open_account(SELLER, "de", client=cards.client) == first
    account = cards.client.v1.accounts.retrieve(first)
    assert account.country == "DE"
    assert account.capabilities
    assert account.capabilities.to_dict() == {"transfers": "inactive"}
    assert account.controller
    assert account.controller.stripe_dashboard
    assert account.controller.stripe_dashboard.type == "express"
    assert cards.calls("POST", "/v1/accounts") == [f"user:{SELLER}:account"] * 2


def test_opens_under_the_key_it_is_given(cards: StripeBench) -> None:
    stripe_accounts.open_account(SELLER, "US", "user:x:account:2", client=cards.client)
    assert cards.calls("POST", "/v1/accounts") == ["user:x:account:2"]


def test_a_stored_failure_does_not_lock_a_seller_out(cards: StripeBench) -> None:
    cards.double.fault("500_after", "post", "/v1/accounts$")
    with pytest.raises(RailOutcomeUnknown):
        stripe_accounts.open_account(SELLER, "US", client=cards.client)
    account = stripe_accounts.open_account(SELLER, "US", client=cards.client)
    assert stripe_accounts.open_account(SELLER, "US", client=cards.client) == account


def test_is_ready_when_transfers_are_active_and_payouts_enabled(cards: StripeBench) -> None:
    account = cards.payee(ready=False)
    before = stripe_accounts.account_status(account, client=cards.client)
    assert (before.ready, before.payouts_enabled) == (False, False)
    assert "external_account" in before.requirements
    cards.make_ready(account)
    after = stripe_accounts.account_status(account, client=cards.client)
    assert (after.ready, after.payouts_enabled, after.requirements) == (True, True, ())


def test_is_not_ready_with_payouts_but_without_the_capability(cards: StripeBench) -> None:
    account = cards.payee(ready=True)
    cards.client.v1.accounts.update(account, {"capabilities": {"transfers": {"requested": False}}})
    status = stripe_accounts.account_status(account, client=cards.client)
    assert (status.ready, status.payouts_enabled) == (False, True)


def test_links_to_stripes_own_pages_anew_each_time(cards: StripeBench) -> None:
    account = cards.payee(ready=False)
    ask = [
        stripe_accounts.onboarding_link(
            account, "https://x.example/again", "https://x.example/done", client=cards.client
        )
        for _ in range(2)
    ]
    assert ask[0].url != ask[1].url
    assert all(link.url.startswith("https://") for link in ask)
    assert dt.timedelta(0) < ask[0].expires_at - cards.now() < dt.timedelta(hours=1)


def test_an_account_that_is_closed_or_not_ours_is_a_seller_who_is_not_ready(cards: StripeBench) -> None:
    with pytest.raises(SellerNotReady):
        stripe_accounts.account_status("acct_gone", client=cards.client)
    assert cards.rail.destination_ready("acct_gone") is False


def test_the_house_client_is_the_default(cards: StripeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_client, "client", lambda: cards.client)
    account = stripe_accounts.open_account(SELLER, "US")
    assert stripe_accounts.account_status(account).ready is False
    assert stripe_accounts.onboarding_link(account, "https://x.example/a", "https://x.example/b").url
    assert stripe_accounts.ensure_customer(SELLER, f"user:{SELLER}:customer").startswith("cus_")
