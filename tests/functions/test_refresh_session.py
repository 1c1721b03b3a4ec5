"""New tokens for a refresh token."""

from functools import partial
from typing import Any

import pytest

from bloxtr8 import sessions
from bloxtr8.aws_json import NoAnswer, Service
from tests import factories
from tests.checks import together
from tests.emulator import Clock, Platform

ROUNDS = 5


def opened() -> sessions.Tokens:
    return factories.session(factories.user())[1]


def refresh(aws: Platform, token: Any) -> Any:
    return aws.call("refresh_session", body={"refreshToken": token})


def test_answers_a_new_pair_that_works(aws: Platform) -> None:
    answer = refresh(aws, opened().refresh_token)
    assert answer.status == 200
    assert set(answer.body) == {"accessToken", "refreshToken", "expiresIn"}
    assert answer.body["expiresIn"] == 900
    assert sessions.authenticate(f"Bearer {answer.body['accessToken']}")
    assert refresh(aws, answer.body["refreshToken"]).status == 200


def test_a_spent_token_ends_the_session_of_thief_and_victim(aws: Platform) -> None:
    first = opened()
    second = refresh(aws, first.refresh_token).body
    stolen = refresh(aws, first.refresh_token)
    assert (stolen.status, stolen.code) == (401, "REFRESH_REUSED")
    assert refresh(aws, second["refreshToken"]).status == 401
    with pytest.raises(sessions.Unauthenticated):
        sessions.authenticate(f"Bearer {second['accessToken']}")


@pytest.mark.parametrize("done", [True, False], ids=["written", "not written"])
def test_who_refreshes_is_no_thief_because_the_tables_answer_was_lost(
    aws: Platform, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    token, post, lost = opened().refresh_token, Service.post, []

    def losing(service: Service, headers: Any, body: bytes, operation: str) -> Any:
        if operation != "PutItem" or lost:
            return post(service, headers, body, operation)
        lost.append(done and post(service, headers, body, operation))
        raise NoAnswer(operation)

    monkeypatch.setattr(Service, "post", losing)
    answer = refresh(aws, token)
    assert answer.status == 200
    assert len(lost) == 1
    assert refresh(aws, answer.body["refreshToken"]).status == 200


def test_the_access_token_before_dies_with_the_session_only(aws: Platform) -> None:
    first = opened()
    refresh(aws, first.refresh_token)
    assert sessions.authenticate(f"Bearer {first.access_token}")


def test_of_two_at_once_one_wins_and_the_family_ends(aws: Platform) -> None:
    for _ in range(ROUNDS):
        token = opened().refresh_token
        answers = together(*[partial(refresh, aws, token)] * 2)
        assert sorted(answer.status for answer in answers) == [200, 401]
        winner = next(answer for answer in answers if answer.status == 200)
        assert refresh(aws, winner.body["refreshToken"]).status == 401


def test_a_session_is_over_after_thirty_days_however_often_it_was_refreshed(aws: Platform, clock: Clock) -> None:
    token = opened().refresh_token
    for _ in range(2):
        clock.advance(days=14.9)
        token = refresh(aws, token).body["refreshToken"]
    clock.advance(days=0.3)
    answer = refresh(aws, token)
    assert (answer.status, answer.code) == (401, "UNAUTHENTICATED")


def test_refuses_an_access_token(aws: Platform) -> None:
    tokens = opened()
    before = aws.rows()
    answer = refresh(aws, tokens.access_token)
    assert (answer.status, answer.code) == (401, "UNAUTHENTICATED")
    assert aws.rows() == before
    assert refresh(aws, tokens.refresh_token).status == 200


def test_other_sessions_live_on(aws: Platform) -> None:
    user = factories.user()
    (_, mine), (_, other) = factories.session(user), factories.session(user)
    refresh(aws, mine.refresh_token)
    assert refresh(aws, mine.refresh_token).code == "REFRESH_REUSED"
    assert refresh(aws, other.refresh_token).status == 200


@pytest.mark.parametrize("token", [None, 1, "", "a b", "a\u0000.b.c", "ü.ü.ü", "\ud800", "x" * 2049, ["a"]])
def test_refuses_a_body_of_the_wrong_form(aws: Platform, token: Any) -> None:
    answer = refresh(aws, token)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.e30.", "..", "eyJhbGciOiJub25lIn0.e30.x"])
def test_refuses_what_is_no_token(aws: Platform, token: str) -> None:
    assert refresh(aws, token).status == 401


def test_an_idempotency_key_keeps_no_token(aws: Platform) -> None:
    body = {"refreshToken": opened().refresh_token}
    answer = aws.call("refresh_session", body=body, headers={"Idempotency-Key": "k"})
    assert answer.status == 200
    assert answer.body["refreshToken"] not in str(aws.rows())
    assert not [row for row in aws.rows() if row["PK"]["S"].startswith("IDEM#")]
