"""The seller sees every offer for his listing, anybody else only the own chain."""

from typing import Any

import pytest

from bloxtr8.entities import Listing, ListingStatus, User
from tests import factories
from tests.checks import refused
from tests.emulator import Clock, Platform
from tests.functions.listings import BAD_IDS, moved
from tests.functions.offers import accept, counter


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def listing(seller: User) -> Listing:
    return factories.listing(seller)


def listed(aws: Platform, user: User, listing: Listing, **query: str) -> dict[str, Any]:
    answer = aws.call("list_listing_offers", user, listing_id=listing.id, query=query or None)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def test_shows_the_seller_every_chain_newest_first(aws: Platform, seller: User, listing: Listing) -> None:
    first, second = (factories.offer(listing, factories.user()) for _ in range(2))
    child = counter(aws, seller, first, 110_000)

    items = listed(aws, seller, listing)["items"]

    assert [one["id"] for one in items] == [child.id, second.id, first.id]
    assert [one["status"] for one in items] == ["PENDING", "PENDING", "COUNTERED"]
    assert items[1]["allowedActions"] == ["counter_offer", "accept_offer", "decline_offer"]


def test_shows_a_buyer_the_own_chain_alone(aws: Platform, seller: User, listing: Listing) -> None:
    buyer = factories.user()
    factories.offer(listing, factories.user())
    mine = factories.offer(listing, buyer)
    child = counter(aws, seller, mine, 110_000)

    assert [one["id"] for one in listed(aws, buyer, listing)["items"]] == [child.id, mine.id]


def test_shows_a_stranger_nothing(aws: Platform, listing: Listing) -> None:
    factories.offer(listing, factories.user())

    assert listed(aws, factories.user(), listing) == {"items": []}


def test_shows_what_each_is_now_before_any_job_ran(aws: Platform, seller: User, listing: Listing, clock: Clock) -> None:
    buyers = [factories.user() for _ in range(3)]
    old = factories.offer(listing, buyers[0])
    clock.advance(days=7)
    lost, won = (factories.offer(listing, buyer) for buyer in buyers[1:])
    assert [one["status"] for one in listed(aws, seller, listing)["items"]] == ["PENDING", "PENDING", "EXPIRED"]

    accept(aws, seller, won)

    reads = {one["id"]: (one["status"], one["reason"]) for one in listed(aws, seller, listing)["items"]}
    assert reads[won.id] == ("ACCEPTED", None)
    assert reads[lost.id] == reads[old.id] == ("DECLINED", "LISTING_RESERVED")
    (own,) = listed(aws, buyers[1], listing)["items"]
    assert (own["status"], own["allowedActions"]) == ("DECLINED", [])


def test_a_buyer_still_sees_his_chain_when_the_listing_is_gone(aws: Platform, seller: User, listing: Listing) -> None:
    buyer = factories.user()
    mine = factories.offer(listing, buyer)
    aws.call("cancel_listing", seller, listing_id=listing.id)

    assert [one["id"] for one in listed(aws, buyer, listing)["items"]] == [mine.id]
    refused(aws, 404, "NOT_FOUND", "list_listing_offers", factories.user(), listing_id=listing.id)


def test_pages_through_all_exactly_once(aws: Platform, seller: User, listing: Listing) -> None:
    made = [factories.offer(listing, factories.user()).id for _ in range(5)]

    seen, query = [], {"limit": "2"}
    while True:
        page = listed(aws, seller, listing, **query)
        seen += [one["id"] for one in page["items"]]
        if "nextCursor" not in page:
            break
        query = {"limit": "2", "cursor": page["nextCursor"]}

    assert seen == made[::-1]


def test_a_cursor_is_good_for_its_caller_listing_and_chain_alone(aws: Platform, seller: User, listing: Listing) -> None:
    buyer = factories.user()
    child = counter(aws, seller, factories.offer(listing, buyer), 110_000)
    sellers = listed(aws, seller, listing, limit="1")["nextCursor"]
    buyers = listed(aws, buyer, listing, limit="1")["nextCursor"]
    other = factories.listing(seller)
    aws.call("decline_offer", buyer, offer_id=child.id)
    factories.offer(listing, buyer)

    for user, place, cursor in ((buyer, listing, sellers), (seller, other, sellers), (buyer, listing, buyers)):
        refused(aws, 400, "BAD_CURSOR", "list_listing_offers", user, listing_id=place.id, query={"cursor": cursor})


def test_refuses_a_limit_of_the_wrong_form(aws: Platform, seller: User, listing: Listing) -> None:
    for limit in ("0", "51", "x", "1.5"):
        refused(
            aws, 400, "VALIDATION_ERROR", "list_listing_offers", seller, listing_id=listing.id, query={"limit": limit}
        )


def test_knows_no_other_ids(aws: Platform, seller: User, subtests: pytest.Subtests) -> None:
    for listing_id in BAD_IDS:
        with subtests.test(listing_id=listing_id):
            refused(aws, 404, "NOT_FOUND", "list_listing_offers", seller, listing_id=listing_id)


def test_a_removed_listing_is_unknown_to_strangers(aws: Platform, listing: Listing) -> None:
    moved(listing, ListingStatus.REMOVED)

    refused(aws, 404, "NOT_FOUND", "list_listing_offers", factories.user(), listing_id=listing.id)
