"""The rules of a listing: who sees it, what looks add up to, what no order of moves can break (states.md, 1)."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import ids
from bloxtr8.actors import Actor
from bloxtr8.domain import listings
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import LISTING
from bloxtr8.entities import (
    AssetGuard,
    AssetType,
    Listing,
    ListingStatus,
    Snapshot,
    Tier,
    User,
    Visibility,
    price_band,
)
from bloxtr8.errors import DomainError, NotFound, RateLimited

START = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
RECHECK_MINUTES = 5
FACTS = {"asset_type": AssetType.GROUP, "asset_id": "7"}


def made(seller_id: str = "usr_seller") -> Listing:
    seller = User(id=seller_id, discord_id="1", username="seller", tier=Tier.TIER_1, created_at=START)
    terms = {"title": "T", "summary": "S", "price": 500, "category": "C", "visibility": Visibility.PUBLIC}
    return listings.draft(seller, START, delivery_days=None, inspection_days=2, **FACTS, **terms)


def look(minute: float, *, verified: bool = True) -> Snapshot:
    at = START + dt.timedelta(minutes=minute)
    owner = "1" if verified else "2"
    return Snapshot(
        id=ids.new("snp"), listing_id="lst", at=at, owner_id=owner, verified=verified, source="CLOUD", **FACTS
    )


def active(seller_id: str = "usr_seller") -> Listing:
    listing = made(seller_id)
    listings.activate(listing, look(0), None, None, START)
    return listing


def test_a_draft_waits_for_proof_with_the_windows_of_the_platform() -> None:
    draft = made()

    assert (draft.status, draft.reason) == (ListingStatus.INACTIVE, "VERIFICATION_PENDING")
    assert (draft.delivery_days, draft.inspection_days, draft.offers_epoch) == (7, 2, 0)


@pytest.mark.parametrize(
    ("price", "band"),
    [(1, 0), (1_000, 0), (1_001, 1), (5_000, 1), (10_001, 3), (1_000_000, 6), (1_000_001, 7), (10**9, 7)],
)
def test_bands_end_at_their_bound(price: int, band: int) -> None:
    assert price_band(price) == band


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_dearer_listing_never_stands_in_a_cheaper_band(one: int, other: int) -> None:
    assert (price_band(one) <= price_band(other)) or one > other


@given(st.sampled_from(ListingStatus), st.sampled_from(Visibility), st.booleans(), st.booleans())
def test_who_knows_of_a_listing(status: ListingStatus, visibility: Visibility, owner: bool, staff: bool) -> None:
    listing = made()
    listing.status, listing.visibility = status, visibility
    actor = Actor(id=listing.seller_id if owner else "usr_other")
    roles = frozenset({"SUPPORT"}) if staff else frozenset[str]()
    gone = status in {ListingStatus.REMOVED, ListingStatus.CANCELLED} or visibility is Visibility.PRIVATE

    if not (owner or staff) and gone:
        with pytest.raises(NotFound):
            listings.role_of(listing, actor, roles)
        with pytest.raises(NotFound):
            listings.role_of(listing, None)
        return

    expected = Role.OWNER if owner else Role.SUPPORT if staff else Role.OUTSIDER
    assert listings.role_of(listing, actor, roles) is expected


def test_nobody_knows_of_no_listing() -> None:
    with pytest.raises(NotFound):
        listings.role_of(None, Actor(id="usr_other"), frozenset({"SUPPORT"}))


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=12))
def test_only_two_looks_without_proof_and_none_between_them_lose_the_asset(steps: list[tuple[int, bool]]) -> None:
    listing, minute, first_bad = active(), 0, None
    for pause, verified in steps:
        minute += pause
        seen = look(minute, verified=verified)

        lost = listings.see(listing, seen, seen.at)

        first_bad = None if verified else minute if first_bad is None else first_bad
        assert lost == (first_bad is not None and minute - first_bad >= RECHECK_MINUTES)
        assert listing.verified_at == (seen.at if verified else None)
        assert listing.next_look is not None
        if lost:
            listings.lose(listing)
            assert (listing.status, listing.reason, listing.offers_epoch) == (ListingStatus.INACTIVE, "ASSET_LOST", 1)
            assert not listings.see(listing, look(minute + 60, verified=False), seen.at)
            return
    assert (listing.status, listing.offers_epoch) == (ListingStatus.ACTIVE, 0)


@given(st.integers(0, 120_000_000))
def test_looks_are_a_minute_apart(microseconds: int) -> None:
    listing, now = active(), START + dt.timedelta(microseconds=microseconds)

    if microseconds >= 60_000_000:
        listings.check_rate(listing, now)
    else:
        with pytest.raises(RateLimited) as refusal:
            listings.check_rate(listing, now)
        assert 1 <= refusal.value.retry_after <= 60
        listings.check_rate(listing, now + dt.timedelta(seconds=refusal.value.retry_after))


MOVES = ("activate", "deactivate", "cancel", "lose", "reserve", "relist", "sell", "take")


@given(st.lists(st.sampled_from(MOVES), max_size=25))
def test_no_order_of_moves_breaks_what_holds(moves: list[str]) -> None:
    """The guard is there exactly while the listing is live (C2), the epoch only rises, an end stays an end (C11)."""
    listing, guard = made(), None
    for move in moves:
        status, epoch = listing.status, listing.offers_epoch
        try:
            guard = _make(move, listing, guard)
        except DomainError:
            assert (listing.status, listing.offers_epoch) == (status, epoch)
        assert (guard is not None) == (listing.status in listings.LIVE)
        ends = move in {"cancel", "lose", "take"} and listing.offers_epoch != epoch
        assert listing.offers_epoch == epoch + ends
        assert (listing.browse is not None) == (listing.due is not None) == (listing.status is ListingStatus.ACTIVE)
        if status in LISTING.ends:
            assert listing.status is status


def _make(move: str, listing: Listing, guard: AssetGuard | None) -> AssetGuard | None:
    """Make a move as its function does; the guard of this listing afterwards."""
    match move:
        case "activate":
            made_guard = listings.activate(listing, look(0), None, None, START)[1]
            assert isinstance(made_guard, AssetGuard)
            return made_guard
        case "deactivate":
            listings.deactivate(listing)
        case "cancel":
            listings.cancel(listing)
        case "lose":
            listings.lose(listing)
        case "reserve":
            LISTING.apply("reserve", listing, Role.SYSTEM)
            return guard
        case "relist":
            LISTING.apply("relist", listing, Role.SYSTEM, becomes=ListingStatus.ACTIVE)
            return guard
        case "sell":
            LISTING.apply("sell_listing", listing, Role.SYSTEM)
        case "take":
            holder = listing if listing.status in listings.LIVE else None
            other = made("usr_other")
            rows = listings.activate(other, look(0), guard, holder, START)
            assert (listing in rows) == (holder is not None)
    return None
