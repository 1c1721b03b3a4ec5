"""The public card of a person."""

import pytest

from bloxtr8 import ids
from tests import factories
from tests.emulator import Platform
from tests.functions.people import deals_of


def test_shows_the_name_the_account_the_tier_and_the_counts(aws: Platform) -> None:
    user = factories.user(email="a@b.example", phone="+491511234567", platform_roles=frozenset({"SUPPORT"}))
    deals_of(user, open=3, completed=12, disputed=2, refunded=1, volume={"2026-11-23": 5})
    answer = aws.call("get_user", factories.newcomer(), user_id=user.id)
    assert answer.status == 200
    assert answer.body == {
        "id": user.id,
        "username": user.username,
        "avatar": None,
        "robloxId": user.roblox_id,
        "robloxUsername": user.roblox_username,
        "kycTier": "TIER_1",
        "kycVerified": False,
        "completed": 12,
        "disputed": 2,
        "refunded": 1,
    }


def test_shows_who_has_not_linked(aws: Platform) -> None:
    answer = aws.call("get_user", factories.user(), user_id=factories.newcomer().id)
    assert (answer.body["robloxId"], answer.body["kycTier"]) == (None, "TIER_0")


@pytest.mark.parametrize("user_id", ["usr_1", "lst_01K6ZZ8Q3V7M2N4P5R6S7T8V9W", "USR_" + "0" * 26, "usr_" + "0" * 3000])
def test_a_malformed_id_is_like_a_missing_one(aws: Platform, user_id: str) -> None:
    caller = factories.user()
    malformed, missing = (aws.call("get_user", caller, user_id=each) for each in (user_id, ids.new("usr")))
    assert (malformed.status, malformed.body) == (404, missing.body)
    assert malformed.code == "NOT_FOUND"


def test_refuses_nobody(aws: Platform) -> None:
    assert aws.call("get_user", None, user_id=factories.user().id).status == 401
