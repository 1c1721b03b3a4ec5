"""People at Stripe: the buyer's customer, the seller's Express account. Ids only; what a person tells Stripe stays
there."""

import datetime as dt
from dataclasses import dataclass

from stripe import Account, StripeClient

from bloxtr8.rails import stripe_client
from bloxtr8.rails.stripe_client import OPERATION, USER
from bloxtr8.rails.stripe_errors import past_stored_failure, translated


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatus:
    """Whether a seller can be paid. `requirements` are Stripe's names of what it still wants to know."""

    ready: bool  # the transfers capability is active and payouts are enabled
    payouts_enabled: bool
    requirements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingLink:
    """Where the seller finishes the account: once, within minutes."""

    url: str
    expires_at: dt.datetime


def ensure_customer(user_id: str, op: str | None = None, *, client: StripeClient | None = None) -> str:
    """The id of the user's customer; store it and don't ask again. `op` is the key, by default `user:{id}:customer`."""
    stripe_api, operation = client or stripe_client.client(), op or f"user:{user_id}:customer"
    with translated():
        return past_stored_failure(
            lambda key: stripe_api.v1.customers.create(
                {"metadata": {USER: user_id, OPERATION: operation}}, {"idempotency_key": key}
            ),
            operation,
        ).id


def open_account(user_id: str, country: str, key: str | None = None, *, client: StripeClient | None = None) -> str:
    """The id of a new Express account for the seller; store it. `country` is ISO 3166 alpha-2; `key` by default
    `user:{id}:account`. Raises RailBug where Stripe does not open accounts in that country."""
    stripe_api, operation = client or stripe_client.client(), key or f"user:{user_id}:account"
    with translated():
        return past_stored_failure(
            lambda spare: stripe_api.v1.accounts.create(
                {
                    "country": country.upper(),
                    "capabilities": {"transfers": {"requested": True}},
                    "controller": {
                        "stripe_dashboard": {"type": "express"},
                        "fees": {"payer": "application"},
                        "losses": {"payments": "application"},
                        "requirement_collection": "stripe",
                    },
                    "metadata": {USER: user_id, OPERATION: operation},
                },
                {"idempotency_key": spare},
            ),
            operation,
        ).id


def onboarding_link(
    account_id: str, refresh_url: str, return_url: str, *, client: StripeClient | None = None
) -> OnboardingLink:
    """A new link to Stripe's own pages; never stored. The seller comes back to `return_url`, an expired link to
    `refresh_url`."""
    stripe_api = client or stripe_client.client()
    with translated():
        link = stripe_api.v1.account_links.create(
            {
                "account": account_id,
                "type": "account_onboarding",
                "refresh_url": refresh_url,
                "return_url": return_url,
            }
        )
    return OnboardingLink(url=link.url, expires_at=dt.datetime.fromtimestamp(link.expires_at, dt.UTC))


def account_status(account_id: str, *, client: StripeClient | None = None) -> AccountStatus:
    """What Stripe says of the account now. Raises SellerNotReady where it is closed or no longer ours."""
    stripe_api = client or stripe_client.client()
    with translated():
        account = stripe_api.v1.accounts.retrieve(account_id)
    payouts_enabled = bool(account.payouts_enabled)
    return AccountStatus(
        ready=payouts_enabled and _transfers(account) == "active",
        payouts_enabled=payouts_enabled,
        requirements=tuple(account.requirements.currently_due or ()) if account.requirements else (),
    )


def _transfers(account: Account) -> str | None:
    return getattr(account.capabilities, "transfers", None)
