"""Dead offers whose rows still say PENDING. Every reader derives what they are (table.md, Alive): this only tidies."""

from collections.abc import Iterator

from bloxtr8 import clock, reads, table
from bloxtr8.actors import Actor
from bloxtr8.domain import offers
from bloxtr8.domain.offers import Bargain
from bloxtr8.entities import Listing, Offer, OfferStatus

PAGE = 50
PAGES = 4  # of one listing, newest first; what is left is tidied when it expires


def due() -> Iterator[list[Offer]]:
    """PENDING offers whose time has passed, oldest first."""
    return table.all_due(Offer, "DUE#OFFER", limit=PAGE)


def of(listing_id: str) -> Iterator[Offer]:
    """The PENDING offers of a listing that are of an epoch before its present one."""
    epoch = table.get(Listing, id=listing_id).offers_epoch
    start = None
    for _ in range(PAGES):
        found = table.page(Offer, "gsi4", f"LISTING#{listing_id}#OFFER", limit=PAGE, start=start)
        yield from (row for row in found.items if row.status is OfferStatus.PENDING and row.epoch != epoch)
        start = found.next_key
        if start is None:
            return


def tidy(found: Offer, actor: Actor) -> None:
    """Write what an offer, read again, has become; nothing where it is alive or was ended before."""
    rows = reads.chain(found.id)
    offer = offers.pick(rows, found.id)
    bargain = Bargain(rows, offer, table.get(Listing, id=offer.listing_id))
    action = offers.tidy(bargain, clock.now())
    if action is not None:
        table.commit(bargain.root, offer, action=action, actor=actor)
