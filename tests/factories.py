"""Rows a test starts from, written as the platform writes them."""

import itertools
from typing import Any

from bloxtr8 import actors, clock, ids, table
from bloxtr8.entities import Deals, Identity, Tier, User

_numbers = itertools.count(1)


def user(**fields: Any) -> User:
    """A person who signed in with Discord and linked Roblox, ready to be paid; fields override."""
    n = next(_numbers)
    values: dict[str, Any] = {
        "id": ids.new("usr"),
        "discord_id": str(10_000 + n),
        "username": f"trader{n}",
        "roblox_id": str(20_000 + n),
        "roblox_username": f"Robloxian{n}",
        "tier": Tier.TIER_1,
        "payout_account_id": f"acct_test{n}",
        "payouts_ready": True,
        "created_at": clock.now(),
    } | fields
    person = User(**values)
    names = [("DISCORD", person.discord_id), ("ROBLOX", person.roblox_id)]
    marks = [Identity(provider=provider, value=value, user_id=person.id) for provider, value in names if value]
    table.commit(person, Deals(user_id=person.id), *marks, action="finish_discord_login", actor=actors.system("factory"))
    return person


def newcomer(**fields: Any) -> User:
    """A person who only signed in with Discord (tier 0)."""
    return user(
        **{"roblox_id": None, "roblox_username": None, "tier": Tier.TIER_0, "payout_account_id": None, "payouts_ready": False, **fields}
    )
