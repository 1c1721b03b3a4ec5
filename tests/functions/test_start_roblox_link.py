"""A link to a Roblox account begins."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bloxtr8.domain.people import challenge_of
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions.people import PAGE

BODY = {"redirectUri": PAGE}


def test_answers_robloxs_page_with_the_challenge_of_a_verifier_that_stays(aws: Platform) -> None:
    user = factories.newcomer()
    answer = aws.call("start_roblox_link", user, BODY)
    assert answer.status == 200
    query = {name: values[0] for name, values in parse_qs(urlsplit(answer.body["url"]).query).items()}
    [row] = [row for row in aws.rows() if row["PK"]["S"] == f"STATE#{answer.body['state']}"]
    assert query == {
        "client_id": "2000",
        "redirect_uri": PAGE,
        "response_type": "code",
        "scope": "openid profile",
        "state": answer.body["state"],
        "code_challenge": challenge_of(row["verifier"]["S"]),
        "code_challenge_method": "S256",
    }
    assert row["user_id"]["S"] == user.id
    assert row["verifier"]["S"] not in str(answer.body)


def test_refuses_a_page_that_is_not_on_the_list(aws: Platform) -> None:
    user = factories.newcomer()
    refused(aws, 422, "REDIRECT_NOT_ALLOWED", "start_roblox_link", user, {"redirectUri": "https://evil.example/"})


def test_refuses_who_is_linked_already(aws: Platform) -> None:
    user = factories.user()
    refused(aws, 409, "ALREADY_LINKED", "start_roblox_link", user, BODY)


def test_refuses_the_banned(aws: Platform) -> None:
    answer = aws.call("start_roblox_link", factories.newcomer(banned=True), BODY)
    assert (answer.status, answer.code) == (403, "BANNED")


def test_refuses_nobody(aws: Platform) -> None:
    assert aws.call("start_roblox_link", None, BODY).status == 401


@pytest.mark.parametrize("body", [None, {}, {"redirectUri": 1}, {"redirectUri": ""}, BODY | {"userId": "usr_1"}, []])
def test_refuses_a_body_of_the_wrong_form(aws: Platform, body: Any) -> None:
    user = factories.newcomer()
    refused(aws, 400, "VALIDATION_ERROR", "start_roblox_link", user, body)
