"""What to do about a payment in doubt (rail-stripe.md, Webhooks).

The provider is asked for each object: an event only names it. No doubt ever moves money; it stops it, and a person
looks. A review lifts its own hold by being approved; a fraud warning stays until decide_hold. What COMPLIANCE has
decided about holds nothing again, however often the provider tells of it.
"""

from collections.abc import Iterable

from bloxtr8 import clock, lookups, rails, reads, sagas, sent_back, settling, stopping, table
from bloxtr8.actors import Actor
from bloxtr8.domain import adoption, compliance, holds, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Hold, Leg
from bloxtr8.errors import NotFound
from bloxtr8.logs import logger
from bloxtr8.rails.base import Doubt


def warned(warning_id: str, actor: Actor) -> None:
    """radar.early_fraud_warning.created: the payer's bank suspects fraud. The hold stays until a person decides."""
    _weigh(rails.cards().warning(warning_id), actor)


def reviewed(review_id: str, actor: Actor) -> None:
    """review.opened, review.closed: what the review says now counts, whichever event came first."""
    _weigh(rails.cards().review(review_id), actor)


def _weigh(doubt: Doubt, actor: Actor) -> None:
    file = _paid_by(doubt.payment_ids)
    if file is None:
        return
    if doubt.stands:
        place(file, doubt.cause, actor)
    elif doubt.cleared:
        lift(file, doubt.cause, actor)


def place(file: EscrowFile, cause: str, actor: Actor) -> None:
    """place_hold, unless COMPLIANCE has decided about it."""
    if not holds.can_hold(file.escrow):
        about = {"escrowId": file.escrow.id, "cause": cause, "status": str(file.escrow.status)}
        logger.error("a payment is in doubt after its end", extra=about)
    elif not compliance.is_decided(file, cause):
        stopping.stop(file, cause, actor)


def lift(file: EscrowFile, cause: str, actor: Actor) -> None:
    """lift_hold, and whatever waited for it goes on: the funding, a settlement that was parked."""
    resumed = holds.lift(file, cause, clock.now())
    if resumed is None:
        return
    details = {"hold": str(Hold.RISK_REVIEW), "cause": cause}
    table.commit(file.escrow, *resumed, action="lift_hold", actor=actor, details=details)
    sagas.react(file.escrow, actor)
    for settlement in settlements.live(file):
        sagas.react(settlement, actor)


def follow(leg: Leg, actor: Actor) -> None:
    """A transfer or a refund moved on: book it if it is done, take it back into the books if the bank sent it back."""
    settling.confirm_leg(leg.escrow_id, leg.settlement_id, actor, n=leg.n)
    sent_back.take_back(leg.escrow_id, leg.settlement_id, leg.n, actor)
    for settlement in settlements.live(reads.escrow(leg.escrow_id)):
        sagas.react(settlement, actor)


def compare_refunded(charge_id: str) -> None:
    """charge.refunded: more went back than our legs and adopted refunds know. Nothing is changed: refund.created does
    that; a difference is never silent."""
    file = _paid_by([charge_id])
    if file is None:
        return
    amount, known = rails.cards().refunded(charge_id), adoption.given_back(file)
    if amount > known:
        about = {"escrowId": file.escrow.id, "charge": charge_id, "refunded": amount, "known": known}
        logger.error("more was refunded than is known", extra=about)


def _paid_by(payment_ids: Iterable[str]) -> EscrowFile | None:
    """The escrow of a payment, by the first of its ids that is known; None: another product's."""
    try:
        return reads.escrow(lookups.escrow_of(payment_ids) or "")
    except NotFound:
        return None
