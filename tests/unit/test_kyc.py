"""Limits by tier, per deal and over thirty days (D16): no order of deals gets above them, and none is counted twice."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import config
from bloxtr8.domain import kyc
from bloxtr8.entities import Deals, Tier, User
from bloxtr8.errors import Forbidden

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
T1_DEAL, T1_ROLLING, T2_DEAL = 1_000_000, 2_500_000, 1_000_000_000

amounts = st.integers(1, 1_200_000)
pauses = st.timedeltas(min_value=dt.timedelta(0), max_value=dt.timedelta(days=12))


@pytest.fixture(autouse=True)
def _defaults() -> Iterator[None]:
    """The settings' defaults."""
    config.settings.cache_clear()
    yield
    config.settings.cache_clear()


def user(**fields: Any) -> User:
    values: dict[str, Any] = {"id": "usr_1", "discord_id": "1", "username": "t", "created_at": NOW, "tier": Tier.TIER_1}
    return User(**values | fields)


def deals(**volume: int) -> Deals:
    return Deals(user_id="usr_1", volume={day.replace("_", "-").removeprefix("d"): n for day, n in volume.items()})


def required(person: User, held: Deals, amount: int, **options: int) -> str | None:
    """The tier that a refusal names, or None where it is within the limits."""
    try:
        kyc.check_limits(person, held, amount, NOW, **options)
    except Forbidden as refusal:
        return str(refusal.details["requiredTier"])
    return None


@pytest.mark.parametrize(
    ("tier", "amount", "needs"),
    [
        (Tier.TIER_0, 1, "TIER_1"),
        (Tier.TIER_0, T1_DEAL, "TIER_1"),
        (Tier.TIER_0, T1_DEAL + 1, "TIER_2"),
        (Tier.TIER_1, T1_DEAL, None),
        (Tier.TIER_1, T1_DEAL + 1, "TIER_2"),
        (Tier.TIER_2, T2_DEAL, None),
        (Tier.TIER_2, T2_DEAL + 1, "TIER_2"),
    ],
)
def test_one_deal_has_a_limit_by_tier(tier: Tier, amount: int, needs: str | None) -> None:
    assert required(user(tier=tier), deals(), amount) == needs


def test_a_refusal_tells_of_nobody_more_than_id_and_tier() -> None:
    with pytest.raises(Forbidden) as refusal:
        kyc.check_limits(user(), deals(d2026_11_20=2_000_000), 500_001, NOW)
    assert refusal.value.code == "KYC_LIMIT"
    assert refusal.value.details == {"requiredTier": "TIER_2", "userId": "usr_1"}
    assert "000" not in refusal.value.detail


@pytest.mark.parametrize(
    ("day", "counts"), [("d2026_11_23", True), ("d2026_10_24", True), ("d2026_10_23", False), ("d2026_10_01", False)]
)
def test_volume_counts_for_thirty_days(day: str, counts: bool) -> None:
    held = deals(**{day: T1_ROLLING})

    assert kyc.used(held, NOW) == (T1_ROLLING if counts else 0)
    assert required(user(), held, 1) == ("TIER_2" if counts else None)


def test_a_verified_person_has_no_limit_over_thirty_days() -> None:
    assert required(user(tier=Tier.TIER_2), deals(d2026_11_20=900_000_000), T2_DEAL) is None


def test_what_stands_in_the_volume_already_is_not_counted_twice() -> None:
    held = deals(d2026_11_20=T1_ROLLING)

    assert required(user(), held, 700_000, counted=700_000) is None
    assert required(user(), held, 700_001, counted=700_000) == "TIER_2"


@given(st.lists(st.tuples(amounts, pauses), max_size=40))
def test_no_order_of_deals_gets_above_the_limits(asked: list[tuple[int, dt.timedelta]]) -> None:
    held, person, now = deals(), user(), NOW
    taken: list[tuple[dt.datetime, int]] = []
    for amount, pause in asked:
        now += pause
        before = (dict(held.volume), held.open)
        try:
            kyc.reserve(person, held, amount, now)
        except Forbidden:
            assert (held.volume, held.open) == before
            continue
        taken.append((now, amount))
        window = [cents for at, cents in taken if at > now - dt.timedelta(days=30)]
        days = [cents for at, cents in taken if at.date() >= (now - dt.timedelta(days=30)).date()]
        assert amount <= T1_DEAL
        assert sum(window) <= sum(days) == kyc.used(held, now) <= T1_ROLLING
        assert len(held.volume) <= 31
    assert held.open == len(taken)


@given(st.lists(amounts.filter(lambda cents: cents <= 400_000), min_size=1, max_size=6), st.data())
def test_what_fell_through_is_free_again_whatever_came_between(asked: list[int], data: st.DataObject) -> None:
    held, person = deals(), user()
    accepted_at = []
    for n, amount in enumerate(asked):
        accepted_at.append(NOW + dt.timedelta(days=n % 3))
        kyc.reserve(person, held, amount, accepted_at[-1])
    order = data.draw(st.permutations(range(len(asked))))
    gone = order[: data.draw(st.integers(0, len(asked)))]

    for n in gone:
        kyc.release(held, asked[n], accepted_at[n])

    kept = [amount for n, amount in enumerate(asked) if n not in gone]
    assert (kyc.used(held, NOW + dt.timedelta(days=3)), held.open) == (sum(kept), len(kept))
    assert all(cents > 0 for cents in held.volume.values())


def test_a_release_after_the_window_has_moved_on_takes_nothing_from_others() -> None:
    held = deals()
    kyc.reserve(user(), held, 300_000, NOW)
    later = NOW + dt.timedelta(days=40)
    kyc.reserve(user(), held, 500_000, later)

    kyc.release(held, 300_000, NOW)

    assert (kyc.used(held, later), held.open) == (500_000, 1)


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({}, False),
        ({"banned": True}, True),
        ({"banned": True, "banned_until": NOW + dt.timedelta(seconds=1)}, True),
        ({"banned": True, "banned_until": NOW}, False),
    ],
)
def test_a_ban_holds_until_it_ends(fields: dict[str, Any], refused: bool) -> None:
    if not refused:
        kyc.check_not_banned(user(**fields), NOW)
        return
    with pytest.raises(Forbidden) as refusal:
        kyc.check_not_banned(user(**fields), NOW)
    assert refusal.value.code == "BANNED"


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("needed", list(Tier))
def test_a_tier_holds_all_below_it(tier: Tier, needed: Tier) -> None:
    if tier >= needed:
        kyc.check_tier(user(tier=tier), needed)
        return
    with pytest.raises(Forbidden) as refusal:
        kyc.check_tier(user(tier=tier), needed)
    assert refusal.value.details == {"requiredTier": str(needed), "tier": str(tier)}
