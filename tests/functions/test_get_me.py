"""The caller's own profile."""

import datetime as dt

from tests import factories
from tests.emulator import Clock, Platform
from tests.functions.people import deals_of


def test_shows_everything_to_the_person(aws: Platform, clock: Clock) -> None:
    user = factories.user(
        email="a@b.example",
        phone="+491511234567",
        platform_roles=frozenset({"SUPPORT", "ARBITER"}),
        payout_country="US",
    )
    answer = aws.call("get_me", user)
    assert answer.status == 200
    assert answer.body == {
        "id": user.id,
        "discordId": user.discord_id,
        "username": user.username,
        "avatar": None,
        "email": "a@b.example",
        "phone": "+491511234567",
        "roblox": {"robloxId": user.roblox_id, "username": user.roblox_username},
        "kycTier": "TIER_1",
        "kycVerified": False,
        "limits": {"perDeal": 1_000_000, "rolling30Days": 2_500_000, "usedIn30Days": 0},
        "openDeals": 0,
        "payoutAccount": {"accountId": user.payout_account_id, "country": "US", "ready": True},
        "walletAddress": None,
        "walletRisk": None,
        "screenedAt": None,
        "platformRoles": ["ARBITER", "SUPPORT"],
        "banned": False,
        "bannedUntil": None,
        "createdAt": answer.body["createdAt"],
        "version": 1,
        "allowedActions": ["update_me", "unlink_roblox", "open_payout_account", "challenge_wallet", "link_wallet"],
    }


def test_shows_a_newcomer_what_is_missing(aws: Platform) -> None:
    me = aws.call("get_me", factories.newcomer()).body
    assert (me["roblox"], me["payoutAccount"]) == (None, None)
    assert me["limits"] == {"perDeal": 0, "rolling30Days": 0, "usedIn30Days": 0}
    assert me["allowedActions"] == ["update_me", "start_roblox_link"]


def test_tier_2_is_verified_and_has_no_rolling_limit(aws: Platform) -> None:
    me = aws.call("get_me", factories.user(tier="TIER_2")).body
    assert me["kycVerified"] is True
    assert me["limits"] == {"perDeal": 1_000_000_000, "rolling30Days": None, "usedIn30Days": 0}


def test_counts_thirty_days(aws: Platform, clock: Clock) -> None:
    user = factories.user()
    today = clock.moment.date()
    days = {0: 1, 29: 20, 30: 300, 31: 4_000}
    deals_of(user, open=2, volume={(today - dt.timedelta(days=ago)).isoformat(): c for ago, c in days.items()})
    me = aws.call("get_me", user).body
    assert me["limits"]["usedIn30Days"] == 321
    assert me["openDeals"] == 2
    assert "unlink_roblox" not in me["allowedActions"]


def test_says_that_a_ban_stands_or_is_over(aws: Platform, clock: Clock) -> None:
    until = clock.moment + dt.timedelta(days=1)
    user = factories.newcomer(banned=True, banned_until=until)
    me = aws.call("get_me", user).body
    assert (me["banned"], "start_roblox_link" in me["allowedActions"]) == (True, False)
    clock.advance(days=1)
    me = aws.call("get_me", user).body
    assert (me["banned"], "start_roblox_link" in me["allowedActions"]) == (False, True)


def test_refuses_nobody(aws: Platform) -> None:
    answer = aws.call("get_me")
    assert (answer.status, answer.code) == (401, "UNAUTHENTICATED")
