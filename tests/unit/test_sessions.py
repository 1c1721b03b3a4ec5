"""Tokens: only ours, only for what they are for, only while their session lives."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest

from bloxtr8 import config, sessions, table
from bloxtr8.entities import Session
from bloxtr8.errors import Unauthenticated
from tests.emulator import SECRETS, Clock, Platform

KEY = SECRETS["tokens"]["key"]
USER = "usr_01JDCZ0000000000000000000E"


@pytest.fixture
def tokens(aws: Platform) -> sessions.Tokens:
    """The tokens of a live session."""
    return opened()[1]


def opened() -> tuple[Session, sessions.Tokens]:
    session = sessions.open_session(USER)
    assert table.remember(session)
    return session, sessions.tokens_for(session)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def forged(token: str, header: dict[str, Any], key: str = "", **changes: Any) -> str:
    """The token with other claims, signed by hand with HMAC-SHA256 under `key`."""
    body = f"{part({'typ': 'JWT', **header})}.{part(claims(token) | changes)}"
    mac = hmac.new(key.encode(), body.encode(), hashlib.sha256).digest() if key else b""
    return f"{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def refused(token: str) -> bool:
    try:
        sessions.authenticate(f"Bearer {token}")
    except Unauthenticated:
        return True
    return False


def test_a_session_is_stored_with_its_end_and_without_its_tokens(aws: Platform, clock: Clock) -> None:
    started = clock.moment
    session, pair = opened()
    kept = table.find(Session, user_id=USER, id=session.id)
    assert kept is not None
    assert dt.timedelta(days=30) <= kept.expires_at - started < dt.timedelta(days=30, seconds=1)
    assert kept.ttl is not None
    assert not [row for row in aws.rows() if pair.access_token in str(row) or pair.refresh_token in str(row)]


def test_the_tokens_say_whose_and_which_session_and_nothing_else(tokens: sessions.Tokens) -> None:
    access, refresh = claims(tokens.access_token), claims(tokens.refresh_token)
    assert set(access) == {"sub", "sid", "aud", "iss", "iat", "exp"}
    assert set(refresh) == set(access) | {"gen"}
    assert (access["sub"], access["aud"], refresh["aud"]) == (USER, "access", "refresh")
    assert access["exp"] - access["iat"] == 15 * 60


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ({"alg": "none"}, ""),
        ({"alg": "None"}, ""),
        ({"alg": "nOnE"}, KEY),
        ({"alg": "HS384"}, KEY),
        ({"alg": "RS256"}, KEY),
        ({"alg": "ES256"}, KEY),
        ({"alg": None}, KEY),
        ({"alg": ["HS256"]}, KEY),
        ({}, KEY),
        ({"alg": "HS256"}, "another key, which is also long enough for it"),
        ({"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}, ""),
        ({"alg": "HS256", "kid": "../../dev/null"}, ""),
        ({"alg": "HS256", "crit": ["exp"]}, ""),
    ],
)
def test_refuses_every_other_way_to_sign(tokens: sessions.Tokens, header: dict[str, Any], key: str) -> None:
    assert refused(forged(tokens.access_token, header, key))


def test_the_way_it_is_forged_here_would_pass_with_our_key(tokens: sessions.Tokens) -> None:
    assert not refused(forged(tokens.access_token, {"alg": "HS256"}, KEY))


@pytest.mark.parametrize("name", ["sub", "sid", "exp", "iat", "aud", "iss"])
def test_refuses_a_token_that_lacks_a_claim(tokens: sessions.Tokens, name: str) -> None:
    kept = {key: value for key, value in claims(tokens.access_token).items() if key != name}
    assert refused(jwt.encode(kept, KEY, "HS256"))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"aud": "refresh"},
        {"aud": "cursor"},
        {"sub": "usr_01JDCZ0000000000000000000F"},
        {"sid": "ses_01JDCZ0000000000000000000F"},
        {"sid": ""},
        {"exp": 0},
        {"exp": -1},
    ],
)
def test_refuses_claims_of_another_kind(tokens: sessions.Tokens, changes: dict[str, Any]) -> None:
    assert refused(forged(tokens.access_token, {"alg": "HS256"}, KEY, **changes))


def test_refuses_a_refresh_token_where_access_is_needed_and_the_other_way_round(tokens: sessions.Tokens) -> None:
    assert refused(tokens.refresh_token)
    with pytest.raises(Unauthenticated):
        sessions.refresh(tokens.access_token)


def test_an_access_token_lives_fifteen_minutes_by_the_houses_clock(tokens: sessions.Tokens, clock: Clock) -> None:
    clock.advance(minutes=14, seconds=59)
    assert not refused(tokens.access_token)
    clock.advance(seconds=1)
    assert refused(tokens.access_token)


def test_a_session_past_its_end_counts_as_gone_while_the_row_lingers(aws: Platform, clock: Clock) -> None:
    session, _ = opened()
    clock.advance(days=30)
    late = sessions.tokens_for(session)
    assert table.find(Session, user_id=USER, id=session.id) is not None
    assert refused(late.access_token)


def test_nothing_of_an_ended_session_counts(tokens: sessions.Tokens) -> None:
    sessions.end(USER, claims(tokens.access_token)["sid"])
    assert refused(tokens.access_token)
    with pytest.raises(Unauthenticated) as gone:
        sessions.refresh(tokens.refresh_token)
    assert gone.value.code == "UNAUTHENTICATED"


def test_a_refresh_token_without_a_generation_ends_the_session(tokens: sessions.Tokens) -> None:
    kept = {key: value for key, value in claims(tokens.refresh_token).items() if key != "gen"}
    with pytest.raises(Unauthenticated) as reused:
        sessions.refresh(jwt.encode(kept, KEY, "HS256"))
    assert reused.value.code == "REFRESH_REUSED"
    assert refused(tokens.access_token)


@pytest.mark.parametrize("scheme", ["", "Basic", "Token", "Bearer:", "Bearer\t"])
def test_refuses_another_scheme(tokens: sessions.Tokens, scheme: str) -> None:
    with pytest.raises(Unauthenticated):
        sessions.authenticate(f"{scheme} {tokens.access_token}")


@pytest.mark.parametrize(
    "token",
    ["", " ", "a.b.c", "ü.ü.ü", "\ud800.a.b", "a\x00.b.c", f"{'x' * 9000}.a.b", "W1tbW1tb.e30.x", "null.null.null"],
)
def test_refuses_what_is_no_token(aws: Platform, token: str) -> None:
    assert refused(token)


def test_refuses_one_that_differs_in_one_character(tokens: sessions.Tokens) -> None:
    head, body, signature = tokens.access_token.split(".")
    for place in range(len(body)):
        other = "A" if body[place] != "A" else "B"
        assert refused(f"{head}.{body[:place]}{other}{body[place + 1 :]}.{signature}")


def test_another_key_ends_every_token(tokens: sessions.Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "secret", lambda name: {"key": "the next key, which is also long enough for it"})
    assert refused(tokens.access_token)
