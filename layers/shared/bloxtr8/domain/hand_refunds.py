"""Refunds made in the provider's Dashboard that are not all that an escrow holds: a part, more than is there, or after
a side was paid or the trade had ended. What succeeded there is a fact, and the books follow it (states.md, section 4).
"""

import datetime as dt

from bloxtr8 import ids
from bloxtr8.actors import Actor
from bloxtr8.domain import adoption, disputes, holds, losses
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.losses import Lost
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import Account, EscrowStatus, Leg, LegStatus, Settlement, SettlementKind, SettlementStatus, Side

HAND = losses.Taker(
    action="take_refund",
    account=Account.BUYER,
    memo="refunded in the Dashboard",
    reason=adoption.REASON,
    outcome=disputes.BY_PLATFORM,
    due_first=True,
    seller_keeps=True,
)


def ends_by(file: EscrowFile, amount: int) -> bool:
    """Whether a refund of `amount` ends the escrow: as REFUNDED, or as SPLIT where the seller has been paid a part."""
    return losses.ends_by(file, amount, HAND)


def turns_on_owner(file: EscrowFile, amount: int) -> bool:
    """Whether it ends the escrow only where the buyer does not have the asset."""
    return losses.turns_on_owner(file, amount, HAND)


def take(file: EscrowFile, refund_id: str, amount: int, *, actor: Actor, now: dt.datetime) -> Lost:
    """take_refund: `amount` cents are with the buyer, first of what is set aside or goes back to him, then of what is
    held; the rest is a loss. The doubt about it is over.

    A settlement of its own, with one confirmed leg, is what its lines name, so that it is booked once, and comes back
    as any refund should the buyer's bank not take it. Call it only where nothing `waits`; the rows around the deal are
    the caller's.
    """
    ESCROW.check("take_refund", file.escrow, Role.SYSTEM)
    settlement = Settlement(
        escrow_id=file.escrow.id,
        id=ids.new("stl"),
        kind=SettlementKind.DASHBOARD,
        status=SettlementStatus.DONE,
        to_buyer=amount,
        reason=HAND.reason,
        actor=actor.id,
        created_at=now,
        finished_at=now,
    )
    leg = Leg(
        escrow_id=file.escrow.id,
        settlement_id=settlement.id,
        n=1,
        pays=Side.BUYER,
        amount=amount,
        currency=file.escrow.currency,
        status=LegStatus.CONFIRMED,
        external_id=refund_id,
        adopted_id=refund_id,
        sent_at=now,
        confirmed_at=now,
    )
    cause = losses.Cause(external_id=refund_id, leg_id=leg.id)
    lost = losses.lose(file, amount, HAND, cause, actor=actor, now=now)
    file.settlements.append(settlement)
    file.legs.append(leg)
    lost.rows += [settlement, leg]
    lost.resume(holds.lift(file, adoption.cause(refund_id), now) or [])
    losses.close_funding(file.escrow, now)
    return lost


def sold(file: EscrowFile) -> bool:
    """Whether the listing is sold by its end: where the seller keeps a part, and the buyer has the asset."""
    return file.escrow.status is EscrowStatus.SPLIT and file.escrow.delivered_at is not None
