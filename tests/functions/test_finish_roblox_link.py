"""A Roblox account becomes a person's."""

from functools import partial
from typing import Any

import pytest

from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Clock, Platform
from tests.functions.people import linked

ROUNDS = 5


def test_links_the_account_and_lifts_the_tier(aws: Platform, roblox: Roblox) -> None:
    user = factories.newcomer()
    answer = aws.call("finish_roblox_link", user, linked(aws, roblox, user, "77", "Builder"))
    assert answer.status == 200
    assert answer.body == {"robloxId": "77", "username": "Builder", "kycTier": "TIER_1"}
    me = aws.call("get_me", user).body
    assert me["roblox"] == {"robloxId": "77", "username": "Builder"}
    assert me["kycTier"] == "TIER_1"
    assert {row["user_id"]["S"] for row in aws.rows() if row["PK"]["S"] == "IDENT#ROBLOX#77"} == {user.id}
    entry = aws.audit(user.id)[-1]
    assert (entry.action, entry.actor) == ("finish_roblox_link", user.id)


def test_one_roblox_account_belongs_to_one_user(aws: Platform, roblox: Roblox) -> None:
    owner, other = factories.user(roblox_id="77"), factories.newcomer()
    body = linked(aws, roblox, other, "77")
    answer = aws.call("finish_roblox_link", other, body)
    assert (answer.status, answer.code) == (409, "ROBLOX_LINKED_ELSEWHERE")
    assert owner.id not in str(answer.body)
    assert aws.call("get_me", other).body["kycTier"] == "TIER_0"
    assert len(aws.audit(other.id)) == 1


def test_of_two_users_with_one_roblox_account_one_wins(aws: Platform, roblox: Roblox) -> None:
    for n in range(ROUNDS):
        users = [factories.newcomer() for _ in range(2)]
        calls = [
            partial(aws.call, "finish_roblox_link", user, linked(aws, roblox, user, str(800 + n))) for user in users
        ]
        answers = together(*calls)
        assert sorted(answer.status for answer in answers) == [200, 409]
        assert [answer.code for answer in answers if answer.status == 409] == ["ROBLOX_LINKED_ELSEWHERE"]


def test_of_two_roblox_accounts_for_one_user_one_wins(aws: Platform, roblox: Roblox) -> None:
    for n in range(ROUNDS):
        user = factories.newcomer()
        bodies = [linked(aws, roblox, user, str(900 + 2 * n + k)) for k in range(2)]
        answers = together(*(partial(aws.call, "finish_roblox_link", user, body) for body in bodies))
        assert sorted(answer.status for answer in answers) == [200, 409]
        assert [answer.code for answer in answers if answer.status == 409] == ["ALREADY_LINKED"]
        marks = [
            row for row in aws.rows() if row.get("user_id", {}).get("S") == user.id and "IDENT#R" in row["PK"]["S"]
        ]
        assert len(marks) == 1


def test_refuses_who_was_linked_in_the_meantime(aws: Platform, roblox: Roblox) -> None:
    user = factories.newcomer()
    first, second = (linked(aws, roblox, user, each) for each in ("77", "78"))
    assert aws.call("finish_roblox_link", user, first).status == 200
    answer = aws.call("finish_roblox_link", user, second)
    assert (answer.status, answer.code) == (409, "ALREADY_LINKED")


def test_only_who_started_it_can_finish_it(aws: Platform, roblox: Roblox) -> None:
    """D28: a link sent to a victim never attaches the victim's account to somebody else's, nor the other way round."""
    attacker, victim = factories.newcomer(), factories.newcomer()
    answer = aws.call("finish_roblox_link", victim, linked(aws, roblox, attacker, "77"))
    assert (answer.status, answer.code) == (400, "STATE_INVALID")
    assert aws.call("get_me", victim).body["roblox"] is None
    assert aws.call("get_me", attacker).body["roblox"] is None


def test_one_state_is_good_once(aws: Platform, roblox: Roblox) -> None:
    user = factories.newcomer()
    body = linked(aws, roblox, user, "77")
    assert aws.call("finish_roblox_link", user, body).status == 200
    assert aws.call("finish_roblox_link", user, body).code == "STATE_INVALID"


def test_a_state_lives_ten_minutes(aws: Platform, roblox: Roblox, clock: Clock) -> None:
    user = factories.newcomer()
    body = linked(aws, roblox, user, "77")
    clock.advance(minutes=10)
    answer = aws.call("finish_roblox_link", user, body)
    assert (answer.status, answer.code) == (400, "STATE_INVALID")


def test_refuses_the_state_of_a_sign_in(aws: Platform, discord: Any) -> None:
    from tests.functions.people import start_login

    user = factories.newcomer()
    answer = aws.call("finish_roblox_link", user, {"code": "code", "state": start_login(aws)["state"]})
    assert (answer.status, answer.code) == (400, "STATE_INVALID")


def test_refuses_a_code_that_roblox_refuses(aws: Platform, roblox: Roblox) -> None:
    user = factories.newcomer()
    answer = aws.call("finish_roblox_link", user, linked(aws, roblox, user, "77") | {"code": "forged"})
    assert (answer.status, answer.code) == (400, "STATE_INVALID")
    assert len(aws.audit(user.id)) == 1


def test_an_outage_of_roblox_is_502_and_links_nothing(aws: Platform, roblox: Roblox) -> None:
    user = factories.newcomer()
    body = linked(aws, roblox, user, "77")
    roblox.faults.put("/oauth/v1/token", drop=True, times=None)
    answer = aws.call("finish_roblox_link", user, body)
    assert (answer.status, answer.code) == (502, "UPSTREAM_FAILED")
    assert aws.call("get_me", user).body["roblox"] is None


def test_refuses_who_was_banned_in_the_meantime(aws: Platform, roblox: Roblox) -> None:
    from bloxtr8 import actors, table
    from bloxtr8.entities import User

    user = factories.newcomer()
    body = linked(aws, roblox, user, "77")
    user = table.get(User, id=user.id)
    user.banned = True
    table.commit(user, action="ban_user", actor=actors.system("test"))
    answer = aws.call("finish_roblox_link", user, body)
    assert (answer.status, answer.code) == (403, "BANNED")


def test_keeps_a_higher_tier(aws: Platform, roblox: Roblox) -> None:
    user = factories.newcomer(tier="TIER_2")
    answer = aws.call("finish_roblox_link", user, linked(aws, roblox, user, "77"))
    assert answer.body["kycTier"] == "TIER_2"


def test_a_repeated_key_gets_the_same_answer(aws: Platform, roblox: Roblox) -> None:
    user, key = factories.newcomer(), {"Idempotency-Key": "link-1"}
    body = linked(aws, roblox, user, "77")
    first, second = (aws.call("finish_roblox_link", user, body, headers=key) for _ in range(2))
    assert (second.status, second.body) == (200, first.body)
    assert second.headers["Idempotency-Replayed"] == "true"
    other = aws.call("finish_roblox_link", user, body | {"code": "other"}, headers=key)
    assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert len(aws.audit(user.id)) == 2


@pytest.mark.parametrize("change", [{"code": ""}, {"code": None}, {"state": "a b"}, {"state": 1}, {"userId": "usr_1"}])
def test_refuses_a_body_of_the_wrong_form(aws: Platform, roblox: Roblox, change: dict[str, Any]) -> None:
    user = factories.newcomer()
    body = linked(aws, roblox, user, "77")
    refused(aws, 400, "VALIDATION_ERROR", "finish_roblox_link", user, body | change)


def test_refuses_nobody(aws: Platform) -> None:
    assert aws.call("finish_roblox_link", None, {"code": "c", "state": "s"}).status == 401
