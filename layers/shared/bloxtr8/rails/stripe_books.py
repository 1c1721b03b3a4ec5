"""Stripe's own books: of one escrow, of the platform, and every event of late (rail-stripe.md, Reconciliation). It only
reads."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from stripe import Refund, StripeClient, Transfer
from stripe.params import EventListParams

from bloxtr8.rails.base import CardBooks, LegStatus
from bloxtr8.rails.stripe_client import PAYMENT, metadata_of
from bloxtr8.rails.stripe_errors import refuse, translated
from bloxtr8.rails.stripe_legs import refund_status

PAGE = 100
CURRENCY = "usd"


def books(client: StripeClient, funding_id: str, escrow_id: str) -> CardBooks:
    """See `CardRail.books`. RailBug where the payment is another escrow's."""
    with translated():
        intent = client.v1.payment_intents.retrieve(funding_id)
        if metadata_of(intent).get(PAYMENT) != escrow_id:
            refuse(f"{intent.id} is not the payment of {escrow_id}")
        refunds: list[Refund] = list(
            client.v1.refunds.list({"payment_intent": funding_id, "limit": PAGE}).auto_paging_iter()
        )
        transfers: list[Transfer] = list(
            client.v1.transfers.list({"transfer_group": escrow_id, "limit": PAGE}).auto_paging_iter()
        )
        return CardBooks(
            received=intent.amount_received,
            refunded=_sum(refunds, LegStatus.CONFIRMED),
            refunding=_sum(refunds, LegStatus.SENT),
            transferred=sum(one.amount for one in transfers),
            reversed=sum(one.amount_reversed for one in transfers),
        )


def _sum(refunds: Iterable[Refund], status: LegStatus) -> int:
    return sum(one.amount for one in refunds if refund_status(one) is status)


def balance(client: StripeClient) -> dict[str, int]:
    """See `CardRail.balance`. What connected accounts owe us is not in it."""
    with translated():
        found = client.v1.balance.retrieve()
    return {
        "available": sum(one.amount for one in found.available if one.currency == CURRENCY),
        "pending": sum(one.amount for one in found.pending if one.currency == CURRENCY),
    }


def events(client: StripeClient, since: dt.datetime, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """See `CardRail.events`. Stripe keeps them for 30 days."""
    asked: EventListParams = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
    if after:
        asked["starting_after"] = after
    with translated():
        page = client.v1.events.list(asked)
        found = [one.to_dict() for one in page.data]
    return found, str(found[-1]["id"]) if found and page.has_more else None
