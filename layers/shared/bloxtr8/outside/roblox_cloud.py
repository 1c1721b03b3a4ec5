"""Open Cloud v2, the supported source: groups and universes with our API key (group:read, universe:read)."""

import re
from typing import Any, Literal

from bloxtr8 import config
from bloxtr8.outside.http import Talk
from bloxtr8.outside.roblox_facts import Game, Garbage, Group, pick, read_count, read_flag, read_id, read_name

_USER = re.compile(r"users/([0-9]+)")
_GROUP = re.compile(r"groups/([0-9]+)")
_GROUP_METADATA = {
    "description": "description",
    "publicEntryAllowed": "publicEntryAllowed",
    "verified": "verified",
    "createTime": "createdAt",
    "updateTime": "updatedAt",
}
_GAME_METADATA = {
    "description": "description",
    "visibility": "visibility",
    "createTime": "createdAt",
    "updateTime": "updatedAt",
}


def group(talk: Talk, group_id: str) -> Group | None:
    """The group, or None where Roblox says that there is none. An absent owner means an abandoned group.

    Raises UpstreamFailed, and Garbage where the answer has another shape.
    """
    found = _get(talk, f"groups/{group_id}")
    if found is None:
        return None
    owner = found.get("owner")
    return Group(
        id=group_id,
        name=read_name(found.get("displayName")),
        owner_id=None if owner is None else _reference(_USER, owner),
        owner_name=None,  # Open Cloud names the owner by id alone
        member_count=read_count(found.get("memberCount")),
        locked=read_flag(found.get("locked")),
        metadata=pick(found, _GROUP_METADATA),
    )


def game(talk: Talk, universe_id: str) -> Game | None:
    """The universe, or None where Roblox says that there is none. A user or a group holds it. Raises as `group`."""
    found = _get(talk, f"universes/{universe_id}")
    if found is None:
        return None
    user, holder = found.get("user"), found.get("group")
    if (user is None) == (holder is None):
        raise Garbage("a universe of a user and a group, or of neither")
    kind: Literal["USER", "GROUP"] = "GROUP" if user is None else "USER"
    return Game(
        id=universe_id,
        name=read_name(found.get("displayName")),
        creator_type=kind,
        creator_id=_reference(_GROUP, holder) if kind == "GROUP" else _reference(_USER, user),
        creator_name=None,
        metadata=pick(found, _GAME_METADATA),
    )


def _get(talk: Talk, path: str) -> dict[str, Any] | None:
    """The resource; None only for the documented NOT_FOUND, since a bare 404 may be a proxy's."""
    url = f"{config.settings().roblox_api_base}/cloud/v2/{path}"
    answer = talk.get(url, {"x-api-key": config.secret("roblox")["apiKey"]})
    if answer.status not in {200, 404}:
        talk.fail(f"cloud {path} answered {answer.status}")
    found = talk.object(answer)
    if answer.status == 404:
        if found.get("code") != "NOT_FOUND":
            raise Garbage("a 404 that is not NOT_FOUND")
        return None
    if found.get("path") != path:
        raise Garbage("another resource than the one asked for")
    return found


def _reference(pattern: re.Pattern[str], value: object) -> str:
    match = pattern.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Garbage("a reference")
    return read_id(match[1])
