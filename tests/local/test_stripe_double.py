"""The double of Stripe, driven by Stripe's own SDK: in process, and over loopback HTTP."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import stripe
from werkzeug.serving import make_server

from local.doubles.stripe import StripeDouble

EXPRESS = {
    "fees": {"payer": "application"},
    "losses": {"payments": "application"},
    "stripe_dashboard": {"type": "express"},
}


@dataclass
class Platform:
    """A double and a client of it."""

    double: StripeDouble
    client: stripe.StripeClient

    def pay(self, amount: int = 10_000, card: str = "pm_card_visa", escrow: str = "esc_1") -> stripe.PaymentIntent:
        """A PaymentIntent as the platform makes it, confirmed by its buyer."""
        intent = self.client.v1.payment_intents.create(intent_params(amount, escrow))
        return self.client.v1.payment_intents.confirm(intent.id, {"payment_method": card})

    def seller(self, ready: bool = True) -> str:
        """A connected account."""
        account = self.client.v1.accounts.create(
            {"country": "US", "capabilities": {"transfers": {"requested": True}}, "controller": EXPRESS}  # type: ignore[typeddict-item]
        )
        if ready:
            self.double.onboard(account.id)
        return account.id

    def transfer(self, intent: stripe.PaymentIntent, seller: str, amount: int) -> stripe.Transfer:
        return self.client.v1.transfers.create(
            {
                "amount": amount,
                "currency": "usd",
                "destination": seller,
                "source_transaction": str(intent.latest_charge),
                "transfer_group": "esc_1",
            }
        )


def intent_params(amount: int = 10_000, escrow: str = "esc_1") -> Any:
    return {
        "amount": amount,
        "currency": "usd",
        "transfer_group": escrow,
        "metadata": {"escrowId": escrow},
        "allowed_payment_method_types": ["card"],
    }


@pytest.fixture(params=["in process", "http"])
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    double = StripeDouble()
    if request.param == "in process":
        client = stripe.StripeClient("sk_test_1", http_client=double.http_client(), max_network_retries=2)
        yield Platform(double, client)
    else:
        server = make_server("127.0.0.1", 0, double.wsgi, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        client = stripe.StripeClient(
            "sk_test_1", base_addresses={"api": f"http://127.0.0.1:{server.port}"}, max_network_retries=2
        )
        yield Platform(double, client)
        server.shutdown()
        server.server_close()
        thread.join()
    assert double.ledger_sum() == 0


def test_a_payment_goes_to_the_seller_in_parts(platform: Platform) -> None:
    seller, intent = platform.seller(), platform.pay()
    assert (intent.status, intent.amount_received) == ("succeeded", 10_000)
    for amount in (4_000, 5_500):
        platform.transfer(intent, seller, amount)
    with pytest.raises(stripe.InvalidRequestError, match="must not exceed the source amount"):
        platform.transfer(intent, seller, 501)
    assert platform.double.balance() == {"available": 0, "pending": 180}
    platform.double.advance(days=2)
    assert platform.double.balance() == {"available": 180, "pending": 0}
    assert platform.double.balance(seller) == {"available": 9_500, "pending": 0}
