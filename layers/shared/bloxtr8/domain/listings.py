"""Listings: who sees one, what proves it, who holds its asset, and what each move leaves behind (states.md, section 1).

A proof is a Snapshot that is `verified`: taken from Roblox now, never from a cache (bloxtr8.assets).
"""

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

from bloxtr8 import clock, config, ids
from bloxtr8.actors import Actor
from bloxtr8.domain import kyc
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import LISTING
from bloxtr8.entities import (
    AssetGuard,
    AssetType,
    Entity,
    Listing,
    ListingStatus,
    PlatformRole,
    Snapshot,
    Tier,
    User,
    Visibility,
)
from bloxtr8.errors import Conflict, Forbidden, InvalidState, NotFound, RateLimited, Unprocessable

# why a listing is INACTIVE
VERIFICATION_PENDING = "VERIFICATION_PENDING"
DEACTIVATED = "DEACTIVATED"
ASSET_LOST = "ASSET_LOST"  # also why its offers ended
# why its offers ended
LISTING_CANCELLED = "LISTING_CANCELLED"
LISTING_RESERVED = "LISTING_RESERVED"  # also the code of what a deal keeps one from doing

LIVE = frozenset({ListingStatus.ACTIVE, ListingStatus.RESERVED})
SHOWN = LIVE | {ListingStatus.INACTIVE, ListingStatus.SOLD}


# --- who -------------------------------------------------------------------------------------------------------------


def known(listing_id: str) -> str:
    """`listing_id`, if it can be one. Raises NotFound."""
    if not ids.is_id(listing_id, "lst"):
        raise _missing()
    return listing_id


def role_of(listing: Listing | None, actor: Actor | None, staff: frozenset[str] = frozenset()) -> Role:
    """The caller's part in a listing. Raises NotFound where he may not know of it.

    A PUBLIC listing can be read by everyone while it is or was for sale; once REMOVED or CANCELLED, and a PRIVATE one,
    by its owner alone. `staff` are the caller's platform roles.
    """
    if listing is None:
        raise _missing()
    if actor is not None and actor.id == listing.seller_id:
        return Role.OWNER
    if PlatformRole.SUPPORT in staff:
        return Role.SUPPORT
    if listing.visibility is Visibility.PUBLIC and listing.status in SHOWN:
        return Role.OUTSIDER
    raise _missing()


def _missing() -> NotFound:
    return NotFound("There is no such listing.")


# --- guards ----------------------------------------------------------------------------------------------------------


def check_available(visibility: Visibility | None, guild_id: str | None) -> None:
    """Raises Unprocessable NOT_AVAILABLE_YET for what needs guilds."""
    if guild_id is not None or visibility is Visibility.PRIVATE:
        raise Unprocessable("Listings of a guild are not available yet.", "NOT_AVAILABLE_YET")


def check_price(price: int) -> None:
    """Raises Forbidden KYC_LIMIT for a price (cents) that no tier may ever pay; the parties' own limits hold at accept
    (D16)."""
    if price > kyc.deal_limit(Tier.TIER_2):
        raise Forbidden("No deal may be worth this much.", "KYC_LIMIT", limit=kyc.deal_limit(Tier.TIER_2))


def check_lister(seller: User, now: dt.datetime) -> None:
    """Raises Forbidden BANNED, or KYC_REQUIRED below TIER_1."""
    kyc.check_not_banned(seller, now)
    kyc.check_tier(seller, Tier.TIER_1)


def check_free(seller_id: str, holder: Listing | None) -> None:
    """Raises Conflict ASSET_ALREADY_LISTED where the seller's own live listing, or an open deal, holds it (M20)."""
    if holder is not None and (holder.seller_id == seller_id or holder.status is ListingStatus.RESERVED):
        raise _taken(holder)


def check_proof(snapshot: Snapshot, holder: Listing | None) -> None:
    """Raises as `check_owned`, for a look that is no proof.

    Where another live listing holds the asset, its being listed is the reason: Conflict ASSET_ALREADY_LISTED (M20).
    """
    if not snapshot.verified and holder is not None:
        raise _taken(holder)
    check_owned(snapshot)


def check_owned(snapshot: Snapshot) -> None:
    """Raises Unprocessable ASSET_OWNERLESS, ASSET_LOCKED or ASSET_NOT_OWNED for a look that is no proof."""
    if snapshot.verified:
        return
    if snapshot.owner_id is None:
        raise Unprocessable("Nobody owns this on Roblox.", "ASSET_OWNERLESS")
    if snapshot.locked:
        raise Unprocessable("Roblox has locked this.", "ASSET_LOCKED")
    raise Unprocessable("Roblox does not show the seller as the owner of this.", "ASSET_NOT_OWNED")


def _taken(holder: Listing) -> Conflict:
    return Conflict("This is for sale in another listing.", "ASSET_ALREADY_LISTED", listingId=holder.id)


def check_move(action: str, listing: Listing, role: Role) -> None:
    """The lifecycle's check. Raises Forbidden, or InvalidState: LISTING_RESERVED in an open deal, SOLD after it."""
    try:
        LISTING.check(action, listing, role)
    except InvalidState as refusal:
        if listing.status is ListingStatus.RESERVED:
            raise InvalidState("A deal is open.", LISTING_RESERVED, **refusal.details) from None
        if listing.status is ListingStatus.SOLD:
            raise InvalidState("It is sold.", "SOLD", **refusal.details) from None
        raise


def check_rate(listing: Listing, now: dt.datetime) -> None:
    """Raises RateLimited where the latest look at Roblox is less than a minute old."""
    if listing.snapshot is None:
        return
    seconds = config.settings().listing_verify_seconds
    left = seconds - (now - clock.parse(listing.snapshot["at"])).total_seconds()
    if left > 0:
        raise RateLimited("This was looked at a moment ago.", retry_after=math.ceil(left))


def permits(listing: Listing, now: dt.datetime) -> Callable[[str], None]:
    """The guards behind `allowedActions`; those about the person (tier, ban) and Roblox are met on trying."""

    def permit(action: str) -> None:
        if action == "verify_listing":
            check_rate(listing, now)

    return permit


# --- moves -----------------------------------------------------------------------------------------------------------


def draft(seller: User, now: dt.datetime, **terms: Any) -> Listing:
    """A new listing that nothing proves yet: INACTIVE, VERIFICATION_PENDING. Windows (days) left at None are D11's."""
    settings = config.settings()
    terms["delivery_days"] = terms["delivery_days"] or settings.deliver_days
    terms["inspection_days"] = terms["inspection_days"] or settings.inspect_days
    return Listing(
        id=ids.new("lst"),
        seller_id=seller.id,
        status=ListingStatus.INACTIVE,
        reason=VERIFICATION_PENDING,
        created_at=now,
        **terms,
    )


def activate(
    listing: Listing, look: Snapshot, guard: AssetGuard | None, holder: Listing | None, now: dt.datetime
) -> list[Entity]:
    """INACTIVE → ACTIVE on fresh proof, holding the asset. Returns the other rows of that commit: the proof, the guard,
    and the `holder` that the guard named until now, which loses the asset. Raises as `check_free` and `check_proof`.
    """
    check_free(listing.seller_id, holder)
    check_proof(look, holder)
    LISTING.apply("activate_listing", listing, Role.OWNER)
    listing.reason = None
    see(listing, look, now)
    guard = guard or AssetGuard(asset_type=listing.asset_type, asset_id=listing.asset_id)
    guard.listing_id, guard.seller_id = listing.id, listing.seller_id
    if holder is None:
        return [look, guard]
    lose(holder)
    return [look, guard, holder]


def update(listing: Listing, changes: dict[str, Any]) -> dict[str, Any]:
    """Change the fields named (title … inspection_days); offers keep their own amounts. Returns what the audit is told:
    which fields, and the price before and after (cents). Raises Forbidden KYC_LIMIT.
    """
    told: dict[str, Any] = {"fields": sorted(changes)}
    if "price" in changes:
        check_price(changes["price"])
        told["price"] = {"from": listing.price, "to": changes["price"]}
    for name, value in changes.items():
        setattr(listing, name, value)
    return told


def deactivate(listing: Listing) -> None:
    """ACTIVE → INACTIVE: its offers wait, and none can be accepted. Delete the guard in the same commit."""
    LISTING.apply("deactivate_listing", listing, Role.OWNER)
    listing.reason = DEACTIVATED


def cancel(listing: Listing) -> None:
    """→ CANCELLED, and every offer ends with it. Delete the guard, where it holds one, in the same commit."""
    LISTING.apply("cancel_listing", listing, Role.OWNER)
    listing.reason = None
    _end_offers(listing, LISTING_CANCELLED)


def lose(listing: Listing) -> None:
    """→ INACTIVE (ASSET_LOST), and every offer ends with it. Delete or hand on the guard in the same commit."""
    LISTING.apply("lose_asset", listing, Role.SYSTEM)
    listing.reason, listing.verified_at, listing.lost_seen_at = ASSET_LOST, None, None
    _end_offers(listing, ASSET_LOST)


def reserve(listing: Listing, offer_id: str, look: Snapshot, now: dt.datetime) -> None:
    """ACTIVE → RESERVED for one accepted offer, on fresh proof, and every other offer ends with it (D3)."""
    LISTING.apply("reserve", listing, Role.SYSTEM)
    listing.reserved_offer_id = offer_id
    see(listing, look, now)
    _end_offers(listing, LISTING_RESERVED)


def see(listing: Listing, snapshot: Snapshot, now: dt.datetime) -> bool:
    """Record a look at the asset. True: by this look it is lost, so `lose` follows in the same commit (M21).

    One look that shows another owner, nobody or a lock proves nothing: a second one does, at least five minutes later
    and with none between that proved ownership. An open deal (RESERVED) is not touched: it looks for itself.
    """
    settings = config.settings()
    listing.snapshot = facts(snapshot)
    if snapshot.verified:
        listing.verified_at, listing.lost_seen_at = snapshot.at, None
        listing.next_look = now + dt.timedelta(seconds=settings.listing_look_seconds)
        return False
    listing.verified_at = None
    if listing.status is ListingStatus.RESERVED or listing.reason == ASSET_LOST:
        return False
    recheck = dt.timedelta(seconds=settings.owner_recheck_seconds)
    listing.lost_seen_at = listing.lost_seen_at or snapshot.at
    listing.next_look = listing.lost_seen_at + recheck
    return snapshot.at - listing.lost_seen_at >= recheck


def look_later(listing: Listing, now: dt.datetime) -> None:
    """Roblox did not answer, which says nothing: the next look comes within the hour."""
    listing.next_look = now + dt.timedelta(seconds=config.settings().repair_limit_seconds)


def _end_offers(listing: Listing, reason: str) -> None:
    listing.offers_epoch += 1
    listing.epoch_reason = reason


def facts(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as it is shown, and as its listing carries the latest one."""
    return {
        "id": snapshot.id,
        "at": clock.iso(snapshot.at),
        "assetType": str(snapshot.asset_type),
        "assetId": snapshot.asset_id,
        "groupId": snapshot.group_id,
        "owner": snapshot.owner_id,
        "ownerName": snapshot.owner_name,
        "memberCount": snapshot.member_count,
        "locked": snapshot.locked,
        "verified": snapshot.verified,
        "source": snapshot.source,
        "name": snapshot.name,
        "metadata": snapshot.metadata,
    }


def group_of(asset_type: AssetType, asset_id: str, creator_type: str | None, creator_id: str | None) -> str | None:
    """The group a look was about: the asset itself, or the group that holds the game; None for a user's game."""
    if asset_type is AssetType.GROUP:
        return asset_id
    return creator_id if creator_type == "GROUP" else None
