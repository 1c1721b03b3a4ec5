"""What the end of a deal does to the rows around it: the offer, the listing, its guard, and both parties' counters."""

import datetime as dt
from dataclasses import dataclass

from bloxtr8.domain import kyc
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import LISTING, OFFER
from bloxtr8.entities import AssetGuard, Deals, Entity, EscrowStatus, Listing, ListingStatus, Offer


@dataclass(slots=True)
class Around:
    """The rows around a deal (reads.around). `guard` is None where the listing holds none."""

    offer: Offer
    root: Offer  # of the offer's chain; the same row where the first offer was accepted
    listing: Listing
    buyer: Deals
    seller: Deals
    guard: AssetGuard | None

    @property
    def saves(self) -> list[Entity]:
        return [self.offer, self.listing, self.buyer, self.seller]

    def freed(self) -> list[Entity]:
        """The guard, where the listing is no longer live and it is the listing's own."""
        live = self.listing.status in {ListingStatus.ACTIVE, ListingStatus.RESERVED}
        return [] if live or self.guard is None or self.guard.listing_id != self.listing.id else [self.guard]


def fall_through(around: Around, *, amount: int, accepted_at: dt.datetime, reason: str) -> None:
    """The deal died before money was held (M31): the offer is CANCELLED, the listing is for sale again, the volume
    is free."""
    OFFER.apply("cancel_offer", around.offer, Role.SYSTEM)
    around.offer.reason = reason
    listing = around.listing
    LISTING.apply(
        "relist",
        listing,
        Role.SYSTEM,
        becomes=ListingStatus.REMOVED if listing.removed_after_deal else ListingStatus.ACTIVE,
    )
    listing.reserved_offer_id = None
    for deals in (around.buyer, around.seller):
        kyc.release(deals, amount, accepted_at)


def finish(around: Around, outcome: EscrowStatus, *, sold: bool, by_card: bool = False, disputed: bool = False) -> None:
    """The escrow ended with its money paid out: the listing is sold or retired, and both parties' counters say so
    (M09)."""
    listing = around.listing
    if sold:
        LISTING.apply("sell_listing", listing, Role.SYSTEM)
    else:
        becomes = ListingStatus.REMOVED if listing.removed_after_deal else ListingStatus.INACTIVE
        LISTING.apply("retire_listing", listing, Role.SYSTEM, becomes=becomes)
        listing.reason = f"DEAL_{outcome}"
    listing.reserved_offer_id = None
    for deals in (around.buyer, around.seller):
        deals.open = max(0, deals.open - 1)
        deals.disputed += int(disputed)
        if outcome is EscrowStatus.REFUNDED:
            deals.refunded += 1
        else:
            deals.completed += 1
    if by_card and outcome is not EscrowStatus.REFUNDED:
        around.buyer.card_purchases += 1
