"""The card rail: Stripe Connect, separate charges and transfers (rail-stripe.md)."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from stripe import StripeClient

from bloxtr8.rails import (
    stripe_accounts,
    stripe_books,
    stripe_chargebacks,
    stripe_client,
    stripe_funding,
    stripe_legs,
    stripe_risk,
)
from bloxtr8.rails.base import (
    CardBooks,
    ChargebackSeen,
    Doubt,
    Funding,
    LegOrder,
    LegOutcome,
    Look,
    Opened,
    PaymentInstructions,
    RefundSeen,
    SellerNotReady,
)


class StripeRail:
    """`rails.get("STRIPE")`. The methods are those of `Rail`, where they are described."""

    name: ClassVar[str] = "STRIPE"

    def __init__(self, client: StripeClient | None = None) -> None:
        self._client = client or stripe_client.client()

    def open(self, funding: Funding) -> Opened:
        return stripe_funding.open_intent(self._client, funding)

    def payment(self, funding: Funding) -> PaymentInstructions:
        return stripe_funding.instructions(self._client, funding)

    def look(self, funding: Funding) -> Look:
        return stripe_funding.look(self._client, funding)

    def close(self, funding: Funding) -> Look:
        return stripe_funding.close(self._client, funding)

    def send(self, order: LegOrder) -> LegOutcome:
        return stripe_legs.send(self._client, order)

    def find(self, order: LegOrder) -> LegOutcome | None:
        return stripe_legs.find(self._client, order)

    def destination_ready(self, destination: str) -> bool:
        try:
            return stripe_accounts.account_status(destination, client=self._client).ready
        except SellerNotReady:
            return False

    def warning(self, warning_id: str) -> Doubt:
        return stripe_risk.warning(self._client, warning_id)

    def review(self, review_id: str) -> Doubt:
        return stripe_risk.review(self._client, review_id)

    def chargeback(self, chargeback_id: str) -> ChargebackSeen:
        return stripe_chargebacks.chargeback(self._client, chargeback_id)

    def chargebacks(self, funding_id: str) -> tuple[ChargebackSeen, ...]:
        return stripe_chargebacks.chargebacks(self._client, funding_id)

    def refund(self, refund_id: str) -> RefundSeen:
        return stripe_risk.refund(self._client, refund_id)

    def refunded(self, charge_id: str) -> int:
        return stripe_risk.refunded(self._client, charge_id)

    def books(self, funding_id: str, escrow_id: str) -> CardBooks:
        return stripe_books.books(self._client, funding_id, escrow_id)

    def balance(self) -> Mapping[str, int]:
        return stripe_books.balance(self._client)

    def events(self, since: dt.datetime, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return stripe_books.events(self._client, since, after)
