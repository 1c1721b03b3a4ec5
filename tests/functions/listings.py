"""What the tests of the room start from and look at."""

from typing import Any

from bloxtr8 import actors, table
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import LISTING
from bloxtr8.entities import AssetGuard, Listing, ListingStatus, Snapshot, User

BODY: dict[str, Any] = {
    "title": "Skyline Racers",
    "summary": "A racing group, eight years old",
    "price": 120_000,
    "category": "Racing",
    "assetType": "GROUP",
    "assetId": "7000001",
    "visibility": "PUBLIC",
}
MISSING = "lst_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"
BAD_IDS = ("lst_1", "usr_01K6ZZ8Q3V7M2N4P5R6S7T8V9W", "lst_" + "0" * 3000, "lst_\x00", "../me", MISSING)


def body(**changes: Any) -> dict[str, Any]:
    """A good request, changed; a field changed to ... is left out."""
    return {name: value for name, value in (BODY | changes).items() if value is not ...}


def row(listing: Any) -> Listing:
    """The listing as it lies in the table now."""
    return table.get(Listing, id=getattr(listing, "id", listing))


def guard(asset_id: str, asset_type: str = "GROUP") -> AssetGuard | None:
    """The guard of an asset, if there is one."""
    return table.find(AssetGuard, asset_type=asset_type, asset_id=asset_id)


def looks(listing: Any) -> list[Snapshot]:
    """The snapshots of a listing, oldest first."""
    return table.partition(f"LISTING#{getattr(listing, 'id', listing)}", prefix="SNAP#")  # type: ignore[return-value]


def moved(listing: Listing, status: ListingStatus) -> Listing:
    """The listing after what other rooms do to it: an accepted offer, the end of a deal, a moderator."""
    found = row(listing)
    if status in {ListingStatus.RESERVED, ListingStatus.SOLD, ListingStatus.REMOVED}:
        LISTING.apply("reserve", found, Role.SYSTEM)
        found.reserved_offer_id = "off_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"
    if status is ListingStatus.SOLD:
        LISTING.apply("sell_listing", found, Role.SYSTEM)
    if status is ListingStatus.REMOVED:
        LISTING.apply("retire_listing", found, Role.SYSTEM, becomes=status)
    held = guard(found.asset_id)
    freed = [held] if held and status not in {ListingStatus.ACTIVE, ListingStatus.RESERVED} else []
    table.commit(found, action="test", actor=actors.system("test"), deletes=freed)
    return found


def user_changed(user: User, **changes: Any) -> None:
    """The user after what other rooms do to him: a ban, an unlinked account, a role."""
    found = table.get(User, id=user.id)
    for name, value in changes.items():
        setattr(found, name, value)
    table.commit(found, action="test", actor=actors.system("test"))
