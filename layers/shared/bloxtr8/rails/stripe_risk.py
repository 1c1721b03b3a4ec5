"""What tells of a card payment that is in doubt, or went back by no order of ours (rail-stripe.md, Webhooks). It only
reads."""

from stripe import StripeClient

from bloxtr8.rails.base import Doubt, RefundSeen
from bloxtr8.rails.stripe_client import id_of
from bloxtr8.rails.stripe_errors import translated
from bloxtr8.rails.stripe_legs import refund_status

APPROVED = "approved"


def warning(client: StripeClient, warning_id: str) -> Doubt:
    """An early fraud warning: the issuer has no way of taking it back, so nothing but a person clears it."""
    with translated():
        found = client.v1.radar.early_fraud_warnings.retrieve(warning_id)
    about = _named(found.payment_intent, found.charge)
    return Doubt(cause=f"warning:{found.id}", payment_ids=about, stands=True, cleared=False)


def review(client: StripeClient, review_id: str) -> Doubt:
    """A review of Radar. One that ended in anything but an approval clears nothing: its refund or dispute comes with
    events of its own."""
    with translated():
        found = client.v1.reviews.retrieve(review_id)
    cleared = not found.open and found.closed_reason == APPROVED
    about = _named(found.payment_intent, found.charge)
    return Doubt(cause=f"review:{found.id}", payment_ids=about, stands=found.open, cleared=cleared)


def refund(client: StripeClient, refund_id: str) -> RefundSeen:
    """A refund as Stripe has it now."""
    with translated():
        found = client.v1.refunds.retrieve(refund_id)
    return RefundSeen(
        external_id=found.id,
        funding_id=id_of(found.payment_intent),
        amount=found.amount,
        currency=found.currency.upper(),
        status=refund_status(found),
    )


def refunded(client: StripeClient, charge_id: str) -> int:
    """`amount_refunded` of a charge, in cents."""
    with translated():
        return client.v1.charges.retrieve(charge_id).amount_refunded


def _named(*things: object) -> tuple[str, ...]:
    return tuple(name for name in map(id_of, things) if name)
