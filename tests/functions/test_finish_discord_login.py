"""A sign-in with Discord ends in a session, and the first one in a user."""

from functools import partial
from typing import Any

import pytest

from tests import factories
from tests.checks import everything_logged, refused, together
from tests.doubles import Discord, agree
from tests.emulator import Clock, Platform
from tests.functions.people import VERIFIER, came_back, login, start_login

ROUNDS = 5


def kinds(aws: Platform) -> list[str]:
    return sorted(row["type"]["S"] for row in aws.rows())


def test_the_first_sign_in_makes_the_user(aws: Platform, discord: Discord) -> None:
    answer = login(aws, discord, "555", "nova", avatar="a_1f")
    assert answer.status == 200
    user_id = answer.body["user"]["id"]
    assert answer.body["user"] == {"id": user_id, "discordId": "555", "username": "nova", "avatar": "a_1f"}
    assert answer.body["expiresIn"] == 900
    assert kinds(aws) == ["AuditEntry", "Deals", "Identity", "Session", "User"]
    [entry] = aws.audit(user_id)
    assert (entry.action, entry.actor) == ("finish_discord_login", user_id)
    assert {each["type"] for each in entry.created} == {"User", "Deals", "Identity", "Session"}


def test_a_newcomer_is_tier_0(aws: Platform, discord: Discord) -> None:
    user_id = login(aws, discord, "555").body["user"]["id"]
    me = aws.call("get_me", user_id).body
    assert (me["kycTier"], me["roblox"], me["platformRoles"]) == ("TIER_0", None, [])


def test_the_tokens_prove_the_session(aws: Platform, discord: Discord) -> None:
    from bloxtr8 import sessions

    answer = login(aws, discord, "555")
    assert sessions.authenticate(f"Bearer {answer.body['accessToken']}").user_id == answer.body["user"]["id"]
    assert sessions.refresh(answer.body["refreshToken"]).access_token


def test_the_second_sign_in_finds_the_same_user_and_writes_no_profile(aws: Platform, discord: Discord) -> None:
    first = login(aws, discord, "555")
    second = login(aws, discord, "555")
    assert second.body["user"] == first.body["user"]
    assert second.body["refreshToken"] != first.body["refreshToken"]
    assert kinds(aws) == ["AuditEntry", "Deals", "Identity", "Session", "Session", "User"]


@pytest.mark.parametrize("change", [{"username": "supernova"}, {"username": "nova", "avatar": "b2"}])
def test_a_new_name_or_picture_is_taken_over(aws: Platform, discord: Discord, change: dict[str, Any]) -> None:
    user_id = login(aws, discord, "555", "nova").body["user"]["id"]
    renamed = login(aws, discord, "555", **change).body["user"]
    assert renamed == {"id": user_id, "discordId": "555", "avatar": None} | change
    me = aws.call("get_me", user_id).body
    assert (me["username"], me["avatar"]) == (renamed["username"], renamed["avatar"])
    assert [entry.action for entry in aws.audit(user_id)] == ["finish_discord_login"] * 2
    login(aws, discord, "555", **change)
    assert len(aws.audit(user_id)) == 2


def test_a_banned_user_signs_in(aws: Platform, discord: Discord) -> None:
    user = factories.user(banned=True)
    assert login(aws, discord, user.discord_id).body["user"]["id"] == user.id


def test_parallel_first_sign_ins_make_one_user(aws: Platform, discord: Discord) -> None:
    for n in range(ROUNDS):
        discord.put_user(str(900 + n), "twin")
        bodies = [came_back(aws, str(900 + n)) for _ in range(2)]
        answers = together(*(partial(aws.call, "finish_discord_login", body=body) for body in bodies))
        assert [answer.status for answer in answers] == [200, 200]
        assert len({answer.body["user"]["id"] for answer in answers}) == 1
        assert len({answer.body["refreshToken"] for answer in answers}) == 2
        assert len(aws.audit(answers[0].body["user"]["id"])) == 1
    assert kinds(aws).count("User") == kinds(aws).count("Identity") == kinds(aws).count("Deals") == ROUNDS


def test_one_state_is_good_once(aws: Platform, discord: Discord) -> None:
    discord.put_user("555", "nova")
    body = came_back(aws, "555")
    assert aws.call("finish_discord_login", body=body).status == 200
    again = aws.call("finish_discord_login", body=body)
    assert (again.status, again.code) == (400, "STATE_INVALID")


def test_of_two_calls_with_one_state_one_wins(aws: Platform, discord: Discord) -> None:
    discord.put_user("555", "nova")
    for _ in range(ROUNDS):
        body = came_back(aws, "555")
        answers = together(*[partial(aws.call, "finish_discord_login", body=body)] * 2)
        assert sorted(answer.status for answer in answers) == [200, 400]


def test_refuses_another_verifier_and_burns_the_state(aws: Platform, discord: Discord) -> None:
    discord.put_user("555", "nova")
    body = came_back(aws, "555")
    stolen = aws.call("finish_discord_login", body=body | {"verifier": VERIFIER[::-1]})
    assert (stolen.status, stolen.code) == (400, "STATE_INVALID")
    assert aws.call("finish_discord_login", body=body).code == "STATE_INVALID"
    assert aws.rows() == []


@pytest.mark.parametrize(("minutes", "status"), [(9.9, 200), (10, 400), (60, 400)])
def test_a_state_lives_ten_minutes(aws: Platform, discord: Discord, clock: Clock, minutes: float, status: int) -> None:
    discord.put_user("555", "nova")
    start = start_login(aws)
    clock.advance(minutes=minutes)
    body = {"code": agree(start["url"], "555"), "state": start["state"], "verifier": VERIFIER}
    answer = aws.call("finish_discord_login", body=body)
    assert answer.status == status
    assert status == 200 or (answer.code == "STATE_INVALID" and aws.rows() == [])


def test_refuses_the_state_of_a_roblox_link(aws: Platform, discord: Discord) -> None:
    user = factories.newcomer()
    start = aws.call("start_roblox_link", user, {"redirectUri": "http://localhost:5173/callback"})
    body = {"code": "code", "state": start.body["state"], "verifier": VERIFIER}
    answer = aws.call("finish_discord_login", body=body)
    assert (answer.status, answer.code) == (400, "STATE_INVALID")


def test_refuses_a_code_that_discord_refuses(aws: Platform, discord: Discord) -> None:
    discord.put_user("555", "nova")
    answer = aws.call("finish_discord_login", body=came_back(aws, "555") | {"code": "forged"})
    assert (answer.status, answer.code) == (400, "STATE_INVALID")
    assert aws.rows() == []


def test_an_outage_of_discord_is_502_and_makes_nobody(aws: Platform, discord: Discord) -> None:
    discord.put_user("555", "nova")
    body = came_back(aws, "555")
    discord.faults.put("/oauth2/token", status=503, times=None)
    answer = aws.call("finish_discord_login", body=body)
    assert (answer.status, answer.code) == (502, "UPSTREAM_FAILED")
    assert aws.rows() == []


@pytest.mark.parametrize(
    "change",
    [
        {"code": ""},
        {"code": 5},
        {"code": "c" * 2049},
        {"code": "a\u0000b"},
        {"state": ""},
        {"state": "\ud800"},
        {"state": "s" * 5000},
        {"verifier": "short"},
        {"verifier": "v" * 129},
        {"verifier": None},
        {"userId": "usr_00000000000000000000000000"},
    ],
)
def test_refuses_a_body_of_the_wrong_form(aws: Platform, discord: Discord, change: dict[str, Any]) -> None:
    discord.put_user("555", "nova")
    body = came_back(aws, "555")
    refused(aws, 400, "VALIDATION_ERROR", "finish_discord_login", body=body | change)


def test_an_idempotency_key_keeps_no_token(aws: Platform, discord: Discord) -> None:
    discord.put_user("555", "nova")
    answer = aws.call("finish_discord_login", body=came_back(aws, "555"), headers={"Idempotency-Key": "k"})
    assert answer.status == 200
    assert answer.body["refreshToken"] not in str(aws.rows())
    assert answer.body["accessToken"] not in str(aws.rows())
    assert "Idempotency" not in kinds(aws)


def test_neither_log_nor_table_holds_a_secret(aws: Platform, discord: Discord) -> None:
    discord.put_user("555", "nova")
    body = came_back(aws, "555")
    with everything_logged() as lines:
        signed_in = aws.call("finish_discord_login", body=body).body
        aws.call("refresh_session", body={"refreshToken": signed_in["refreshToken"]})
        aws.call("refresh_session", body={"refreshToken": signed_in["refreshToken"]})
        aws.call("finish_discord_login", body=body)
    assert "REFRESH_REUSED" in str(lines)
    kept = str(lines) + str(aws.rows())
    secrets = [*body.values(), signed_in["accessToken"], signed_in["refreshToken"], "discord-secret"]
    assert [secret for secret in secrets if secret in kept] == []
