"""A part of a payment that the buyer's bank took, or somebody refunded by hand, of a trade in which something was
handed over: only that part is gone (states.md, section 4, lose_chargeback).

It is the buyer's, who has it: it comes out of what nobody has decided about yet, then out of his part of a settlement,
and then out of the seller's.
"""

import datetime as dt

from bloxtr8.actors import Actor
from bloxtr8.domain import plans
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.plans import Planned
from bloxtr8.domain.settlements import drop
from bloxtr8.entities import DeliveryStatus, Dispute, EscrowStatus, Hold, Settlement, Side

_HANDED_OVER = frozenset({EscrowStatus.DELIVERED, EscrowStatus.DISPUTED, EscrowStatus.SETTLING})
_PARTS_OVER = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.CONFIRMED})


def goes_on(file: EscrowFile, lost: int) -> bool:
    """Whether the trade goes on without `lost` cents: something was handed over, or may have been, and a part of the
    price is left to be paid out. Before that the seller keeps his asset, and the rest is the buyer's."""
    return _handed_over(file) and _leaves_some(file, lost)


def turns_on_owner(file: EscrowFile, lost: int) -> bool:
    """Whether the trade goes on without them only if the buyer has the asset, which nobody has seen: Roblox is asked
    before."""
    return not _handed_over(file) and _leaves_some(file, lost)


def _leaves_some(file: EscrowFile, lost: int) -> bool:
    """Whether a part of the price is left."""
    if lost >= file.escrow.held:
        return False
    settlement = _settlement(file)
    return plans.remaining(file) + (sum(_unpaid(file, settlement)) if settlement else 0) > lost


def _handed_over(file: EscrowFile) -> bool:
    """Whether something was, or may have been: of a milestone too, and what the buyer refused or passed on since."""
    if file.escrow.at_buyer_at is not None:
        return True
    part = file.escrow.status is EscrowStatus.FUNDS_HELD and any(row.status in _PARTS_OVER for row in file.deliveries)
    return part or file.escrow.status in _HANDED_OVER


def take(
    file: EscrowFile, lost: int, action: str, *, actor: Actor, now: dt.datetime
) -> tuple[list[Settlement | Dispute], Planned | None]:
    """`lost` cents are out of what is held: what was to be paid of it is planned anew. Returns the rows that this
    changed, and the new plan.

    Where nothing is left that nobody has decided about, what was decided is the end of the escrow: what is still to
    come would be handed over for nothing.
    """
    left, old = plans.remaining(file) - lost, _settlement(file)
    file.escrow.gone += lost
    if old is None or left > 0:
        return [], None
    decided = -left
    from_buyer = min(decided, _unpaid(file, old)[1])
    drop(old, action, Role.SYSTEM, now)
    file.escrow.holds = frozenset(file.escrow.holds - {Hold.PAYOUT_FAILED})
    planned = plans.start_anew(
        file,
        old,
        action,
        seller_share=old.seller_share - (decided - from_buyer),
        buyer_share=old.buyer_share - from_buyer,
        actor=actor,
        now=now,
    )
    return [old, *plans.follow(file, old, planned)], planned


def _settlement(file: EscrowFile) -> Settlement | None:
    """What pays out the money that is held, if it was decided."""
    settlement_id = file.escrow.settlement_id
    return file.settlement(settlement_id) if settlement_id else None


def _unpaid(file: EscrowFile, settlement: Settlement) -> tuple[int, int]:
    """The seller's and the buyer's share that are still to be paid, in cents of the price."""
    paid = plans.paid_sides(file, settlement)
    seller = 0 if Side.SELLER in paid else settlement.seller_share
    return seller, 0 if Side.BUYER in paid else settlement.buyer_share
