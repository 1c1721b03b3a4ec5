"""The owners of many assets at once, by the legacy hosts' lists. They don't tell of locks: this says where to look
closer, and proves nothing."""

import contextlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

from bloxtr8 import config, errors
from bloxtr8.outside.http import Talk
from bloxtr8.outside.roblox import AssetType
from bloxtr8.outside.roblox_facts import Garbage, read_id

MOST_IDS = 50  # in a request; how many Roblox takes is not documented (400, code 2: too many)

type Asset = tuple[AssetType, str]


def owners(assets: Collection[Asset]) -> dict[Asset, str | None]:
    """The Roblox user behind each asset, as `roblox.ownership_of` means it; None: nobody. What no list names, or what
    was not answered, is left out."""
    groups = {asset_id for kind, asset_id in assets if kind == "GROUP"}
    creators = _creators(sorted(asset_id for kind, asset_id in assets if kind == "GAME"))
    holders = {creator for kind, creator in creators.values() if kind == "GROUP"}
    owned = _group_owners(sorted(groups | holders))
    found: dict[Asset, str | None] = {("GROUP", group): owned[group] for group in groups if group in owned}
    for game, (kind, creator) in creators.items():
        if kind == "USER":
            found["GAME", game] = creator
        elif creator in owned:
            found["GAME", game] = owned[creator]
    return found


def _group_owners(ids: list[str]) -> dict[str, str | None]:
    base = f"{config.settings().roblox_groups_base}/v2/groups?groupIds="
    return dict(_read(_group_owner, base, ids))


def _group_owner(row: dict[str, Any]) -> tuple[str, str | None]:
    owner = row.get("owner")
    return read_id(row.get("id")), read_id(owner.get("id")) if isinstance(owner, dict) else None


def _creators(ids: list[str]) -> dict[str, tuple[str, str]]:
    """Each game's direct holder: USER or GROUP, and its id."""
    base = f"{config.settings().roblox_games_base}/v1/games?universeIds="
    return dict(_read(_creator, base, ids))


def _creator(row: dict[str, Any]) -> tuple[str, tuple[str, str]]:
    creator = row.get("creator")
    if not isinstance(creator, dict):
        raise Garbage("a creator")
    return read_id(row.get("id")), (str(creator.get("type")).upper(), read_id(creator.get("id")))


def _read[T](reader: Callable[[dict[str, Any]], T], base: str, ids: list[str]) -> Iterator[T]:
    """What can be read of a list's rows; one that can't is left out."""
    for row in _rows(base, ids):
        with contextlib.suppress(Garbage):
            yield reader(row)


def _rows(base: str, ids: list[str]) -> Iterator[dict[str, Any]]:
    """The rows of a list, page by page; the first page that is not answered is the last that is asked for."""
    talk = Talk("Roblox")
    for first in range(0, len(ids), MOST_IDS):
        try:
            answer = talk.get(base + ",".join(ids[first : first + MOST_IDS]))
            rows = talk.object(answer).get("data") if answer.status == 200 else None
        except errors.UpstreamFailed:
            return
        if not isinstance(rows, list):
            return
        yield from (row for row in rows if isinstance(row, dict))
