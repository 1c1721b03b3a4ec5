"""INACTIVE → ACTIVE, on fresh proof alone."""

from typing import Any

import pytest

from bloxtr8.entities import Listing, ListingStatus, Tier, User
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions.listings import BAD_IDS, body, guard, looks, moved, row, user_changed


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def rested(aws: Platform, seller: User) -> Listing:
    """A listing that its seller took off the shelf."""
    listing = factories.listing(seller)
    assert aws.call("deactivate_listing", seller, listing_id=listing.id).status == 200
    return row(listing)


def test_puts_it_back_on_the_shelf_on_fresh_proof(aws: Platform, roblox: Roblox, seller: User, rested: Listing) -> None:
    roblox.set_group(rested.asset_id, members=77)

    answer = aws.call("activate_listing", seller, listing_id=rested.id)

    assert answer.status == 200
    assert (answer.body["status"], answer.body["reason"], answer.body["version"]) == ("ACTIVE", None, 3)
    assert answer.body["snapshot"]["memberCount"] == 77
    kept = row(rested)
    assert (kept.gsi4pk, kept.gsi3pk, kept.offers_epoch) == ("BROWSE", "DUE#LISTING", 0)
    assert [look.member_count for look in looks(rested)] == [1_200, 77]
    held = guard(rested.asset_id)
    assert held is not None
    assert held.listing_id == rested.id
    assert [entry.action for entry in aws.audit(rested.id)][-1] == "activate_listing"


def test_activates_what_could_not_be_verified_when_it_was_made(aws: Platform, roblox: Roblox, seller: User) -> None:
    roblox.set_group("7000001", owner=seller)
    roblox.down()
    waiting = aws.call("create_listing", seller, body()).body
    roblox.up()

    answer = aws.call("activate_listing", seller, listing_id=waiting["id"])

    assert (answer.status, answer.body["status"], answer.body["snapshot"]["verified"]) == (200, "ACTIVE", True)


@pytest.mark.parametrize(
    ("group", "code"),
    [
        ({"owner": "999"}, "ASSET_NOT_OWNED"),
        ({"owner": None}, "ASSET_OWNERLESS"),
        ({"locked": True}, "ASSET_LOCKED"),
    ],
)
def test_refuses_without_proof(
    aws: Platform, roblox: Roblox, seller: User, rested: Listing, group: dict[str, Any], code: str
) -> None:
    roblox.set_group(rested.asset_id, **group)

    refused(aws, 422, code, "activate_listing", seller, listing_id=rested.id)


def test_refuses_an_asset_that_roblox_does_not_know(aws: Platform, roblox: Roblox, seller: User) -> None:
    roblox.down()
    waiting = aws.call("create_listing", seller, body(assetId="404")).body
    roblox.up()

    refused(aws, 422, "ASSET_NOT_FOUND", "activate_listing", seller, listing_id=waiting["id"])


def test_changes_nothing_while_roblox_is_down(aws: Platform, roblox: Roblox, seller: User, rested: Listing) -> None:
    roblox.down()

    refused(aws, 502, "UPSTREAM_FAILED", "activate_listing", seller, listing_id=rested.id)


def test_refuses_while_another_listing_of_the_seller_holds_the_asset(
    aws: Platform, seller: User, rested: Listing
) -> None:
    assert aws.call("create_listing", seller, body(assetId=rested.asset_id)).status == 201

    refused(aws, 409, "ASSET_ALREADY_LISTED", "activate_listing", seller, listing_id=rested.id)


def test_takes_the_asset_back_from_who_no_longer_owns_it(
    aws: Platform, roblox: Roblox, seller: User, rested: Listing
) -> None:
    other = factories.user()
    roblox.set_group(rested.asset_id, owner=other)
    between = aws.call("create_listing", other, body(assetId=rested.asset_id)).body
    refused(aws, 409, "ASSET_ALREADY_LISTED", "activate_listing", seller, listing_id=rested.id)
    roblox.set_group(rested.asset_id, owner=seller)

    answer = aws.call("activate_listing", seller, listing_id=rested.id)

    assert answer.status == 200
    assert (row(between["id"]).status, row(between["id"]).reason) == (ListingStatus.INACTIVE, "ASSET_LOST")
    held = guard(rested.asset_id)
    assert held is not None
    assert held.listing_id == rested.id


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (ListingStatus.ACTIVE, "INVALID_STATE"),
        (ListingStatus.RESERVED, "LISTING_RESERVED"),
        (ListingStatus.SOLD, "SOLD"),
        (ListingStatus.REMOVED, "INVALID_STATE"),
    ],
)
def test_refuses_from_any_other_status(aws: Platform, seller: User, status: ListingStatus, code: str) -> None:
    listing = moved(factories.listing(seller), status)

    answer = refused(aws, 409, code, "activate_listing", seller, listing_id=listing.id)

    assert answer.body["currentStatus"] == status


def test_refuses_the_banned_and_the_unlinked(aws: Platform, seller: User, rested: Listing) -> None:
    user_changed(seller, banned=True)
    refused(aws, 403, "BANNED", "activate_listing", seller, listing_id=rested.id)
    user_changed(seller, banned=False, tier=Tier.TIER_0, roblox_id=None)
    refused(aws, 403, "KYC_REQUIRED", "activate_listing", seller, listing_id=rested.id)


def test_is_not_for_others(aws: Platform, rested: Listing) -> None:
    refused(aws, 403, "FORBIDDEN", "activate_listing", factories.user(), listing_id=rested.id)
    refused(aws, 401, "UNAUTHENTICATED", "activate_listing", listing_id=rested.id)


def test_knows_no_other_ids(aws: Platform, seller: User, subtests: pytest.Subtests) -> None:
    for listing_id in BAD_IDS:
        with subtests.test(repr(listing_id)[:60]):
            refused(aws, 404, "NOT_FOUND", "activate_listing", seller, listing_id=listing_id)


def test_honours_if_match(aws: Platform, seller: User, rested: Listing) -> None:
    stale = {"If-Match": f'"{rested.version - 1}"'}
    answer = refused(aws, 412, "VERSION_MISMATCH", "activate_listing", seller, headers=stale, listing_id=rested.id)
    assert answer.body["version"] == rested.version

    fresh = {"If-Match": f'"{rested.version}"'}
    assert aws.call("activate_listing", seller, headers=fresh, listing_id=rested.id).status == 200


def test_a_repeated_key_replays_the_first_answer(aws: Platform, seller: User, rested: Listing) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = aws.call("activate_listing", seller, headers=key, listing_id=rested.id)

    again = aws.call("activate_listing", seller, headers=key, listing_id=rested.id)

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    assert len(looks(rested)) == 2


def test_of_two_listings_of_one_asset_at_once_one_is_activated(aws: Platform, seller: User, rested: Listing) -> None:
    other = aws.call("create_listing", seller, body(assetId=rested.asset_id)).body["id"]
    for _ in range(3):
        for listing_id in (rested.id, other):
            if row(listing_id).status is ListingStatus.ACTIVE:
                assert aws.call("deactivate_listing", seller, listing_id=listing_id).status == 200

        answers = together(
            lambda: aws.call("activate_listing", seller, listing_id=rested.id),
            lambda: aws.call("activate_listing", seller, listing_id=other),
        )

        assert sorted(answer.status for answer in answers) == [200, 409]
        held = guard(rested.asset_id)
        assert held is not None
        assert row(held.listing_id).status is ListingStatus.ACTIVE
