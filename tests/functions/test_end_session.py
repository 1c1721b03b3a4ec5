"""Signing out."""

from typing import Any

import pytest

from bloxtr8 import sessions, table
from tests import factories
from tests.checks import refused
from tests.emulator import Platform


def opened(user: Any, number: int = 1) -> list[tuple[Any, sessions.Tokens]]:
    return [factories.session(user) for _ in range(number)]


def alive(tokens: sessions.Tokens) -> bool:
    try:
        sessions.authenticate(f"Bearer {tokens.access_token}")
    except sessions.Unauthenticated:
        return False
    return True


@pytest.mark.parametrize("body", [None, {}, {"all": False}])
def test_ends_this_session_alone(aws: Platform, body: Any) -> None:
    user = factories.user()
    (mine, tokens), (_, other) = opened(user, 2)
    answer = aws.call("end_session", user, body, session_id=mine.id)
    assert (answer.status, answer.body) == (204, None)
    assert (alive(tokens), alive(other)) == (False, True)
    with pytest.raises(sessions.Unauthenticated):
        sessions.refresh(tokens.refresh_token)


def test_ends_all_sessions_of_the_person_and_of_nobody_else(aws: Platform) -> None:
    user, stranger = factories.user(), factories.user()
    mine, [(_, other)] = opened(user, 3), opened(stranger)
    answer = aws.call("end_session", user, {"all": True}, session_id=mine[0][0].id)
    assert answer.status == 204
    assert [alive(tokens) for _, tokens in mine] == [False] * 3
    assert alive(other)
    entry = aws.audit(user.id)[-1]
    assert (entry.action, entry.actor, entry.details) == ("end_session", user.id, {"sessions": 3})


def test_ends_more_sessions_than_one_transaction_takes(aws: Platform) -> None:
    user = factories.user()
    opened(user, 95)
    assert aws.call("end_session", user, {"all": True}).status == 204
    assert not [row for row in aws.rows() if row["SK"]["S"].startswith("SESSION#")]
    assert [entry.details for entry in aws.audit(user.id)[1:]] == [{"sessions": 90}, {"sessions": 5}]


def test_ends_more_sessions_than_one_read_shows(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "PARTITION_LIMIT", 4)
    user = factories.user()
    opened(user, 9)
    assert aws.call("end_session", user, {"all": True}).status == 204
    assert not [row for row in aws.rows() if row["SK"]["S"].startswith("SESSION#")]


def test_a_session_that_is_gone_is_no_error(aws: Platform) -> None:
    user = factories.user()
    [(session, _)] = opened(user)
    for _ in range(2):
        assert aws.call("end_session", user, session_id=session.id).status == 204


@pytest.mark.parametrize("body", [{"all": 1}, {"all": "yes"}, {"sessionId": "ses_1"}, [], "all"])
def test_refuses_a_body_of_the_wrong_form(aws: Platform, body: Any) -> None:
    user = factories.user()
    [(session, _)] = opened(user)
    refused(aws, 400, "VALIDATION_ERROR", "end_session", user, body, session_id=session.id)


def test_refuses_nobody(aws: Platform) -> None:
    assert aws.call("end_session", None, {}).status == 401


def test_no_content_has_no_body(aws: Platform) -> None:
    answer = aws.invoke("end_session", aws.event("end_session", factories.user(), {}))
    assert (answer["statusCode"], answer["body"]) == (204, "")
