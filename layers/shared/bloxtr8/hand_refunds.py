"""Refunds that no leg ordered, made in Stripe's Dashboard (rail-stripe.md, Webhooks): adopted where one is all that its
escrow holds, else taken into the books once Stripe says that it succeeded.

While it is under way, or a leg may have moved the same money, the escrow is on hold, and nothing is booked.
"""

from bloxtr8 import clock, depositing, lookups, ownership, rails, reads, risk, sagas, settling, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import read_together
from bloxtr8.domain import adoption, holds, losses
from bloxtr8.domain import hand_refunds as rules
from bloxtr8.domain.deals import finish
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Entity, Settlement, Snapshot
from bloxtr8.errors import NotFound
from bloxtr8.logs import logger
from bloxtr8.rails.base import LegStatus, RefundSeen


class NotYet(Exception):
    """It succeeded, and can't be booked while another payment of the escrow is under way, or Roblox does not say
    whether the buyer has the asset: ask again later."""


def follow(refund_id: str, funding_id: str, actor: Actor) -> bool:
    """refund.*, of one without our mark: write down what is true of it now. Whether it is accounted for; where not, the
    caller rings the alarm. Raises NotYet, and what the rail raises."""
    file = _paid_by(funding_id)
    if file is None:
        return False
    seen = rails.cards().refund(refund_id)
    if seen.funding_id != file.rail.external_id:
        return False
    leg = next((row for row in file.legs if row.external_id == refund_id), None)
    if leg is not None:
        risk.follow(leg, actor)
        return True
    if seen.status is LegStatus.REJECTED:  # nothing was moved, so the doubt about it is over
        risk.lift(file, adoption.cause(refund_id), actor)
        return any(row.adopted_id == refund_id for row in file.legs)  # its leg has gone on without it
    return _write(file, seen, actor)


def _write(file: EscrowFile, seen: RefundSeen, actor: Actor) -> bool:
    """One that no leg has yet: account for it, or hold the escrow until that can be done."""
    if not file.escrow.deposited:  # told before the payment itself: it is money of ours first
        file = depositing.look(file.escrow.id, actor)[0]
    if _is_booked(seen, file) and settling.ask_for_legs(file, actor):
        file = reads.escrow(file.escrow.id)
    started = _account_for(file, seen, actor)
    if started is not None:
        for row in started:
            sagas.react(row, actor)
        return True
    if holds.can_hold(file.escrow):
        risk.place(file, adoption.cause(seen.external_id), actor)
    if _is_booked(seen, file):
        raise NotYet(seen.external_id)
    return False


def take_known(escrow_id: str, actor: Actor) -> bool:
    """Those that were told of while a leg might have moved their money, now that what became of it is known. Whether
    there was one; the stream starts what follows. Raises what the rail raises."""
    found = False
    for refund_id in adoption.known(reads.escrow(escrow_id)):
        seen = rails.cards().refund(refund_id)
        if seen.status is not LegStatus.REJECTED:
            found |= _account_for(reads.escrow(escrow_id), seen, actor) is not None
    return found


def _account_for(file: EscrowFile, seen: RefundSeen, actor: Actor) -> list[Entity] | None:
    """adopt_refund or take_refund, where it may be now: what is to be started. None where it may not."""
    if adoption.fits(file, seen.amount, seen.currency):
        return [_adopt(file, seen, actor)]
    if not _is_booked(seen, file) or losses.waits(file):
        return None
    proof = ownership.before_end(file) if rules.turns_on_owner(file, seen.amount) else []
    return None if proof is None else _take(file, seen, proof, actor)


def _is_booked(seen: RefundSeen, file: EscrowFile) -> bool:
    """Whether the books follow it, sooner or later."""
    return seen.status is LegStatus.CONFIRMED and seen.currency == file.escrow.currency


def _adopt(file: EscrowFile, seen: RefundSeen, actor: Actor) -> Settlement:
    settlement, rows = adoption.adopt(file, seen.external_id, actor=actor, now=clock.now())
    about = {"escrowId": file.escrow.id, "settlementId": settlement.id, "refund": seen.external_id}
    dropped = [row.id for row in rows if isinstance(row, Settlement)]
    if dropped:  # the other side was to be paid: people look
        logger.error("a refund of the Dashboard overtook a payout", extra=about | {"dropped": dropped})
    else:
        logger.warning("a refund of the Dashboard was adopted", extra=about)
    table.commit(file.escrow, settlement, *rows, action="adopt_refund", actor=actor, details=_about(seen))
    return settlement


def _take(file: EscrowFile, seen: RefundSeen, proof: list[Snapshot], actor: Actor) -> list[Entity]:
    """The books follow, with what ends by it in the same commit; people are told, since nobody of the trade decided
    it. `proof`: the look at the asset that it turned on."""
    around = reads.around(file.escrow) if rules.ends_by(file, seen.amount) else None
    with read_together("take_refund"):
        lost = rules.take(file, seen.external_id, seen.amount, actor=actor, now=clock.now())
        if around is not None:
            sold = rules.sold(file)
            finish(around, file.escrow.status, sold=sold, by_card=True, disputed=file.was_disputed)
    rows: list[Entity] = [*lost.rows, *proof, lookups.of(file, seen.external_id)]
    if around is not None:
        rows += [around.listing, around.buyer, around.seller]
    freed = around.freed() if around is not None else []
    about = {"escrowId": file.escrow.id, "refund": seen.external_id, "status": str(file.escrow.status)}
    logger.error("a refund of the Dashboard was taken into the books", extra=about)
    table.commit(file.escrow, *rows, deletes=freed, action="take_refund", actor=actor, details=_about(seen))
    return [file.escrow, *lost.started]


def _about(seen: RefundSeen) -> dict[str, object]:
    return {"refund": seen.external_id, "amount": seen.amount}


def _paid_by(funding_id: str) -> EscrowFile | None:
    """The escrow of a payment; None: another product's."""
    try:
        return reads.escrow(lookups.escrow_of([funding_id]) or "")
    except NotFound:
        return None
