"""A sign-in with Discord begins."""

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import pytest

from bloxtr8.domain.people import challenge_of
from tests.checks import refused
from tests.doubles import Discord
from tests.emulator import Clock, Platform
from tests.functions.people import PAGE, VERIFIER, start_login

QUERY = {"redirectUri": PAGE, "challenge": challenge_of(VERIFIER)}


def test_answers_discords_page_with_the_state_and_the_scopes(aws: Platform, discord: Discord, clock: Clock) -> None:
    started = clock.moment
    answer = start_login(aws)
    query = {name: values[0] for name, values in parse_qs(urlsplit(answer["url"]).query).items()}
    assert query == {
        "client_id": "1000",
        "redirect_uri": PAGE,
        "response_type": "code",
        "scope": "identify guilds guilds.members.read",
        "state": answer["state"],
    }
    expires_at = dt.datetime.fromisoformat(answer["expiresAt"])
    assert dt.timedelta(minutes=10) <= expires_at - started < dt.timedelta(minutes=10, seconds=1)


def test_keeps_one_row_that_dies_by_itself(aws: Platform, discord: Discord) -> None:
    state = start_login(aws)["state"]
    [row] = aws.rows()
    assert row["PK"]["S"] == f"STATE#{state}"
    assert row["challenge"]["S"] == challenge_of(VERIFIER)
    assert "verifier" not in row
    assert "ttl" in row


def test_every_state_is_another(aws: Platform, discord: Discord) -> None:
    assert start_login(aws)["state"] != start_login(aws)["state"]


@pytest.mark.parametrize(
    "page",
    ["https://evil.example/callback", f"{PAGE}/", f"{PAGE}?next=evil", PAGE.upper(), f" {PAGE}", "javascript:alert(1)"],
)
def test_refuses_a_page_that_is_not_on_the_list_to_the_letter(aws: Platform, discord: Discord, page: str) -> None:
    refused(aws, 422, "REDIRECT_NOT_ALLOWED", "start_discord_login", query=QUERY | {"redirectUri": page})
    assert aws.rows() == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"redirectUri": PAGE},
        {"challenge": QUERY["challenge"]},
        QUERY | {"challenge": "short"},
        QUERY | {"challenge": VERIFIER[:-1] + "="},
        QUERY | {"challenge": VERIFIER + "\n"},
        QUERY | {"redirectUri": "x" * 2049},
    ],
)
def test_refuses_a_query_of_the_wrong_form(aws: Platform, discord: Discord, query: dict[str, str]) -> None:
    refused(aws, 400, "VALIDATION_ERROR", "start_discord_login", query=query)
    assert aws.rows() == []


def test_takes_each_page_of_a_list(aws: Platform, discord: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    from bloxtr8 import config

    monkeypatch.setenv("REDIRECT_URLS", f"https://app.example/back, {PAGE}")
    config.settings.cache_clear()
    for page in (PAGE, "https://app.example/back"):
        assert aws.call("start_discord_login", query=QUERY | {"redirectUri": page}).status == 200
