"""Who is in a group on Roblox, and who has one of his own: what a transfer needs before it can be made."""

from typing import Any
from urllib.parse import quote

from bloxtr8 import config, errors
from bloxtr8.outside.http import Talk
from bloxtr8.outside.roblox_facts import Garbage, read_id

OWNER_RANK = 255


def is_member(group_id: str, user_id: str) -> bool:
    """Whether the user is in the group now. Open Cloud is asked first, the legacy host where it gives no usable answer.
    Raises UpstreamFailed."""
    talk = Talk("Roblox")
    try:
        return _cloud_member(talk, group_id, user_id)
    except (errors.UpstreamFailed, Garbage):
        return any(group == group_id for group, _ in _legacy_roles(talk, user_id))


def owns_a_group(user_id: str) -> bool:
    """Whether the user owns any group, to which a game could be moved. Raises UpstreamFailed."""
    return any(rank == OWNER_RANK for _, rank in _legacy_roles(Talk("Roblox"), user_id))


def _cloud_member(talk: Talk, group_id: str, user_id: str) -> bool:
    """GET /cloud/v2/groups/{id}/memberships with a filter: one row, or none."""
    wanted = f"users/{user_id}"
    query = f"maxPageSize=1&filter={quote(f"user == '{wanted}'")}"
    url = f"{config.settings().roblox_api_base}/cloud/v2/groups/{group_id}/memberships?{query}"
    answer = talk.get(url, {"x-api-key": config.secret("roblox")["apiKey"]})
    if answer.status != 200:
        talk.fail(f"cloud memberships of group {group_id} answered {answer.status}")
    rows = talk.object(answer).get("groupMemberships", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("user") == wanted for row in rows):
        raise Garbage("memberships of others than the one asked for")
    return bool(rows)


def _legacy_roles(talk: Talk, user_id: str) -> list[tuple[str, Any]]:
    """(group id, rank) of every group that the user is in."""
    answer = talk.get(f"{config.settings().roblox_groups_base}/v1/users/{user_id}/groups/roles")
    if answer.status != 200:
        talk.fail(f"the groups of user {user_id} answered {answer.status}")
    rows = talk.object(answer).get("data")
    try:
        return [(read_id(row["group"]["id"]), row["role"]["rank"]) for row in rows]  # type: ignore[union-attr]
    except (Garbage, KeyError, TypeError):
        talk.fail(f"the groups of user {user_id} came with the wrong shape")
