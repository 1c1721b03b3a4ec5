"""Signing in and linking as a client does them, for the tests of the room."""

from typing import Any

from bloxtr8 import actors, table
from bloxtr8.domain.people import challenge_of
from bloxtr8.entities import Deals, User
from tests.doubles import Discord, Roblox, agree
from tests.emulator import Answer, Platform

PAGE = "http://localhost:5173/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def start_login(aws: Platform) -> dict[str, Any]:
    """`{url, state, expiresAt}` of a sign-in that began."""
    query = {"redirectUri": PAGE, "challenge": challenge_of(VERIFIER)}
    answer = aws.call("start_discord_login", query=query)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def came_back(aws: Platform, discord_id: str) -> dict[str, str]:
    """The body that finishes a sign-in: the person agreed at Discord, and the browser came back."""
    start = start_login(aws)
    return {"code": agree(start["url"], discord_id), "state": start["state"], "verifier": VERIFIER}


def login(aws: Platform, discord: Discord, discord_id: str, username: str = "trader", **changes: Any) -> Answer:
    """A whole sign-in with Discord."""
    discord.put_user(discord_id, username, **changes)
    return aws.call("finish_discord_login", body=came_back(aws, discord_id))


def linked(aws: Platform, roblox: Roblox, user: Any, roblox_id: str, username: str = "Robloxian") -> dict[str, str]:
    """The body that finishes a link: the user began it, and agreed at Roblox."""
    roblox.put_user(roblox_id, username)
    start = aws.call("start_roblox_link", user, {"redirectUri": PAGE})
    assert start.status == 200, start.body
    return {"code": agree(start.body["url"], roblox_id), "state": start.body["state"]}


def deals_of(user: Any, **changes: Any) -> None:
    """What other rooms would have left on the person's Deals row."""
    row, deals = table.load(table.ref(User, id=user.id), table.ref(Deals, user_id=user.id))
    for name, value in changes.items():
        setattr(deals, name, value)
    table.commit(row, deals, action="accept_offer", actor=actors.system("test"))
