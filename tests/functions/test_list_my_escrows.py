"""A person's escrows as buyer or as seller, newest first, and nobody else's."""

from typing import Any

import pytest

from bloxtr8.entities import Escrow, User
from tests import factories
from tests.emulator import Platform
from tests.wire import Wire


@pytest.fixture
def person(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def bought(person: User) -> list[Escrow]:
    """Newest first."""
    return [factories.executed(buyer=person) for _ in range(3)][::-1]


def listed(aws: Platform, user: Any, **query: str) -> dict[str, Any]:
    answer = aws.call("list_my_escrows", user, query=query or None)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def test_lists_what_is_mine_by_the_side_i_am_on(aws: Platform, person: User, bought: list[Escrow], wire: Wire) -> None:
    sold = factories.executed(seller=person)
    wire.calls.clear()

    assert [item["id"] for item in listed(aws, person)["items"]] == [escrow.id for escrow in bought]
    assert wire.round_trips() == 1
    (line,) = listed(aws, person, role="seller")["items"]
    assert (line["id"], line["status"], line["amount"], line["rail"]) == (sold.id, "AWAIT_FUNDS", 100_000, "STRIPE")
    assert (line["buyerId"], line["sellerId"], line["version"]) == (sold.buyer_id, person.id, sold.version)
    assert listed(aws, factories.user()) == {"items": []}


def test_goes_on_where_the_page_ended(aws: Platform, person: User, bought: list[Escrow]) -> None:
    first = listed(aws, person, limit="2")
    rest = listed(aws, person, limit="2", cursor=first["nextCursor"])

    assert [item["id"] for item in first["items"] + rest["items"]] == [escrow.id for escrow in bought]
    assert "nextCursor" not in rest
    for query in ({"cursor": "x"}, {"cursor": first["nextCursor"], "role": "seller"}):
        assert aws.call("list_my_escrows", person, query=query).code == "BAD_CURSOR"
    assert aws.call("list_my_escrows", factories.user(), query={"cursor": first["nextCursor"]}).code == "BAD_CURSOR"


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "51"}, {"limit": "x"}, {"role": "arbiter"}])
def test_refuses_what_it_does_not_know(aws: Platform, query: dict[str, str]) -> None:
    assert aws.call("list_my_escrows", "usr_1", query=query).code == "VALIDATION_ERROR"
    assert aws.call("list_my_escrows").status == 401
