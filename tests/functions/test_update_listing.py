"""What the owner may change, and that a change is seen by nobody halfway (M23)."""

from typing import Any

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


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another 🏁"},
        {"summary": "Two\nlines"},
        {"price": 1},
        {"category": "Other"},
        {"visibility": "PUBLIC"},
        {"deliveryDays": 30},
        {"inspectionDays": 1},
        {"title": "All", "summary": "of", "price": 5_000, "category": "it", "deliveryDays": 2, "inspectionDays": 3},
    ],
    ids=lambda change: "+".join(change),
)
def test_changes_what_is_named_and_nothing_else(
    aws: Platform, seller: User, listing: Listing, change: dict[str, Any]
) -> None:
    before = aws.call("get_listing", listing_id=listing.id).body

    answer = aws.call("update_listing", seller, change, listing_id=listing.id)

    assert answer.status == 200
    expected = {**before, **change, "version": 2, "allowedActions": answer.body["allowedActions"]}
    assert {**answer.body, "seller": before["seller"]} == expected
    entry = aws.audit(listing.id)[-1]
    assert entry.action == "update_listing"
    assert len(entry.details["fields"]) == len(change)


def test_a_new_price_moves_it_to_its_band_and_keeps_the_offers(aws: Platform, seller: User, listing: Listing) -> None:
    aws.call("update_listing", seller, {"price": 900}, listing_id=listing.id)

    kept = row(listing)
    assert (kept.gsi5pk, kept.offers_epoch, kept.epoch_reason) == ("BROWSE#0", 0, None)
    assert aws.audit(listing.id)[-1].details["price"] == {"from": 120_000, "to": 900}
    assert guard(listing.asset_id) is not None


def test_an_inactive_listing_can_be_changed(aws: Platform, seller: User, listing: Listing) -> None:
    aws.call("deactivate_listing", seller, listing_id=listing.id)

    answer = aws.call("update_listing", seller, {"price": 900}, listing_id=listing.id)

    assert (answer.status, answer.body["status"], answer.body["price"]) == (200, "INACTIVE", 900)


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

    answer = refused(aws, 409, code, "update_listing", seller, {"price": 900}, listing_id=listing.id)

    assert answer.body["currentStatus"] == status


BAD = [
    {},
    {"price": None},
    {"title": None, "price": 5},
    {"price": 0},
    {"price": 1.0},
    {"price": 10**12},
    {"title": "a" * 256},
    {"title": "nul \x00"},
    {"summary": "a" * 10_000},
    {"category": ""},
    {"deliveryDays": 31},
    {"assetId": "7"},
    {"assetType": "GAME"},
    {"status": "SOLD"},
    {"guildId": "gld_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"},
    {"version": 9},
]


def test_refuses_bad_input(aws: Platform, seller: User, listing: Listing, subtests: pytest.Subtests) -> None:
    for change in BAD:
        with subtests.test(repr(change)[:60]):
            refused(aws, 400, "VALIDATION_ERROR", "update_listing", seller, change, listing_id=listing.id)


NO_OBJECTS = ["", "[]", "null", '{"price": 5', '{"price": NaN}']


def test_refuses_what_is_not_a_json_object(
    aws: Platform, seller: User, listing: Listing, subtests: pytest.Subtests
) -> None:
    for raw in NO_OBJECTS:
        with subtests.test(repr(raw)[:60]):
            refused(aws, 400, "VALIDATION_ERROR", "update_listing", seller, raw=raw, listing_id=listing.id)


def test_refuses_private_until_there_are_guilds(aws: Platform, seller: User, listing: Listing) -> None:
    change = {"visibility": "PRIVATE"}

    refused(aws, 422, "NOT_AVAILABLE_YET", "update_listing", seller, change, listing_id=listing.id)


def test_refuses_a_price_no_tier_may_pay(
    aws: Platform, seller: User, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bloxtr8 import config

    monkeypatch.setenv("T2_DEAL_CENTS", "500000")
    config.settings.cache_clear()

    refused(aws, 403, "KYC_LIMIT", "update_listing", seller, {"price": 500_001}, listing_id=listing.id)


def test_is_not_for_others(aws: Platform, listing: Listing) -> None:
    refused(aws, 403, "FORBIDDEN", "update_listing", factories.user(), {"price": 5}, listing_id=listing.id)
    refused(aws, 401, "UNAUTHENTICATED", "update_listing", None, {"price": 5}, listing_id=listing.id)


def test_knows_no_other_ids(aws: Platform, seller: User, subtests: pytest.Subtests) -> None:
    for listing_id in BAD_IDS:
        with subtests.test(repr(listing_id)[:60]):
            refused(aws, 404, "NOT_FOUND", "update_listing", seller, {"price": 5}, listing_id=listing_id)


def test_honours_if_match(aws: Platform, seller: User, listing: Listing) -> None:
    seen = {"If-Match": '"1"'}
    assert aws.call("update_listing", seller, {"price": 5}, headers=seen, listing_id=listing.id).status == 200

    refused(aws, 412, "VERSION_MISMATCH", "update_listing", seller, {"price": 6}, headers=seen, listing_id=listing.id)


def test_of_two_changes_of_one_version_one_is_made(aws: Platform, seller: User) -> None:
    seen = {"If-Match": '"1"'}
    for _ in range(3):
        one = factories.listing(seller).id

        answers = together(
            *[
                lambda price=price, one=one: aws.call(
                    "update_listing", seller, {"price": price}, headers=seen, listing_id=one
                )
                for price in (111, 222)
            ]
        )

        assert sorted(answer.status for answer in answers) == [200, 412]
        assert [answer.body["price"] for answer in answers if answer.status == 200] == [row(one).price]
