"""Browsing: everything that is for sale, exactly once, while more is being added (M15)."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from bloxtr8.entities import ListingStatus, User, price_band
from tests import factories
from tests.checks import bearer, refused
from tests.emulator import Platform
from tests.functions.listings import moved

PRICES = (900, 1_000, 1_001, 40_000, 120_000, 120_000, 999_999, 5_000_000)


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


def walk(aws: Platform, **query: str) -> Iterator[list[dict[str, Any]]]:
    """The pages of a search, one by one."""
    while True:
        answer = aws.call("search_listings", query=query)
        assert answer.status == 200, answer.body
        yield answer.body["items"]
        if not answer.body.get("nextCursor"):
            return
        query["cursor"] = answer.body["nextCursor"]


def ids(pages: Iterator[list[dict[str, Any]]]) -> list[str]:
    return [item["id"] for page in pages for item in page]


def test_shows_the_newest_first_to_everybody(aws: Platform, seller: User) -> None:
    made = [factories.listing(seller).id for _ in range(3)]

    answer = aws.call("search_listings")

    assert [item["id"] for item in answer.body["items"]] == made[::-1]
    assert answer.body["items"][0]["allowedActions"] == []
    assert answer.body["items"][0]["snapshot"]["verified"] is True


def test_shows_the_caller_what_he_may_do_with_his_own(aws: Platform, seller: User) -> None:
    factories.listing(seller)

    (item,) = aws.call("search_listings", headers=bearer(seller)).body["items"]

    assert "update_listing" in item["allowedActions"]


def test_shows_nothing_that_is_not_for_sale(aws: Platform, seller: User) -> None:
    shown = factories.listing(seller)
    for status in (ListingStatus.RESERVED, ListingStatus.SOLD, ListingStatus.REMOVED):
        moved(factories.listing(seller), status)
    aws.call("deactivate_listing", seller, listing_id=factories.listing(seller).id)
    aws.call("cancel_listing", seller, listing_id=factories.listing(seller).id)

    assert ids(walk(aws)) == [shown.id]
    assert ids(walk(aws, sort="price")) == [shown.id]


@pytest.mark.parametrize("sort", ["new", "price"])
def test_pages_through_all_exactly_once_while_more_is_added(aws: Platform, seller: User, sort: str) -> None:
    made = {factories.listing(seller, price=price).id for price in PRICES}
    for limit in ("1", "3", "50"):
        found: list[str] = []
        for number, page in enumerate(walk(aws, sort=sort, limit=limit)):
            found += [item["id"] for item in page]
            if number < 3:
                factories.listing(seller, price=1_000)

        assert len(found) == len(set(found))
        assert made <= set(found)


def test_sorts_by_price_over_all_bands(aws: Platform, seller: User) -> None:
    for price in reversed(PRICES):
        factories.listing(seller, price=price)

    prices = [item["price"] for page in walk(aws, sort="price") for item in page]

    assert prices == sorted(PRICES)


def test_shows_one_price_band(aws: Platform, seller: User, subtests: pytest.Subtests) -> None:
    for price in PRICES:
        factories.listing(seller, price=price)
    for band, sort in itertools.product((0, 1, 5, 7), ({}, {"sort": "price"}, {"sort": "new"})):
        with subtests.test(f"{band} {sort}"):
            pages = walk(aws, priceBand=str(band), limit="2", **sort)

            found = [item["price"] for page in pages for item in page]

            assert sorted(found) == [price for price in PRICES if price_band(price) == band]
            assert sort == {"sort": "new"} or found == sorted(found)


@pytest.mark.parametrize("sort", ["new", "price"])
def test_filters_by_category_within_the_page(aws: Platform, seller: User, sort: str) -> None:
    wanted = [factories.listing(seller, category=name).id for name in ("Racing", "Roleplay", "racing", "Racing")]

    found = ids(walk(aws, category="Racing", sort=sort, limit="1"))

    assert sorted(found) == sorted([wanted[0], wanted[3]])


def test_a_new_price_moves_it_to_another_band(aws: Platform, seller: User) -> None:
    listing = factories.listing(seller, price=900)

    aws.call("update_listing", seller, {"price": 9_000_000}, listing_id=listing.id)

    assert ids(walk(aws, priceBand="0")) == []
    assert ids(walk(aws, priceBand="7")) == [listing.id]


def test_a_cursor_is_good_for_its_search_alone(aws: Platform, seller: User) -> None:
    for _ in range(2):
        factories.listing(seller)
    cursor = aws.call("search_listings", query={"limit": "1"}).body["nextCursor"]

    for other in ({"category": "Racing"}, {"sort": "price"}, {"priceBand": "5", "sort": "new"}):
        refused(aws, 400, "BAD_CURSOR", "search_listings", query={"cursor": cursor} | other)
    query = {"cursor": cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")}
    refused(aws, 400, "BAD_CURSOR", "search_listings", query=query)


BAD = [
    {"priceBand": "8"},
    {"priceBand": "-1"},
    {"priceBand": "cheap"},
    {"sort": "old"},
    {"limit": "0"},
    {"limit": "51"},
    {"category": "a" * 101},
    {"cursor": "A" * 3000},
]


def test_refuses_bad_input(aws: Platform, subtests: pytest.Subtests) -> None:
    for query in BAD:
        with subtests.test(repr(query)[:60]):
            refused(aws, 400, "VALIDATION_ERROR", "search_listings", query=query)


def test_refuses_guilds_until_there_are_some(aws: Platform) -> None:
    query = {"guildId": "gld_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"}

    refused(aws, 422, "NOT_AVAILABLE_YET", "search_listings", query=query)


def test_refuses_a_token_that_is_none(aws: Platform) -> None:
    refused(aws, 401, "UNAUTHENTICATED", "search_listings", headers={"Authorization": "Bearer nonsense"})
