"""Signing in with Discord: who agreed, which codes are refused, and what an outage is."""

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bloxtr8 import config, errors
from bloxtr8.outside import discord
from local.doubles.discord import DiscordDouble
from tests.emulator import Clock
from tests.outside.browser import PAGE, agree, paths

ALICE = "80351110224678912"
SCOPES = ["identify", "guilds", "guilds.members.read"]
TOKEN_PATH = "/api/v10/oauth2/token"
ME_PATH = "/api/v10/users/@me"


@pytest.fixture
def code(discord_double: DiscordDouble) -> str:
    """A code with which Alice agreed."""
    discord_double.put_user(ALICE, "alice", avatar="a_8342729096ea3675442027381ff50dfe")
    return agree(discord.authorize_url(PAGE, "the state", SCOPES), ALICE)


def test_authorize_url_names_client_scopes_and_state(discord_double: DiscordDouble) -> None:
    url = urlsplit(discord.authorize_url(PAGE, "a state&more", SCOPES))
    assert url.path == "/oauth2/authorize"
    assert parse_qs(url.query) == {
        "client_id": [discord_double.secret["clientId"]],
        "redirect_uri": [PAGE],
        "response_type": ["code"],
        "scope": ["identify guilds guilds.members.read"],
        "state": ["a state&more"],
    }


def test_exchange_tells_who_agreed(code: str) -> None:
    user = discord.exchange(code, PAGE)
    assert user == discord.DiscordUser(ALICE, "alice", "a_8342729096ea3675442027381ff50dfe")


def test_exchange_knows_a_user_without_a_picture(discord_double: DiscordDouble) -> None:
    discord_double.put_user("7", "b\u202eob\n")
    user = discord.exchange(agree(discord.authorize_url(PAGE, "s", SCOPES), "7"), PAGE)
    assert user == discord.DiscordUser("7", "b\u202eob", None)


def test_the_code_is_never_in_a_url(discord_double: DiscordDouble, code: str) -> None:
    discord.exchange(code, PAGE)
    assert not [call for call in discord_double.calls if code in call["query"] or code in call["path"]]


def test_refuses_a_code_used_before(code: str) -> None:
    discord.exchange(code, PAGE)
    refuses(code, PAGE)


def test_refuses_an_expired_code(clock: Clock, code: str) -> None:
    clock.advance(seconds=61)
    refuses(code, PAGE)


def test_refuses_a_code_of_another_page(code: str) -> None:
    refuses(code, "http://localhost:5173/elsewhere")


@pytest.mark.parametrize("code", ["", "x" * 3000, "a code", "line\nbreak", "ünïcode", "never-given"])
def test_refuses_what_is_no_code(discord_double: DiscordDouble, code: str) -> None:
    refuses(code, PAGE)
    assert len(paths(discord_double)) == (1 if code == "never-given" else 0)


def refuses(code: str, page: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        discord.exchange(code, page)
    assert refused.value.code == "STATE_INVALID"
    assert refused.value.status == 400


OUTAGES: list[dict[str, Any]] = [
    {"drop": True},
    {"drop": True, "after_commit": True},
    {"status": 500},
    {"status": 429, "headers": {"Retry-After": "0.01"}},
    {"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}},
    {"delay_seconds": 1.0},
    {"status": 200, "body": "<html>"},
    {"status": 200, "body": "[" * 100_000},
    {"status": 200, "body": '"text"'},
    {"status": 200, "body": "{}"},
    {"status": 200, "body": '{"pad": "' + "x" * 300_000 + '"}'},
    {"status": 400, "body": '{"error": "invalid_request"}'},
    {"status": 403, "body": '{"error": "invalid_grant"}'},
]


@pytest.mark.parametrize("path", [TOKEN_PATH, ME_PATH])
@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: "-".join(str(v)[:12] for v in outage.values()))
def test_an_outage_is_not_a_refusal(
    discord_double: DiscordDouble, code: str, path: str, outage: dict[str, Any]
) -> None:
    discord_double.faults.put(f"{path}$", times=None, **outage)
    with pytest.raises(errors.UpstreamFailed) as failed:
        discord.exchange(code, PAGE)
    assert failed.value.status == 502
    assert failed.value.details == {}


@pytest.mark.parametrize(
    "token",
    [
        '{"access_token": 7, "token_type": "Bearer"}',
        '{"access_token": "a\\r\\nX-Injected: 1", "token_type": "Bearer"}',
        '{"access_token": "t", "token_type": "mac"}',
        '{"access_token": "", "token_type": "Bearer"}',
    ],
)
def test_a_strange_token_is_not_used(discord_double: DiscordDouble, code: str, token: str) -> None:
    discord_double.faults.put(TOKEN_PATH, body=token)
    with pytest.raises(errors.UpstreamFailed):
        discord.exchange(code, PAGE)
    assert paths(discord_double) == [TOKEN_PATH]


@pytest.mark.parametrize(
    "me",
    [
        '{"username": "alice"}',
        '{"id": 80351110224678912, "username": "alice"}',
        '{"id": "../7", "username": "alice"}',
        '{"id": "007", "username": "alice"}',
        '{"id": "7", "username": null}',
        '{"id": "7", "username": "\\u0000 "}',
    ],
)
def test_a_user_of_another_shape_is_nobody(discord_double: DiscordDouble, code: str, me: str) -> None:
    discord_double.faults.put(ME_PATH, body=me)
    with pytest.raises(errors.UpstreamFailed):
        discord.exchange(code, PAGE)


def test_the_code_is_sent_once_even_when_the_answer_is_lost(discord_double: DiscordDouble, code: str) -> None:
    discord_double.faults.put(TOKEN_PATH, drop=True, after_commit=True)
    with pytest.raises(errors.UpstreamFailed):
        discord.exchange(code, PAGE)
    assert paths(discord_double) == [TOKEN_PATH]
    refuses(code, PAGE)


def test_a_short_hiccup_after_the_token_is_overcome(discord_double: DiscordDouble, code: str) -> None:
    discord_double.faults.put(ME_PATH, status=503, times=2)
    assert discord.exchange(code, PAGE).id == ALICE
    assert paths(discord_double) == [TOKEN_PATH, ME_PATH, ME_PATH, ME_PATH]


def test_a_wrong_client_secret_is_our_fault(
    discord_double: DiscordDouble, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = discord_double.secret | {"clientSecret": "wrong"}
    monkeypatch.setattr(config, "secret", {"discord": wrong}.__getitem__)
    with pytest.raises(errors.UpstreamFailed):
        discord.exchange(code, PAGE)


def test_a_user_who_did_not_grant_identify_is_nobody(discord_double: DiscordDouble) -> None:
    discord_double.put_user(ALICE, "alice")
    code = agree(discord.authorize_url(PAGE, "s", ["guilds"]), ALICE)
    with pytest.raises(errors.UpstreamFailed):
        discord.exchange(code, PAGE)


def test_nothing_secret_is_logged_or_told(
    discord_double: DiscordDouble, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    discord_double.faults.put(ME_PATH, status=500, times=None)
    with caplog.at_level(logging.DEBUG, logger="bloxtr8"), pytest.raises(errors.UpstreamFailed) as failed:
        discord.exchange(code, PAGE)
    told = caplog.text + str(failed.value)
    assert "Discord: GET /api/v10/users/@me: 500" in caplog.text
    assert code not in told
    assert discord_double.secret["clientSecret"] not in told
    assert failed.value.__cause__ is None
