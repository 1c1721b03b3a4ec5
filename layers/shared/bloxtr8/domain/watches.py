"""The watch over a paid escrow's asset: when it is looked at next, and what two looks prove (states.md, sections 4 and
6; M53, M59)."""

import datetime as dt

from bloxtr8 import config
from bloxtr8.domain import compliance, refused_payouts
from bloxtr8.domain.dossier import Owner
from bloxtr8.domain.escrows import EscrowFile, repair_delay
from bloxtr8.domain.wallet_risk import ROLLBACK
from bloxtr8.entities import AssetWatch, Escrow, EscrowStatus, Settlement

WATCHED = frozenset({EscrowStatus.FUNDS_HELD, EscrowStatus.DELIVERED})
PAUSED = frozenset({EscrowStatus.DISPUTED, EscrowStatus.SETTLING})
_FOR_THE_ASSET = frozenset({"CONFIRMED_BY_BUYER", "INSPECTION_OVER", "RELEASED_BY_BUYER"})  # why the seller is paid
LOST = frozenset({Owner.SELLER, Owner.NOBODY})  # after the delivery; a third person has it from the buyer


def awaits_asset(escrow: Escrow) -> bool:
    """Whether the asset is to be handed over next, which Roblox will show."""
    return escrow.status is EscrowStatus.FUNDS_HELD and escrow.delivered_at is None and escrow.asset_in_turn


def expects_asset(escrow: Escrow) -> bool:
    """The same, before its turn, in a dispute, and while a part that was released unseen is paid: that the buyer has
    it is kept from the first time on."""
    part_paid = escrow.status is EscrowStatus.SETTLING and escrow.parts > 1
    open_still = part_paid or escrow.status in {EscrowStatus.FUNDS_HELD, EscrowStatus.DISPUTED}
    unseen = open_still and escrow.delivered_at is None and escrow.at_buyer_at is None
    return unseen or awaits_asset(escrow)


def guards_asset(escrow: Escrow) -> bool:
    """Whether the asset was handed over and not all of the money is out: it must not go back to the seller."""
    return escrow.status in WATCHED and escrow.delivered_at is not None


def payout_guarded(file: EscrowFile) -> str | None:
    """The cause that a rollback gives to stop what is to be paid to the seller for the asset: of which nothing moved to
    him, nor may have. None where there is none, it stopped that payout before, or people decided otherwise: what an
    arbiter, COMPLIANCE or both sides said counts whoever has the asset."""
    settlement = refused_payouts.sellers_unmoved(file)
    if settlement is None or not settlement.to_seller or settlement.reason not in _FOR_THE_ASSET:
        return None
    if file.escrow.delivered_at is None:
        return None
    cause = f"{ROLLBACK}:{_first(file, settlement).id}"
    return None if cause in file.escrow.hold_causes or compliance.is_decided(file, cause) else cause


def _first(file: EscrowFile, settlement: Settlement) -> Settlement:
    """The one in whose place it is, as it was decided: what people said about that stands."""
    return _first(file, file.settlement(settlement.replaces)) if settlement.replaces else settlement


def begin(escrow: Escrow, now: dt.datetime) -> AssetWatch:
    """The watch begins with the money: from now on the asset may change hands."""
    row = AssetWatch(escrow_id=escrow.id)
    plan(row, escrow, now)
    return row


def note(row: AssetWatch, who: Owner, now: dt.datetime) -> bool:
    """Write down what a look showed. True where an earlier one, long enough ago, showed the same owner, and none
    between another. A look that nobody answered contradicts none."""
    if who is Owner.UNKNOWN:
        row.unknown_since = row.unknown_since or now
        row.looks += 1
        return False
    row.unknown_since, row.looks, row.answered_at = None, 0, now
    if row.seen != who or row.seen_at is None:
        row.seen, row.seen_at = str(who), now
    return bool(now - row.seen_at >= dt.timedelta(seconds=config.settings().watch_recheck_seconds))


def unknown_too_long(row: AssetWatch, escrow: Escrow, now: dt.datetime) -> bool:
    """Whether nobody could say for a week whose the asset is (D13); it is not asked once the asset's part is paid, nor
    while all of it is being paid."""
    limit = dt.timedelta(seconds=config.settings().owner_unknown_dispute_seconds)
    if escrow.status not in WATCHED:
        return False
    return escrow.asset_in_turn and row.unknown_since is not None and now - row.unknown_since >= limit


def plan(row: AssetWatch, escrow: Escrow, now: dt.datetime, *, guarded: bool = False) -> None:
    """Set `next_look`; none once the escrow has ended. What nobody answers is asked ever later, up to an hour.
    `guarded`: the asset was handed over, and the seller's money is not on its way yet. In a dispute it goes on for
    those who decide, seldom."""
    settings = config.settings()
    rests = escrow.status in PAUSED and not (guarded or expects_asset(escrow))
    if rests and escrow.status is EscrowStatus.SETTLING:
        row.unknown_since, row.looks = None, 0
        if not any(cause.startswith(f"{ROLLBACK}:") for cause in escrow.hold_causes):  # COMPLIANCE is shown it
            row.seen, row.seen_at = None, None
        row.next_look = now + dt.timedelta(seconds=settings.watch_paused_seconds)
    elif escrow.status not in WATCHED | PAUSED:
        row.next_look = None
    elif row.looks:
        row.next_look = now + repair_delay(row.looks - 1)
    elif rests:
        row.next_look = now + dt.timedelta(seconds=settings.watch_paused_seconds)
    elif guarded:
        row.next_look = now + dt.timedelta(seconds=settings.watch_delivered_seconds)
    else:
        row.next_look = now + dt.timedelta(seconds=settings.watch_held_seconds)
