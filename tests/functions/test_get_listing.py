"""One listing: for everybody while it is or was for sale, then for its owner alone."""

import pytest

from bloxtr8.entities import Listing, ListingStatus, User
from tests import factories
from tests.checks import bearer, refused
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions.listings import BAD_IDS, body, moved


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def listing(seller: User) -> Listing:
    return factories.listing(seller)


def test_shows_the_listing_the_latest_look_and_the_seller(aws: Platform, seller: User, listing: Listing) -> None:
    answer = aws.call("get_listing", listing_id=listing.id)

    assert answer.status == 200
    assert (answer.body["id"], answer.body["price"], answer.body["version"]) == (listing.id, 120_000, 1)
    assert answer.body["snapshot"]["owner"] == seller.roblox_id
    assert answer.body["allowedActions"] == []
    card = answer.body["seller"]
    assert (card["id"], card["username"], card["robloxId"]) == (seller.id, seller.username, seller.roblox_id)
    assert (card["completed"], card["disputed"], card["refunded"]) == (0, 0, 0)


def test_shows_no_personal_data_and_no_deal(aws: Platform, listing: Listing) -> None:
    moved(listing, ListingStatus.RESERVED)

    answer = aws.call("get_listing", listing_id=listing.id)

    shown = set(answer.body) | set(answer.body["seller"])
    assert not shown & {"discordId", "email", "phone", "payoutAccountId", "reservedOfferId", "offersEpoch"}


def test_shows_the_owner_what_he_may_do(aws: Platform, seller: User, listing: Listing) -> None:
    answer = aws.call("get_listing", headers=bearer(seller), listing_id=listing.id)

    assert answer.body["allowedActions"] == ["deactivate_listing", "update_listing", "cancel_listing"]


def test_shows_support_what_it_may_do(aws: Platform, listing: Listing) -> None:
    support = factories.user(platform_roles=frozenset({"SUPPORT"}))
    aws.clock.advance(minutes=2)

    answer = aws.call("get_listing", headers=bearer(support), listing_id=listing.id)

    assert answer.body["allowedActions"] == ["verify_listing"]


def test_shows_what_is_not_verified_yet(aws: Platform, roblox: Roblox, seller: User) -> None:
    roblox.down()
    waiting = aws.call("create_listing", seller, body()).body

    answer = aws.call("get_listing", listing_id=waiting["id"])

    assert (answer.status, answer.body["verifiedAt"], answer.body["snapshot"]) == (200, None, None)


@pytest.mark.parametrize("status", [ListingStatus.RESERVED, ListingStatus.SOLD])
def test_shows_what_is_in_a_deal_or_sold(aws: Platform, listing: Listing, status: ListingStatus) -> None:
    moved(listing, status)

    answer = aws.call("get_listing", listing_id=listing.id)

    assert (answer.status, answer.body["status"]) == (200, status)


@pytest.mark.parametrize("end", ["cancelled", "removed"])
def test_shows_what_was_taken_away_to_its_owner_alone(aws: Platform, seller: User, listing: Listing, end: str) -> None:
    if end == "cancelled":
        aws.call("cancel_listing", seller, listing_id=listing.id)
    else:
        moved(listing, ListingStatus.REMOVED)

    assert aws.call("get_listing", headers=bearer(seller), listing_id=listing.id).body["status"] == end.upper()
    refused(aws, 404, "NOT_FOUND", "get_listing", listing_id=listing.id)
    stranger = bearer(factories.user())
    refused(aws, 404, "NOT_FOUND", "get_listing", headers=stranger, listing_id=listing.id)


def test_knows_no_other_ids(aws: Platform, subtests: pytest.Subtests) -> None:
    for listing_id in BAD_IDS:
        with subtests.test(repr(listing_id)[:60]):
            refused(aws, 404, "NOT_FOUND", "get_listing", listing_id=listing_id)


NO_TOKENS = ["Bearer nonsense", "Basic dTpw", ""]


def test_refuses_a_token_that_is_none(aws: Platform, listing: Listing, subtests: pytest.Subtests) -> None:
    for header in NO_TOKENS:
        with subtests.test(repr(header)[:60]):
            headers = {"Authorization": header}

            refused(aws, 401, "UNAUTHENTICATED", "get_listing", headers=headers, listing_id=listing.id)
