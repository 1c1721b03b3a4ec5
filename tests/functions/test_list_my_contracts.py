"""The caller's contracts on either side, newest first."""

from typing import Any

import pytest

from bloxtr8.entities import User
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.wire import Wire


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def buyer(aws: Platform) -> User:
    return factories.user()


def listed(aws: Platform, user: User, **query: str) -> dict[str, Any]:
    answer = aws.call("list_my_contracts", user, query=query or None)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def ids(page: dict[str, Any]) -> list[str]:
    return [one["id"] for one in page["items"]]


def test_shows_each_side_its_own_newest_first(aws: Platform, seller: User, buyer: User) -> None:
    made = [factories.accepted(seller, buyer), factories.contract(seller=seller, buyer=buyer)]
    factories.accepted()
    wanted = [one.id for one in reversed(made)]

    assert ids(listed(aws, buyer)) == ids(listed(aws, buyer, role="buyer")) == wanted
    assert ids(listed(aws, seller, role="seller")) == wanted
    assert ids(listed(aws, seller)) == ids(listed(aws, buyer, role="seller")) == []
    newest, oldest = listed(aws, buyer)["items"]
    assert (newest["status"], newest["sha256"]) == ("PENDING_SIGNATURE", made[1].sha256)
    assert (oldest["status"], oldest["sha256"], oldest["escrowId"]) == ("PENDING_PDF", None, None)
    assert "terms" not in newest
    assert seller.payout_account_id not in str(newest)


def test_an_executed_one_names_its_escrow(aws: Platform, seller: User) -> None:
    opened = factories.executed(seller=seller)
    (one,) = listed(aws, seller, role="seller")["items"]
    assert (one["status"], one["escrowId"]) == ("EXECUTED", opened.id)


def test_pages_through_all_exactly_once_with_one_query_each(
    aws: Platform, seller: User, buyer: User, wire: Wire
) -> None:
    made = [factories.accepted(seller, buyer).id for _ in range(5)]
    seen: list[str] = []
    query = {"limit": "2"}
    while True:
        wire.calls.clear()
        page = listed(aws, buyer, **query)
        assert wire.round_trips() == 1
        seen += ids(page)
        if not page.get("nextCursor"):
            break
        query["cursor"] = page["nextCursor"]
    assert seen == made[::-1]


def test_refuses_a_cursor_of_another_list(aws: Platform, seller: User, buyer: User) -> None:
    for _ in range(2):
        factories.accepted(seller, buyer)
    cursor = listed(aws, buyer, limit="1")["nextCursor"]
    for user, query in ((seller, {}), (buyer, {"role": "seller"})):
        refused(aws, 400, "BAD_CURSOR", "list_my_contracts", user, query={"cursor": cursor, **query})
    for bad in ("x", cursor[:-2], cursor + "A"):
        refused(aws, 400, "BAD_CURSOR", "list_my_contracts", buyer, query={"cursor": bad})


def test_refuses_bad_queries_and_nobody(aws: Platform, buyer: User) -> None:
    for query in ({"role": "arbiter"}, {"limit": "0"}, {"limit": "51"}, {"limit": "x"}):
        refused(aws, 400, "VALIDATION_ERROR", "list_my_contracts", buyer, query=query)
    refused(aws, 401, "UNAUTHENTICATED", "list_my_contracts", None)
