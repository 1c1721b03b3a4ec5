"""watch_assets, the other half: live listings are verified again, and end where their asset is lost (states.md, section
1; M21)."""

from bloxtr8 import assets, clock, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import work
from bloxtr8.domain import listings
from bloxtr8.entities import AssetGuard, Listing, ListingStatus, User
from bloxtr8.errors import RateLimited, UpstreamFailed

SHELF = "DUE#LISTING"
LOOKS = 60  # a run: with those at escrows, a sixth of what Open Cloud lets us ask in five minutes
SECONDS = 100.0  # of a run
FAILURES = 3  # in a row, and Roblox is down: the rest waits for the next run


def verify(actor: Actor) -> None:
    """One run over the listings whose turn it is, oldest first."""
    run = _Run(actor)
    work(table.all_due(Listing, SHELF, limit=LOOKS), run.verify_next, enough=LOOKS, seconds=SECONDS)


class _Run:
    """One run: it stops asking where nobody answers."""

    def __init__(self, actor: Actor) -> None:
        self._actor, self._failures = actor, 0

    def verify_next(self, row: Listing) -> None:
        if self._failures >= FAILURES:
            return
        listing, seller = table.load(table.ref(Listing, id=row.id), table.ref(User, id=row.seller_id))
        now = clock.now()
        if listing.status is ListingStatus.ACTIVE and listing.next_look is not None and listing.next_look <= now:
            self._failures = 0 if _verify(listing, seller, self._actor) else self._failures + 1


def doubt(listing_id: str, actor: Actor) -> None:
    """Somebody was refused because of the owner: look now, unless a look lies a minute back or another follows
    anyway."""
    listing = table.get(Listing, id=listing_id)
    if listing.status is not ListingStatus.ACTIVE or listing.lost_seen_at is not None:
        return
    try:
        listings.check_rate(listing, clock.now())
    except RateLimited:
        return
    _verify(listing, table.get(User, id=listing.seller_id), actor)


def _verify(listing: Listing, seller: User, actor: Actor) -> bool:
    """Look, and write what was seen: lose_asset where it is the second look without proof. False where Roblox does not
    answer: that decides nothing."""
    now = clock.now()
    try:
        look = assets.look_again(listing, seller.roblox_id)
    except UpstreamFailed:
        listings.look_later(listing, now)
        table.commit(listing, action="look_again", actor=actor)
        return False
    freed: list[AssetGuard] = []
    lost = listings.see(listing, look, now)
    if lost:
        freed = assets.guard_of(listing)
        listings.lose(listing)
    action = "lose_asset" if lost else "verify_listing"
    table.commit(listing, look, action=action, actor=actor, deletes=freed)
    return True
