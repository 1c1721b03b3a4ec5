"""The gateway's question before every route that is not public."""

from typing import Any

import pytest

from tests import factories
from tests.emulator import Clock, Platform

ARN = "arn:aws:execute-api:us-east-1:123456789012:bloxtr8/v1/POST/offers/off_1/accept"


def ask(aws: Platform, header: str | None, name: str = "Authorization") -> Any:
    headers = {"Accept": "application/json"} | ({} if header is None else {name: header})
    return aws.invoke("authorize_request", {"type": "REQUEST", "methodArn": ARN, "headers": headers})


def signed_in() -> tuple[str, Any, Any]:
    user = factories.user()
    session, tokens = factories.session(user)
    return user.id, session, tokens


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_live_session_opens_the_whole_stage(aws: Platform, name: str, scheme: str) -> None:
    user_id, session, tokens = signed_in()
    answer = ask(aws, f"{scheme} {tokens.access_token}", name)
    assert answer["context"] == {"userId": user_id, "sessionId": session.id}
    assert answer["principalId"] == user_id
    [statement] = answer["policyDocument"]["Statement"]
    assert statement == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": "arn:aws:execute-api:us-east-1:123456789012:bloxtr8/v1/*",
    }


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic dXNlcjpwYXNz", "Bearer a.b.c"])
def test_no_token_is_unauthorized(aws: Platform, header: str | None) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(aws, header)


def test_a_refresh_token_is_no_access_token(aws: Platform) -> None:
    _, _, tokens = signed_in()
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(aws, f"Bearer {tokens.refresh_token}")


def test_an_expired_token_is_unauthorized(aws: Platform, clock: Clock) -> None:
    _, _, tokens = signed_in()
    clock.advance(minutes=15)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(aws, f"Bearer {tokens.access_token}")


def test_an_ended_session_is_unauthorized(aws: Platform) -> None:
    from bloxtr8 import sessions

    user_id, session, tokens = signed_in()
    sessions.end(user_id, session.id)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(aws, f"Bearer {tokens.access_token}")


def test_an_outage_is_no_401(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    from bloxtr8 import table

    def down(*_: Any, **__: Any) -> None:
        raise ConnectionError("the table does not answer")

    _, _, tokens = signed_in()
    monkeypatch.setattr(table, "find", down)
    with pytest.raises(ConnectionError):
        ask(aws, f"Bearer {tokens.access_token}")
