"""Every look at a listing's asset, newest first (M19)."""

from typing import Any

import pytest

from bloxtr8.entities import Listing, User
from tests import factories
from tests.checks import bearer, refused
from tests.emulator import Clock, Platform
from tests.functions.listings import BAD_IDS


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def listing(aws: Platform, clock: Clock, seller: User) -> Listing:
    """A listing that was looked at four times, on four days: one that shows nothing new is kept once a day."""
    made = factories.listing(seller)
    for _ in range(3):
        clock.advance(days=1)
        assert aws.call("verify_listing", seller, listing_id=made.id).status == 201
    return made


def pages(aws: Platform, listing: Listing, limit: int) -> list[list[Any]]:
    """All pages of a walk."""
    found, query = [], {"limit": str(limit)}
    while True:
        answer = aws.call("list_snapshots", query=query, listing_id=listing.id)
        assert answer.status == 200
        found.append(answer.body["items"])
        if not answer.body.get("nextCursor"):
            return found
        query["cursor"] = answer.body["nextCursor"]


def test_shows_all_newest_first(aws: Platform, listing: Listing) -> None:
    (page,) = pages(aws, listing, 20)

    assert len(page) == 4
    moments = [look["at"] for look in page]
    assert moments == sorted(moments, reverse=True)
    assert {"groupId", "owner", "memberCount", "verified", "metadata"} <= set(page[0])


@pytest.mark.parametrize("limit", [1, 3, 4])
def test_pages_through_all_exactly_once(aws: Platform, listing: Listing, limit: int) -> None:
    found = [look["id"] for page in pages(aws, listing, limit) for look in page]

    assert len(found) == len(set(found)) == 4


def test_shows_nothing_but_looks(aws: Platform, listing: Listing) -> None:
    """Chains of offers lie in the same partition."""
    buyer = factories.user()
    from bloxtr8 import actors, table
    from bloxtr8.entities import Chain

    chain = Chain(listing_id=listing.id, buyer_id=buyer.id, root="01K6ZZ8Q3V7M2N4P5R6S7T8V9W")
    table.commit(table.get(Listing, id=listing.id), chain, action="test", actor=actors.system("test"))

    assert len(pages(aws, listing, 20)[0]) == 4


def test_a_cancelled_listing_shows_them_to_its_owner_alone(aws: Platform, seller: User, listing: Listing) -> None:
    aws.call("cancel_listing", seller, listing_id=listing.id)

    refused(aws, 404, "NOT_FOUND", "list_snapshots", listing_id=listing.id)
    assert aws.call("list_snapshots", headers=bearer(seller), listing_id=listing.id).status == 200


def test_knows_no_other_ids(aws: Platform, subtests: pytest.Subtests) -> None:
    for listing_id in BAD_IDS:
        with subtests.test(repr(listing_id)[:60]):
            refused(aws, 404, "NOT_FOUND", "list_snapshots", listing_id=listing_id)


def test_a_cursor_is_good_for_its_listing_alone(aws: Platform, seller: User, listing: Listing) -> None:
    cursor = aws.call("list_snapshots", query={"limit": "1"}, listing_id=listing.id).body["nextCursor"]
    other = factories.listing(seller)

    refused(aws, 400, "BAD_CURSOR", "list_snapshots", query={"cursor": cursor}, listing_id=other.id)


BAD = [
    ({"limit": "0"}, "VALIDATION_ERROR"),
    ({"limit": "51"}, "VALIDATION_ERROR"),
    ({"limit": "x"}, "VALIDATION_ERROR"),
    ({"cursor": "x"}, "BAD_CURSOR"),
    ({"cursor": "A" * 3000}, "VALIDATION_ERROR"),
]


def test_refuses_bad_input(aws: Platform, listing: Listing, subtests: pytest.Subtests) -> None:
    for query, code in BAD:
        with subtests.test(repr(query)[:60]):
            refused(aws, 400, code, "list_snapshots", query=query, listing_id=listing.id)
