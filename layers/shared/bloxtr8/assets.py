"""The asset behind a listing: what Roblox shows of it now, and which listing holds it."""

import datetime as dt

from bloxtr8 import clock, config, ids, table
from bloxtr8.domain import listings
from bloxtr8.entities import AssetGuard, Escrow, Listing, Snapshot
from bloxtr8.errors import StaleWrite, Unprocessable
from bloxtr8.outside import roblox

UNKNOWN_ASSET = "ASSET_NOT_FOUND"
NO_SOURCE = "NONE"
LOOKS_OF_A_KIND = 10  # of one owner: by either source or both, for the seller or the buyer


def look(of: Listing | Escrow, expected_owner: str | None, *, both_sources: bool = False) -> Snapshot:
    """A fresh look at the asset of a listing or an escrow, as a row that is not yet written.

    It is `verified` where the Roblox user `expected_owner` owns the asset and Roblox has not locked it. Raises
    Unprocessable ASSET_NOT_FOUND, and UpstreamFailed where the owner is unknown (outside.roblox.ownership_of).
    """
    seen = roblox.ownership_of(of.asset_type.value, of.asset_id, both_sources=both_sources)
    return Snapshot(
        id=ids.new("snp"),
        listing_id=_listing_of(of),
        at=seen.at,
        asset_type=of.asset_type,
        asset_id=of.asset_id,
        group_id=listings.group_of(of.asset_type, of.asset_id, seen.creator_type, seen.creator_id),
        owner_id=seen.owner_id,
        owner_name=seen.owner_name,
        member_count=seen.member_count,
        locked=seen.locked,
        verified=expected_owner is not None and seen.owner_id == expected_owner and not seen.locked,
        source=seen.source,
        name=seen.name,
        metadata=dict(seen.metadata),
    )


def look_again(of: Listing | Escrow, expected_owner: str | None, *, both_sources: bool = False) -> Snapshot:
    """The same for an asset that was proven before: that Roblox no longer knows it is a finding too, without an
    owner."""
    at = clock.now()
    try:
        return look(of, expected_owner, both_sources=both_sources)
    except Unprocessable as refusal:
        if refusal.code != UNKNOWN_ASSET:
            raise
        return Snapshot(
            id=ids.new("snp"),
            listing_id=_listing_of(of),
            at=at,
            asset_type=of.asset_type,
            asset_id=of.asset_id,
            source=NO_SOURCE,
        )


def newest(of: Listing | Escrow) -> Snapshot | None:
    """The look at its asset that was kept last."""
    return next(iter(table.page(Snapshot, None, f"LISTING#{_listing_of(of)}", prefix="SNAP#", limit=1).items), None)


def told_before(seen: Snapshot) -> Snapshot | None:
    """The look that is kept and shows the same, where it is less than a day old and no other owner was seen since: else
    a party could ask until the dossier's history holds nothing but its own looks."""
    newest = table.page(Snapshot, None, f"LISTING#{seen.listing_id}", prefix="SNAP#", limit=LOOKS_OF_A_KIND).items
    for kept in newest:
        if (kept.owner_id, kept.locked) != (seen.owner_id, seen.locked):
            return None
        if (kept.verified, kept.source) == (seen.verified, seen.source):
            fresh = seen.at - kept.at < dt.timedelta(seconds=config.settings().look_kept_seconds)
            return kept if fresh else None
    return None


def _listing_of(of: Listing | Escrow) -> str:
    return of.listing_id if isinstance(of, Escrow) else of.id


def holder_of(guard: AssetGuard | None) -> Listing | None:
    """The live listing that holds a guarded asset; None where the asset is free.

    Raises StaleWrite for a guard whose listing is not live: the guard is gone by now, and a new one, of another
    listing, would carry the same version.
    """
    if guard is None:
        return None
    listing = table.find(Listing, id=guard.listing_id)
    if listing is None or listing.status not in listings.LIVE:
        raise StaleWrite("holder_of")
    return listing


def guard_of(listing: Listing) -> list[AssetGuard]:
    """The guard a listing holds, to be deleted when it is no longer live; none for one that is not."""
    if listing.status not in listings.LIVE:
        return []
    guard = table.find(AssetGuard, asset_type=listing.asset_type, asset_id=listing.asset_id)
    return [] if guard is None or guard.listing_id != listing.id else [guard]
