"""ACTIVE → INACTIVE: off the shelf, the asset free, the offers waiting."""

import pytest

from bloxtr8.entities import Listing, ListingStatus, User
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions.listings import BAD_IDS, body, guard, looks, moved, row


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def listing(seller: User) -> Listing:
    return factories.listing(seller)


def test_leaves_the_shelves_and_frees_the_asset(aws: Platform, seller: User, listing: Listing) -> None:
    answer = aws.call("deactivate_listing", seller, listing_id=listing.id)

    assert answer.status == 200
    assert (answer.body["status"], answer.body["reason"], answer.body["version"]) == ("INACTIVE", "DEACTIVATED", 2)
    assert answer.body["allowedActions"] == ["activate_listing", "update_listing", "cancel_listing"]
    kept = row(listing)
    assert (kept.gsi3pk, kept.gsi4pk, kept.gsi5pk) == (None, None, None)
    assert guard(listing.asset_id) is None
    assert len(looks(listing)) == 1
    assert aws.audit(listing.id)[-1].action == "deactivate_listing"


def test_its_offers_wait(aws: Platform, seller: User, listing: Listing) -> None:
    aws.call("deactivate_listing", seller, listing_id=listing.id)

    assert (row(listing).offers_epoch, row(listing).epoch_reason) == (listing.offers_epoch, None)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (ListingStatus.RESERVED, "LISTING_RESERVED"),
        (ListingStatus.SOLD, "SOLD"),
        (ListingStatus.REMOVED, "INVALID_STATE"),
    ],
)
def test_refuses_from_any_other_status(
    aws: Platform, seller: User, listing: Listing, status: ListingStatus, code: str
) -> None:
    moved(listing, status)

    answer = refused(aws, 409, code, "deactivate_listing", seller, listing_id=listing.id)

    assert answer.body["currentStatus"] == status


def test_happens_once(aws: Platform, seller: User, listing: Listing) -> None:
    aws.call("deactivate_listing", seller, listing_id=listing.id)

    refused(aws, 409, "INVALID_STATE", "deactivate_listing", seller, listing_id=listing.id)


def test_is_not_for_others(aws: Platform, listing: Listing) -> None:
    refused(aws, 403, "FORBIDDEN", "deactivate_listing", factories.user(), listing_id=listing.id)
    refused(aws, 401, "UNAUTHENTICATED", "deactivate_listing", listing_id=listing.id)


def test_knows_no_other_ids(aws: Platform, seller: User, subtests: pytest.Subtests) -> None:
    for listing_id in BAD_IDS:
        with subtests.test(repr(listing_id)[:60]):
            refused(aws, 404, "NOT_FOUND", "deactivate_listing", seller, listing_id=listing_id)


def test_honours_if_match(aws: Platform, seller: User, listing: Listing) -> None:
    stale = {"If-Match": '"7"'}

    refused(aws, 412, "VERSION_MISMATCH", "deactivate_listing", seller, headers=stale, listing_id=listing.id)


def test_a_repeated_key_replays_the_first_answer(aws: Platform, seller: User, listing: Listing) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = aws.call("deactivate_listing", seller, headers=key, listing_id=listing.id)

    again = aws.call("deactivate_listing", seller, headers=key, listing_id=listing.id)

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")


def test_against_a_take_over_the_guard_belongs_to_what_is_live(aws: Platform, roblox: Roblox, seller: User) -> None:
    for _ in range(3):
        listing = factories.listing(seller)
        taker = factories.user()
        roblox.set_group(listing.asset_id, owner=taker)

        answers = together(
            lambda one=listing: aws.call("deactivate_listing", seller, listing_id=one.id),
            lambda one=listing, who=taker: aws.call("create_listing", who, body(assetId=one.asset_id)),
        )

        assert answers[1].status == 201
        held = guard(listing.asset_id)
        assert held is not None
        assert held.listing_id == answers[1].body["id"]
        assert row(listing).status is ListingStatus.INACTIVE
