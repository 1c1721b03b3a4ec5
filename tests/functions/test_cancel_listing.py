"""The end of a listing by its owner: every offer ends with it, the asset is free."""

import pytest

from bloxtr8.entities import Listing, ListingStatus, User
from tests import factories
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions.listings import BAD_IDS, guard, moved, row


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def listing(seller: User) -> Listing:
    return factories.listing(seller)


@pytest.mark.parametrize("rested", [False, True])
def test_ends_the_listing_and_its_offers(aws: Platform, seller: User, listing: Listing, rested: bool) -> None:
    if rested:
        aws.call("deactivate_listing", seller, listing_id=listing.id)

    answer = aws.call("cancel_listing", seller, listing_id=listing.id)

    assert answer.status == 200
    assert (answer.body["status"], answer.body["reason"], answer.body["allowedActions"]) == ("CANCELLED", None, [])
    kept = row(listing)
    assert (kept.offers_epoch, kept.epoch_reason) == (listing.offers_epoch + 1, "LISTING_CANCELLED")
    assert (kept.gsi3pk, kept.gsi4pk, kept.gsi5pk) == (None, None, None)
    assert guard(listing.asset_id) is None
    entry = aws.audit(listing.id)[-1]
    assert (entry.action, entry.changes[0]["to"]) == ("cancel_listing", "CANCELLED")


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

    answer = refused(aws, 409, code, "cancel_listing", seller, listing_id=listing.id)

    assert answer.body["currentStatus"] == status


def test_happens_once_and_is_final(aws: Platform, seller: User, listing: Listing) -> None:
    aws.call("cancel_listing", seller, listing_id=listing.id)

    for action in ("cancel_listing", "activate_listing", "deactivate_listing", "verify_listing"):
        refused(aws, 409, "INVALID_STATE", action, seller, listing_id=listing.id)
    refused(aws, 409, "INVALID_STATE", "update_listing", seller, {"price": 5}, listing_id=listing.id)


def test_is_not_for_others(aws: Platform, listing: Listing) -> None:
    refused(aws, 403, "FORBIDDEN", "cancel_listing", factories.user(), listing_id=listing.id)
    refused(aws, 401, "UNAUTHENTICATED", "cancel_listing", listing_id=listing.id)


def test_a_cancelled_listing_is_unknown_to_others(aws: Platform, seller: User, listing: Listing) -> None:
    aws.call("cancel_listing", seller, listing_id=listing.id)

    refused(aws, 404, "NOT_FOUND", "cancel_listing", factories.user(), listing_id=listing.id)


def test_knows_no_other_ids(aws: Platform, seller: User, subtests: pytest.Subtests) -> None:
    for listing_id in BAD_IDS:
        with subtests.test(repr(listing_id)[:60]):
            refused(aws, 404, "NOT_FOUND", "cancel_listing", seller, listing_id=listing_id)


@pytest.mark.parametrize(
    ("value", "status", "code"), [('"7"', 412, "VERSION_MISMATCH"), ("7", 400, "VALIDATION_ERROR")]
)
def test_honours_if_match(aws: Platform, seller: User, listing: Listing, value: str, status: int, code: str) -> None:
    refused(aws, status, code, "cancel_listing", seller, headers={"If-Match": value}, listing_id=listing.id)


def test_of_cancel_and_deactivate_at_once_the_listing_ends(aws: Platform, seller: User) -> None:
    for _ in range(3):
        listing = factories.listing(seller)

        cancelled, rested = together(
            lambda one=listing: aws.call("cancel_listing", seller, listing_id=one.id),
            lambda one=listing: aws.call("deactivate_listing", seller, listing_id=one.id),
        )

        assert cancelled.status == 200
        assert rested.status in {200, 409}
        assert row(listing).status is ListingStatus.CANCELLED
        assert row(listing).offers_epoch == 1
        assert guard(listing.asset_id) is None
