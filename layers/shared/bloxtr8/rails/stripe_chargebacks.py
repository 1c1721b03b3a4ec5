"""Disputes of Stripe: the payer's bank takes a payment back, or asks whether it may (rail-stripe.md). It only reads.

Stripe debits the platform when a dispute opens, by its amount and a fee, and credits the amount where it is won; an
inquiry (`warning_*`) debits nothing (https://docs.stripe.com/disputes/how-disputes-work,
https://docs.stripe.com/disputes/connect).
"""

from stripe import Dispute, StripeClient

from bloxtr8.rails.base import ChargebackSeen, Claim
from bloxtr8.rails.stripe_client import id_of
from bloxtr8.rails.stripe_errors import refuse, translated

PAGE = 100
CLAIMS = {
    "warning_needs_response": Claim.INQUIRY,
    "warning_under_review": Claim.INQUIRY,
    "warning_closed": Claim.WON,
    "needs_response": Claim.OPEN,
    "under_review": Claim.OPEN,
    "won": Claim.WON,
    "lost": Claim.LOST,
}


def chargeback(client: StripeClient, dispute_id: str) -> ChargebackSeen:
    """A dispute as Stripe has it now."""
    with translated():
        return _seen(client.v1.disputes.retrieve(dispute_id))


def chargebacks(client: StripeClient, intent_id: str) -> tuple[ChargebackSeen, ...]:
    """All disputes of a PaymentIntent."""
    with translated():
        found = client.v1.disputes.list({"payment_intent": intent_id, "limit": PAGE})
        return tuple(_seen(dispute) for dispute in found.auto_paging_iter())


def _seen(dispute: Dispute) -> ChargebackSeen:
    charge_id, intent_id = id_of(dispute.charge), id_of(dispute.payment_intent)
    if any(row.currency != dispute.currency for row in dispute.balance_transactions):
        refuse(f"{dispute.id} is settled in another currency")
    return ChargebackSeen(
        external_id=dispute.id,
        charge_id=charge_id,
        payment_ids=tuple(name for name in (intent_id, charge_id) if name),
        claim=_claim(dispute),
        amount=dispute.amount,
        fee=sum(row.fee for row in dispute.balance_transactions),
        currency=dispute.currency.upper(),
        reason=dispute.reason,
        returned=max(0, dispute.amount - _taken(dispute)) if dispute.balance_transactions else 0,
    )


def _claim(dispute: Dispute) -> Claim:
    """A status that nobody knows yet holds the money, as an open one does; `prevented` is what its money says."""
    if dispute.status == "prevented":
        return Claim.LOST if _taken(dispute) > 0 else Claim.WON
    return CLAIMS.get(dispute.status, Claim.OPEN)


def _taken(dispute: Dispute) -> int:
    """What the bank has now: what it gave back is a line of its own."""
    return -sum(row.amount for row in dispute.balance_transactions)
