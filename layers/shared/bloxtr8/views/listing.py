"""Listings as callers see them, and what Roblox showed of their assets."""

from typing import Any, Self

from bloxtr8 import clock
from bloxtr8.domain import listings
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import LISTING
from bloxtr8.entities import AssetType, Deals, Listing, ListingStatus, Snapshot, User, Visibility
from bloxtr8.shapes import Moment, View
from bloxtr8.views.people import Card


class SnapshotView(View):
    """What Roblox showed at one moment. `owner` is a Roblox user id, null: nobody. `verified`: it was the seller's."""

    id: str
    at: Moment
    asset_type: AssetType
    asset_id: str
    group_id: str | None
    owner: str | None
    owner_name: str | None
    member_count: int | None
    locked: bool
    verified: bool
    source: str
    name: str | None
    metadata: dict[str, Any]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        return cls.model_validate(listings.facts(snapshot))


class ListingView(View):
    """A listing; price in cents. `reason` says why it is INACTIVE, `verifiedAt` when ownership was last proven."""

    id: str
    seller_id: str
    title: str
    summary: str | None
    price: int
    category: str
    asset_type: AssetType
    asset_id: str
    visibility: Visibility
    delivery_days: int
    inspection_days: int
    status: ListingStatus
    reason: str | None
    verified_at: Moment | None
    snapshot: SnapshotView | None
    created_at: Moment
    version: int
    allowed_actions: list[str] = []

    @classmethod
    def of(cls, listing: Listing, role: Role) -> Self:
        view = cls.model_validate(listing)
        view.allowed_actions = LISTING.allowed(listing, role, listings.permits(listing, clock.now()))
        return view


class ListingDetail(ListingView):
    """A listing and who sells."""

    seller: Card | None = None

    @classmethod
    def with_seller(cls, listing: Listing, role: Role, seller: User, deals: Deals) -> Self:
        view = cls.of(listing, role)
        view.seller = Card.of(seller, deals)
        return view
