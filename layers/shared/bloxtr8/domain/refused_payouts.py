"""What a payout that can't be made gives way to (states.md, section 5): of a settlement that is PARKED and of which
nothing moved, nor may have, the money is divided anew.

The settlement is DROPPED in the transaction that starts the other plan, so a resumed one and a dropped one race under
the escrow's version.
"""

import datetime as dt
from collections.abc import Collection

from bloxtr8.domain import escrows, legs, plans, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import Hold, Settlement, SettlementProposal, SettlementStatus, Side

_FAILED = frozenset({Hold.PAYOUT_FAILED})


def stopped(file: EscrowFile) -> Settlement | None:
    """The settlement of held money that is parked, for a refusal or a hold, before anything of it moved."""
    row = unmoved(file)
    return row if row is not None and row.status is SettlementStatus.PARKED else None


def unmoved(file: EscrowFile) -> Settlement | None:
    """The same, parked or not: what the escrow holds is still there, or went by another way."""
    return _unmoved(file, set(Side))


def sellers_unmoved(file: EscrowFile) -> Settlement | None:
    """The same where nothing of it moved to the seller: the buyer may have his part, be it of his own fee alone, where
    a part of the payment is gone."""
    return _unmoved(file, {Side.SELLER})


def withheld(file: EscrowFile) -> Settlement | None:
    """That one, where it is parked and nothing is under way to the buyer: what is left of it is still to be paid."""
    row = sellers_unmoved(file)
    waits = row is not None and row.status is SettlementStatus.PARKED and legs.under_way(file, row) is None
    return row if waits else None


def _unmoved(file: EscrowFile, sides: set[Side]) -> Settlement | None:
    """The settlement of held money, where no leg that pays one of these sides moved, or may have."""
    row = next((row for row in file.settlements if row.id == file.escrow.settlement_id), None)
    if row is None:
        return None
    moved = any(leg.status in legs.MOVED and leg.pays in sides for leg in file.legs_of(row.id))
    return None if moved or plans.paid_sides(file, row) & sides else row  # nor of those in whose place it is


def refused(file: EscrowFile) -> Settlement | None:
    """The same where its payout was refused: what a hold stopped goes on with the hold's end."""
    return stopped(file) if Hold.PAYOUT_FAILED in file.escrow.holds else None


def to_divide(file: EscrowFile) -> int:
    """What there is to divide, in cents: what remains, and what the refused payout would have settled."""
    replaced = refused(file)
    return plans.remaining(file) + (replaced.seller_share + replaced.buyer_share if replaced else 0)


def expire_outdated(file: EscrowFile, now: dt.datetime) -> list[SettlementProposal]:
    """The proposal that divides another sum than there is now is over, in the commit that changed the sum: should it
    ever be the same again, nobody may accept what both were told is EXPIRED. Returns what it ended."""
    proposal = file.proposal
    return [] if proposal is None or proposal.remaining == to_divide(file) else plans.expire_proposal(file, now)


def check_money_may_start(file: EscrowFile) -> None:
    """As `escrows.check_money_may_start`, but a refused payout stands in nobody's way, nor does the hold it placed."""
    _check(file, refused(file), ())


def check_start(action: str, file: EscrowFile, role: Role) -> None:
    """The same before a move that starts money. Raises Forbidden and InvalidState too."""
    ESCROW.check(action, file.escrow, role)
    check_money_may_start(file)


def check_refund_by_compliance(file: EscrowFile, despite: Collection[str]) -> None:
    """The same for COMPLIANCE, who decide about the very hold that stopped it: whatever parked it, what of it did not
    go to the buyer yet gives way."""
    _check(file, withheld(file), despite)


def _check(file: EscrowFile, gives_way: Settlement | None, despite: Collection[str]) -> None:
    if gives_way is None:
        escrows.check_money_may_start(file.escrow, despite)
    else:
        escrows.check_holds(file.escrow, _FAILED.union(despite))


def give_way(file: EscrowFile, action: str, role: Role, now: dt.datetime) -> list[Settlement]:
    """It is DROPPED, and the hold that its refusal placed is gone with it; its shares are a part of what remains again,
    and a milestone that it paid ends with the escrow. Whether it may be was checked before. Returns what it dropped."""
    return drop(file, stopped(file), action, role, now)


def drop(file: EscrowFile, replaced: Settlement | None, action: str, role: Role, now: dt.datetime) -> list[Settlement]:
    """`give_way`, of a settlement that the caller has found to be `unmoved`, or `withheld`."""
    if replaced is None:
        return []
    settlements.drop(replaced, action, role, now)
    file.escrow.settlement_id = None
    file.escrow.holds = frozenset(file.escrow.holds - _FAILED)
    return [replaced]
