"""Discord's OAuth2: who signs in (D28, design page "Roblox and Discord: facts")."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bloxtr8 import config
from bloxtr8.outside import oauth
from bloxtr8.outside.http import Talk
from bloxtr8.outside.text import clean

_SNOWFLAKE = re.compile(r"[1-9][0-9]{0,19}")
_AVATAR = re.compile(r"[A-Za-z0-9_]{1,64}")
NAME_LIMIT = 100  # Discord allows 32


@dataclass(frozen=True, slots=True)
class DiscordUser:
    """An account of Discord: the id never changes, the name may; `avatar` is the hash of the picture, or None."""

    id: str
    username: str
    avatar: str | None


def authorize_url(redirect_uri: str, state: str, scopes: Sequence[str]) -> str:
    """The address of Discord's page where the user agrees to `scopes`."""
    page = f"{config.settings().discord_api_base}/oauth2/authorize"
    return oauth.authorize_url(page, config.secret("discord")["clientId"], redirect_uri, state, " ".join(scopes))


def exchange(code: str, redirect_uri: str) -> DiscordUser:
    """The user who agreed: code → token → /users/@me; the token is not kept.

    Raises Invalid STATE_INVALID where Discord refuses the code, UpstreamFailed where it gives no usable answer.
    """
    talk = Talk("Discord")
    base = f"{config.settings().discord_api_base}/api/v10"
    token = oauth.exchange(talk, f"{base}/oauth2/token", config.secret("discord"), code, redirect_uri)
    answer = talk.get(f"{base}/users/@me", {"Authorization": f"Bearer {token}"})
    if answer.status != 200:
        talk.fail(f"/users/@me answered {answer.status}")
    found = talk.object(answer)
    user_id, username, avatar = found.get("id"), found.get("username"), found.get("avatar")
    if not isinstance(user_id, str) or not _SNOWFLAKE.fullmatch(user_id):
        talk.fail("/users/@me answered without an id")
    if not isinstance(username, str) or not clean(username, NAME_LIMIT):
        talk.fail("/users/@me answered without a name")
    kept = avatar if isinstance(avatar, str) and _AVATAR.fullmatch(avatar) else None
    return DiscordUser(user_id, clean(username, NAME_LIMIT), kept)
