"""The audit log for staff: one root's chain in order, one person's entries, or some days'."""

import itertools
from typing import Any

import pytest

from bloxtr8.entities import User
from tests import factories
from tests.checks import refused
from tests.emulator import Clock, Platform

_numbers = itertools.count()


@pytest.fixture
def auditor(aws: Platform) -> User:
    return factories.user(platform_roles=frozenset({"COMPLIANCE"}))


def walk(aws: Platform, auditor: User, **query: str) -> list[dict[str, Any]]:
    """Every page of a question, to its end, where there is no cursor any more."""
    items: list[dict[str, Any]] = []
    for _ in range(100):
        answer = aws.call("list_audit", auditor, query=query)
        assert answer.status == 200, answer.body
        items += answer.body["items"]
        if "nextCursor" not in answer.body:
            return items
        query["cursor"] = answer.body["nextCursor"]
    raise AssertionError("no end")


def entries_of(aws: Platform, user: User, times: int) -> None:
    for _ in range(times):
        body = {"phone": f"+1555{next(_numbers):07}"}
        assert aws.call("update_me", user, body).status == 200


@pytest.mark.parametrize("limit", ["1", "2", "50"])
def test_shows_a_chain_in_order(aws: Platform, auditor: User, limit: str) -> None:
    user = factories.user()
    entries_of(aws, user, 4)

    found = walk(aws, auditor, entity=user.id, limit=limit)

    assert [item["seq"] for item in found] == [1, 2, 3, 4, 5]
    assert found[0] == {
        "id": f"{user.id}-1",
        "rootId": user.id,
        "seq": 1,
        "at": found[0]["at"],
        "actor": "factory",
        "role": "SYSTEM",
        "action": "finish_discord_login",
        "escrowId": None,
        "changes": [],
        "created": found[0]["created"],
        "details": {},
        "parent": None,
        "previous": "",
        "hash": found[1]["previous"],
    }
    assert {"type": "User", "id": user.id} in found[0]["created"]
    assert found[0]["at"].endswith("Z")


def test_shows_what_one_person_did_newest_first(aws: Platform, auditor: User) -> None:
    user, other = factories.user(), factories.user()
    entries_of(aws, user, 3)
    entries_of(aws, other, 1)

    found = walk(aws, auditor, userId=user.id, limit="2")

    assert [item["actor"] for item in found] == [user.id] * 3
    assert [item["seq"] for item in found] == [4, 3, 2]


def test_shows_days_from_the_last_back_to_the_first(aws: Platform, auditor: User, clock: Clock) -> None:
    user = factories.user()
    for _ in range(4):  # one entry a day, and a day without any
        entries_of(aws, user, 1)
        clock.advance(days=1)
    clock.advance(days=1)
    entries_of(aws, user, 2)

    found = walk(aws, auditor, **{"from": "2026-11-24", "to": "2026-11-28", "limit": "1"})

    assert [item["at"][:10] for item in found] == [f"2026-11-{day}" for day in (28, 28, 26, 25, 24)]
    assert [item["at"] for item in found] == sorted((item["at"] for item in found), reverse=True)
    assert walk(aws, auditor, **{"from": "2027-01-01", "to": "2027-01-31"}) == []


def test_nothing_of_nobody(aws: Platform, auditor: User) -> None:
    assert walk(aws, auditor, **{"from": "0001-01-01", "to": "0001-01-01"}) == []
    assert walk(aws, auditor, entity="esc_01JDCZ0000000000000000000A") == []
    assert walk(aws, auditor, userId="usr_none' OR 1=1") == []


def test_asks_for_one_question_in_bounds(aws: Platform, auditor: User, subtests: pytest.Subtests) -> None:
    day = "2026-11-23"
    bad: list[dict[str, str]] = [
        {},
        {"entity": "x", "userId": "y"},
        {"entity": "x", "from": day, "to": day},
        {"from": day},
        {"to": day},
        {"entity": "x", "to": day},
        {"from": "2026-11-24", "to": day},
        {"from": "2026-10-01", "to": day},
        {"from": "yesterday", "to": day},
        {"from": "0", "to": "0"},
        {"from": "0001-01-01", "to": "9999-12-31"},
        {"entity": "x" * 65},
        {"entity": "x", "limit": "51"},
        {"entity": "x", "limit": "0"},
    ]
    for query in bad:
        with subtests.test(repr(query)[:60]):
            refused(aws, 400, "VALIDATION_ERROR", "list_audit", auditor, query=query)


def test_a_cursor_is_good_for_its_question_and_its_reader_alone(
    aws: Platform, auditor: User, subtests: pytest.Subtests
) -> None:
    user, administrator = factories.user(), factories.user(platform_roles=frozenset({"PADMIN"}))
    entries_of(aws, user, 3)
    cursor = aws.call("list_audit", auditor, query={"entity": user.id, "limit": "1"}).body["nextCursor"]

    others: list[tuple[User, dict[str, str]]] = [
        (auditor, {"entity": auditor.id}),
        (auditor, {"userId": user.id}),
        (auditor, {"from": "2026-11-23", "to": "2026-11-23"}),
        (administrator, {"entity": user.id}),
    ]
    for reader, query in others:
        with subtests.test(repr(query)):
            refused(aws, 400, "BAD_CURSOR", "list_audit", reader, query=query | {"cursor": cursor})
    again = aws.call("list_audit", auditor, query={"entity": user.id, "limit": "50", "cursor": cursor})
    assert [item["seq"] for item in again.body["items"]] == [2, 3, 4]


@pytest.mark.parametrize("roles", [set(), {"SUPPORT"}, {"ARBITER"}])
def test_others_may_not_read_it(aws: Platform, roles: set[str]) -> None:
    user = factories.user(platform_roles=frozenset(roles))
    refused(aws, 403, "FORBIDDEN", "list_audit", user, query={"entity": user.id})


def test_nobody_may_read_it(aws: Platform) -> None:
    refused(aws, 401, "UNAUTHENTICATED", "list_audit", None, query={"entity": "x"})
