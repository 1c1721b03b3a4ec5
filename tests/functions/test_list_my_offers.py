"""The caller's offers on either side, as they are now."""

from typing import Any

import pytest

from bloxtr8.entities import User
from tests import factories
from tests.checks import refused
from tests.emulator import Clock, Platform
from tests.functions.offers import accept, counter


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def buyer(aws: Platform) -> User:
    return factories.user()


def listed(aws: Platform, user: User, **query: str) -> list[dict[str, Any]]:
    answer = aws.call("list_my_offers", user, query=query or None)
    assert answer.status == 200, answer.body
    return list(answer.body["items"])


def test_shows_each_side_its_own_newest_first(aws: Platform, seller: User, buyer: User) -> None:
    listings = [factories.listing(seller) for _ in range(2)]
    made = [factories.offer(listing, buyer) for listing in listings]
    child = counter(aws, seller, made[0], 110_000)
    factories.offer(listings[0], factories.user())
    wanted = [child.id, made[1].id, made[0].id]

    assert [one["id"] for one in listed(aws, buyer)] == wanted
    assert [one["id"] for one in listed(aws, buyer, role="buyer")] == wanted
    assert [one["listingTitle"] for one in listed(aws, buyer)] == [listings[n].title for n in (0, 1, 0)]
    assert [one["id"] for one in listed(aws, seller, role="seller")][1:] == wanted
    assert listed(aws, seller) == listed(aws, buyer, role="seller") == []


def test_filters_by_what_an_offer_is_now(aws: Platform, seller: User, buyer: User, clock: Clock) -> None:
    old = factories.offer(factories.listing(seller), buyer)
    clock.advance(days=7)
    listing = factories.listing(seller)
    lost, won = factories.offer(listing, buyer), factories.offer(listing, factories.user())
    open_ = factories.offer(factories.listing(seller), buyer)
    accept(aws, seller, won)

    for status, offer in (("EXPIRED", old), ("DECLINED", lost), ("PENDING", open_)):
        assert [one["id"] for one in listed(aws, buyer, status=status)] == [offer.id]
    assert [one["id"] for one in listed(aws, seller, role="seller", status="ACCEPTED")] == [won.id]
    assert listed(aws, buyer, status="WITHDRAWN") == []


def test_pages_through_all_exactly_once(aws: Platform, seller: User, buyer: User) -> None:
    made = [factories.offer(factories.listing(seller), buyer).id for _ in range(5)]

    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = aws.call("list_my_offers", buyer, query=query).body
        seen += [one["id"] for one in page["items"]]
        if "nextCursor" not in page:
            break
        query = {"limit": "2", "cursor": page["nextCursor"]}

    assert seen == made[::-1]


def test_a_cursor_is_good_for_its_caller_side_and_filter_alone(aws: Platform, seller: User, buyer: User) -> None:
    for _ in range(2):
        factories.offer(factories.listing(seller), buyer)
    cursor = aws.call("list_my_offers", buyer, query={"limit": "1"}).body["nextCursor"]

    for user, query in ((seller, {}), (buyer, {"role": "seller"}), (buyer, {"status": "PENDING"})):
        refused(aws, 400, "BAD_CURSOR", "list_my_offers", user, query={"cursor": cursor, **query})
    refused(aws, 400, "BAD_CURSOR", "list_my_offers", buyer, query={"cursor": "x" + cursor})


def test_refuses_a_query_of_the_wrong_form(aws: Platform, buyer: User) -> None:
    for query in ({"role": "BUYER"}, {"role": "both"}, {"status": "DEAD"}, {"limit": "51"}):
        refused(aws, 400, "VALIDATION_ERROR", "list_my_offers", buyer, query=query)
