"""A platform for the tests of the double: a double, or Stripe's own sandbox, and a client of it."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import stripe

from local.doubles.stripe import StripeDouble
from local.doubles.web import serve

EXPRESS = {
    "fees": {"payer": "application"},
    "losses": {"payments": "application"},
    "stripe_dashboard": {"type": "express"},
}


@dataclass
class Platform:
    """What the tests do again and again. `group` is the escrow's name at Stripe."""

    client: stripe.StripeClient
    group: str = field(default_factory=lambda: f"esc_{uuid.uuid4().hex}")

    def params(self, **changes: Any) -> Any:
        """Of a PaymentIntent as the platform makes it."""
        made = {
            "amount": 10_000,
            "currency": "usd",
            "transfer_group": self.group,
            "metadata": {"escrowId": self.group},
            "allowed_payment_method_types": ["card"],
        }
        return made | changes

    def open(self, key: str | None = None, **changes: Any) -> stripe.PaymentIntent:
        options: Any = {"idempotency_key": key} if key else {}
        return self.client.v1.payment_intents.create(self.params(**changes), options)

    def pay(self, card: str = "pm_card_visa", **changes: Any) -> stripe.PaymentIntent:
        return self.client.v1.payment_intents.confirm(self.open(**changes).id, {"payment_method": card})

    def seller(self) -> str:
        """A connected account whose owner has not been asked anything yet."""
        params: Any = {
            "country": "US",
            "capabilities": {"transfers": {"requested": True}},
            "controller": EXPRESS,
            "metadata": {"userId": "usr_1"},
        }
        return self.client.v1.accounts.create(params).id

    def transfer(self, source: str | None, destination: str, amount: int, key: str | None = None) -> stripe.Transfer:
        params: Any = {
            "amount": amount,
            "currency": "usd",
            "destination": destination,
            "transfer_group": self.group,
            "metadata": {"opId": key or "op"},
        }
        if source:
            params["source_transaction"] = source
        return self.client.v1.transfers.create(params, {"idempotency_key": key} if key else {})

    def refund(self, intent: stripe.PaymentIntent, **more: Any) -> stripe.Refund:
        params: Any = {"payment_intent": intent.id, **more}
        return self.client.v1.refunds.create(params)


def in_process(double: StripeDouble) -> Platform:
    return Platform(stripe.StripeClient("sk_test_1", http_client=double.http_client(), max_network_retries=2))


@contextmanager
def over_http(double: StripeDouble) -> Iterator[Platform]:
    with serve(double.wsgi) as base:
        client = stripe.StripeClient("sk_test_1", base_addresses={"api": base}, max_network_retries=2)
        yield Platform(client)


def sandbox() -> Platform:
    """Stripe itself, with the operator's own test key."""
    return Platform(stripe.StripeClient(os.environ["STRIPE_TEST_KEY"], max_network_retries=2))
