"""The legacy hosts groups.roblox.com and games.roblox.com, the second source: public, no key, tightly limited."""

from typing import Any, Literal

from bloxtr8 import config
from bloxtr8.outside.http import Talk
from bloxtr8.outside.roblox_facts import Game, Garbage, Group, pick, read_count, read_flag, read_id, read_name

NO_SUCH_GROUP = 1  # "Group is invalid or does not exist."
_GROUP_METADATA = {
    "description": "description",
    "publicEntryAllowed": "publicEntryAllowed",
    "hasVerifiedBadge": "verified",
}
_GAME_METADATA = {
    "description": "description",
    "rootPlaceId": "rootPlaceId",
    "visits": "visits",
    "playing": "playing",
    "created": "createdAt",
    "updated": "updatedAt",
}
_CREATORS: dict[str, Literal["USER", "GROUP"]] = {"User": "USER", "Group": "GROUP"}


def group(talk: Talk, group_id: str) -> Group | None:
    """The group, or None where Roblox says that there is none. `owner: null` means an abandoned group; `isLocked` is
    only sent while it is true.

    Raises UpstreamFailed, and Garbage where the answer has another shape.
    """
    answer = talk.get(f"{config.settings().roblox_groups_base}/v1/groups/{group_id}")
    if answer.status not in {200, 400}:
        talk.fail(f"legacy group {group_id} answered {answer.status}")
    found = talk.object(answer)
    if answer.status == 400:
        if not _says(found, NO_SUCH_GROUP):
            raise Garbage("a 400 of another kind")
        return None
    if "owner" not in found or read_id(found.get("id")) != group_id:
        raise Garbage("no owner field, or another group than the one asked for")
    owner = found["owner"]
    if owner is not None and not isinstance(owner, dict):
        raise Garbage("an owner")
    return Group(
        id=group_id,
        name=read_name(found.get("name")),
        owner_id=None if owner is None else read_id(owner.get("userId")),
        owner_name=None if owner is None else read_name(owner.get("username")),
        member_count=read_count(found.get("memberCount")),
        locked=read_flag(found.get("isLocked")),
        metadata=pick(found, _GROUP_METADATA),
    )


def game(talk: Talk, universe_id: str) -> Game | None:
    """The universe, or None where it is missing from the answer, which is how this API says so. Raises as `group`."""
    answer = talk.get(f"{config.settings().roblox_games_base}/v1/games?universeIds={universe_id}")
    if answer.status != 200:
        talk.fail(f"legacy game {universe_id} answered {answer.status}")
    games = talk.object(answer).get("data")
    if not isinstance(games, list):
        raise Garbage("no list of games")
    if not games:
        return None
    found = games[0]
    if not isinstance(found, dict) or read_id(found.get("id")) != universe_id:
        raise Garbage("another game than the one asked for")
    creator = found.get("creator")
    kind = _CREATORS.get(str(creator.get("type"))) if isinstance(creator, dict) else None
    if not isinstance(creator, dict) or kind is None:
        raise Garbage("a creator")
    return Game(
        id=universe_id,
        name=read_name(found.get("name")),
        creator_type=kind,
        creator_id=read_id(creator.get("id")),
        creator_name=read_name(creator.get("name")),
        metadata=pick(found, _GAME_METADATA),
    )


def _says(found: dict[str, Any], code: int) -> bool:
    """Whether the error body names this code; the same number means different things at different routes."""
    listed = found.get("errors")
    return isinstance(listed, list) and any(isinstance(one, dict) and one.get("code") == code for one in listed)
