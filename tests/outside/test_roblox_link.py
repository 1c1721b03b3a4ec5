"""Linking a Roblox account: PKCE holds, which codes are refused, and what an outage is."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bloxtr8 import config, errors
from bloxtr8.outside import roblox
from local.doubles.oauth import challenge_of
from local.doubles.roblox import RobloxDouble
from tests.emulator import Clock
from tests.outside.browser import PAGE, agree, paths

BUILDER = "1516563360"
VERIFIER = "v" * 64
TOKEN_PATH = "/oauth/v1/token"
USERINFO_PATH = "/oauth/v1/userinfo"


@pytest.fixture
def code(roblox_double: RobloxDouble) -> str:
    """A code with which the builder agreed, for our verifier."""
    roblox_double.put_user(BUILDER, "builderman")
    return agree(roblox.authorize_url(PAGE, "the state", challenge_of(VERIFIER)), BUILDER)


def refuses(code: str, verifier: str = VERIFIER) -> None:
    with pytest.raises(errors.Invalid) as refused:
        roblox.exchange(code, verifier, PAGE)
    assert refused.value.code == "STATE_INVALID"


def test_authorize_url_carries_the_challenge(roblox_double: RobloxDouble) -> None:
    url = urlsplit(roblox.authorize_url(PAGE, "s", "the-challenge"))
    assert url.path == "/oauth/v1/authorize"
    assert parse_qs(url.query) == {
        "client_id": [roblox_double.secret["clientId"]],
        "redirect_uri": [PAGE],
        "response_type": ["code"],
        "scope": ["openid profile"],
        "state": ["s"],
        "code_challenge": ["the-challenge"],
        "code_challenge_method": ["S256"],
    }


def test_exchange_tells_who_agreed(code: str) -> None:
    assert roblox.exchange(code, VERIFIER, PAGE) == roblox.RobloxUser(BUILDER, "builderman")


def test_refuses_the_wrong_verifier_and_burns_the_code(code: str) -> None:
    refuses(code, "w" * 64)
    refuses(code)


def test_refuses_a_code_used_before(code: str) -> None:
    roblox.exchange(code, VERIFIER, PAGE)
    refuses(code)


def test_refuses_an_expired_code(clock: Clock, code: str) -> None:
    clock.advance(seconds=60)
    refuses(code)


def test_refuses_what_is_no_code(roblox_double: RobloxDouble) -> None:
    refuses("../x y")
    assert paths(roblox_double) == []


@pytest.mark.parametrize("path", [TOKEN_PATH, USERINFO_PATH])
@pytest.mark.parametrize(
    "outage",
    [
        {"drop": True},
        {"status": 500},
        {"status": 429},
        {"delay_seconds": 1.0},
        {"body": "garbage"},
        {"body": "x" * 300_000},
        {"status": 401, "body": '{"error": "invalid_client"}'},
        {"status": 400, "body": '{"errors": [{"code": 0}]}'},
    ],
    ids=str,
)
def test_an_outage_is_not_a_refusal(roblox_double: RobloxDouble, code: str, path: str, outage: dict[str, Any]) -> None:
    roblox_double.faults.put(path, times=None, **outage)
    with pytest.raises(errors.UpstreamFailed):
        roblox.exchange(code, VERIFIER, PAGE)


def test_a_wrong_client_secret_is_our_fault(
    roblox_double: RobloxDouble, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "secret", {"roblox": roblox_double.secret | {"clientSecret": "no"}}.__getitem__)
    with pytest.raises(errors.UpstreamFailed):
        roblox.exchange(code, VERIFIER, PAGE)


@pytest.mark.parametrize(
    "claims",
    [
        '{"preferred_username": "x"}',
        '{"sub": 7.5, "preferred_username": "x"}',
        '{"sub": "../7", "preferred_username": "x"}',
        '{"sub": "7"}',
        '{"sub": "7", "preferred_username": " "}',
    ],
)
def test_claims_of_another_shape_are_nobody(roblox_double: RobloxDouble, code: str, claims: str) -> None:
    roblox_double.faults.put(USERINFO_PATH, body=claims)
    with pytest.raises(errors.UpstreamFailed):
        roblox.exchange(code, VERIFIER, PAGE)
