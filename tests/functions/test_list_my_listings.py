"""The caller's own listings, whatever became of them."""

import pytest

from bloxtr8.entities import ListingStatus, User
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions.listings import moved


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


def test_shows_the_callers_own_newest_first(aws: Platform, seller: User) -> None:
    mine = [factories.listing(seller).id for _ in range(3)]
    factories.listing(factories.user())

    answer = aws.call("list_my_listings", seller)

    assert answer.status == 200
    assert [item["id"] for item in answer.body["items"]] == mine[::-1]
    assert not answer.body.get("nextCursor")
    assert answer.body["items"][0]["allowedActions"]


def test_shows_every_status_and_filters_by_one(aws: Platform, seller: User) -> None:
    active, reserved, sold = (factories.listing(seller) for _ in range(3))
    moved(reserved, ListingStatus.RESERVED)
    moved(sold, ListingStatus.SOLD)

    def shown(**query: str) -> list[str]:
        return [item["id"] for item in aws.call("list_my_listings", seller, query=query).body["items"]]

    assert shown() == [sold.id, reserved.id, active.id]
    assert shown(status="SOLD") == [sold.id]
    assert shown(status="REMOVED") == []


def test_a_filtered_page_goes_on(aws: Platform, seller: User) -> None:
    first = factories.listing(seller)
    moved(factories.listing(seller), ListingStatus.SOLD)

    query = {"status": "ACTIVE", "limit": "1"}
    page = aws.call("list_my_listings", seller, query=query).body
    assert page["items"] == []
    page = aws.call("list_my_listings", seller, query=query | {"cursor": page["nextCursor"]}).body
    assert [item["id"] for item in page["items"]] == [first.id]


def test_pages_through_all_exactly_once(aws: Platform, seller: User) -> None:
    mine = [factories.listing(seller).id for _ in range(5)]
    found: list[str] = []
    query = {"limit": "2"}
    while True:
        page = aws.call("list_my_listings", seller, query=query).body
        found += [item["id"] for item in page["items"]]
        factories.listing(factories.user())
        if not page.get("nextCursor"):
            break
        query["cursor"] = page["nextCursor"]

    assert found == mine[::-1]


def test_a_cursor_is_good_for_its_caller_and_filter_alone(aws: Platform, seller: User) -> None:
    for _ in range(2):
        factories.listing(seller)
    cursor = aws.call("list_my_listings", seller, query={"limit": "1"}).body["nextCursor"]

    refused(aws, 400, "BAD_CURSOR", "list_my_listings", factories.user(), query={"cursor": cursor})
    refused(aws, 400, "BAD_CURSOR", "list_my_listings", seller, query={"cursor": cursor, "status": "ACTIVE"})


BAD = [{"status": "LIVE"}, {"limit": "0"}, {"limit": "51"}]


def test_refuses_bad_input(aws: Platform, seller: User, subtests: pytest.Subtests) -> None:
    for query in BAD:
        with subtests.test(repr(query)):
            refused(aws, 400, "VALIDATION_ERROR", "list_my_listings", seller, query=query)


def test_needs_a_token(aws: Platform) -> None:
    refused(aws, 401, "UNAUTHENTICATED", "list_my_listings")
