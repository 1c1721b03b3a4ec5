"""The market: listings, the guard of an asset, what Roblox showed, and offers."""

import datetime as dt
from enum import StrEnum
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute

from bloxtr8.entities.base import Entity, EnumAttribute, IntegerAttribute, Root, TimeAttribute


class ListingStatus(StrEnum):
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    RESERVED = "RESERVED"
    SOLD = "SOLD"
    CANCELLED = "CANCELLED"
    REMOVED = "REMOVED"


class OfferStatus(StrEnum):
    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    COUNTERED = "COUNTERED"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


class AssetType(StrEnum):
    GROUP = "GROUP"
    GAME = "GAME"


class Visibility(StrEnum):
    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"


class Side(StrEnum):
    """A side of a trade: whose terms an offer carries, who a leg pays."""

    BUYER = "BUYER"
    SELLER = "SELLER"


class Currency(StrEnum):
    USD = "USD"
    USDC = "USDC"


PRICE_BANDS = (1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000)


def price_band(price: int) -> int:
    """The shelf of the price index that `price` (cents) stands on: the number of bounds it exceeds, 0 to 7."""
    return sum(price > bound for bound in PRICE_BANDS)


class Listing(Root, discriminator="Listing"):
    """An asset for sale. `offers_epoch` rises whenever everything that was offered dies at once (table.md, Alive)."""

    id = UnicodeAttribute()
    seller_id = UnicodeAttribute()
    title = UnicodeAttribute()
    summary = UnicodeAttribute(null=True)
    price = IntegerAttribute()
    category = UnicodeAttribute()
    asset_type = EnumAttribute(AssetType)
    asset_id = UnicodeAttribute()
    visibility = EnumAttribute(Visibility, default=Visibility.PUBLIC)
    delivery_days = IntegerAttribute()
    inspection_days = IntegerAttribute()
    status = EnumAttribute(ListingStatus, default=ListingStatus.ACTIVE)
    reason = UnicodeAttribute(null=True)
    verified_at = TimeAttribute(null=True)  # the latest look, where it proved the seller's ownership
    lost_seen_at = TimeAttribute(null=True)  # the first look that did not, while none has since
    snapshot: Any = JSONAttribute(null=True)  # what the latest look showed (domain.listings.facts)
    offers_epoch = IntegerAttribute(default=0)
    epoch_reason = UnicodeAttribute(null=True)
    reserved_offer_id = UnicodeAttribute(null=True)
    removed_after_deal = BooleanAttribute(default=False)
    next_look = TimeAttribute(null=True)
    created_at = TimeAttribute()

    @property
    def due(self) -> dt.datetime | None:
        return self.next_look if self.status is ListingStatus.ACTIVE else None

    @property
    def browse(self) -> str | None:
        return "BROWSE" if self.status is ListingStatus.ACTIVE and self.visibility is Visibility.PUBLIC else None

    @property
    def browse_band(self) -> str | None:
        return f"{self.browse}#{price_band(self.price)}" if self.browse else None


class AssetGuard(Entity, discriminator="AssetGuard"):
    """At most one live listing an asset (C2); exists only while that listing is ACTIVE or RESERVED."""

    asset_type = EnumAttribute(AssetType)
    asset_id = UnicodeAttribute()
    listing_id = UnicodeAttribute()
    seller_id = UnicodeAttribute()


class Snapshot(Entity, discriminator="Snapshot"):
    """What Roblox showed of an asset at one moment. Never changed."""

    id = UnicodeAttribute()
    listing_id = UnicodeAttribute()
    at = TimeAttribute()
    asset_type = EnumAttribute(AssetType)
    asset_id = UnicodeAttribute()
    group_id = UnicodeAttribute(null=True)
    owner_id = UnicodeAttribute(null=True)
    owner_name = UnicodeAttribute(null=True)
    member_count = IntegerAttribute(null=True)
    locked = BooleanAttribute(default=False)
    verified = BooleanAttribute(default=False)
    source = UnicodeAttribute()
    name = UnicodeAttribute(null=True)
    metadata: Any = JSONAttribute(default=dict)


class Offer(Root, discriminator="Offer"):
    """Terms that one side proposes. Depth 0 is the root of its chain and carries the chain's audit head (table.md)."""

    root = UnicodeAttribute()  # the ULID of the chain
    depth = IntegerAttribute(default=0)
    listing_id = UnicodeAttribute()
    buyer_id = UnicodeAttribute()
    seller_id = UnicodeAttribute()
    proposed_by = EnumAttribute(Side)
    amount = IntegerAttribute()
    currency = EnumAttribute(Currency)
    conditions = UnicodeAttribute(null=True)
    milestones: Any = JSONAttribute(
        default=list
    )  # [{"title", "amountCents", "transfersAsset"}], as the contract has them
    status = EnumAttribute(OfferStatus, default=OfferStatus.PENDING)
    reason = UnicodeAttribute(null=True)
    epoch = IntegerAttribute()  # the listing's offers_epoch when the chain was opened
    contract_id = UnicodeAttribute(null=True)
    reminded_of = TimeAttribute(null=True)  # `expires_at`, once its responder was reminded
    terms_hash = UnicodeAttribute(null=True)  # of an accepted one: what its acceptor named (C12)
    expires_at = TimeAttribute()
    created_at = TimeAttribute()

    @property
    def id(self) -> str:
        return self._at(self.depth)

    @property
    def parent_id(self) -> str | None:
        """The offer that this one counters."""
        return self._at(self.depth - 1) if self.depth else None

    def _at(self, depth: int) -> str:
        return f"off_{self.root}-{depth:02}" if depth else f"off_{self.root}"

    @property
    def root_id(self) -> str:
        return f"off_{self.root}"

    @property
    def due(self) -> dt.datetime | None:
        return self.expires_at if self.status is OfferStatus.PENDING else None


class Chain(Entity, discriminator="Chain"):
    """One row per listing and buyer, naming the newest chain between them (C3). Never deleted."""

    listing_id = UnicodeAttribute()
    buyer_id = UnicodeAttribute()
    root = UnicodeAttribute()

    @property
    def root_id(self) -> str:
        """The chain's first offer."""
        return f"off_{self.root}"
