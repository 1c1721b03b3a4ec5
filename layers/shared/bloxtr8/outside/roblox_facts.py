"""What a Roblox source tells of a group or a game. Fields are read strictly where a decision hangs on them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bloxtr8.outside.text import clean

NAME_LIMIT = 255
DESCRIPTION_LIMIT = 500  # 6 kB at worst, so that all metadata stays within 8 KiB
SHORT_LIMIT = 64
HIGHEST_ID = 2**63 - 1

type Metadata = dict[str, str | int | bool]

_ID = re.compile(r"[1-9][0-9]{0,18}")


class Garbage(Exception):  # noqa: N818  (what came is garbage)
    """An answer that does not have the documented shape: nothing may be concluded from it."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group at one source. `owner_id` None: nobody owns it."""

    id: str
    name: str
    owner_id: str | None
    owner_name: str | None
    member_count: int | None
    locked: bool
    metadata: Metadata

    @property
    def proof(self) -> tuple[object, ...]:
        """What two sources must agree on."""
        return self.owner_id, self.locked


@dataclass(frozen=True, slots=True)
class Game:
    """A game (a universe) at one source. Its creator is the user or the group that holds it now."""

    id: str
    name: str
    creator_type: Literal["USER", "GROUP"]
    creator_id: str
    creator_name: str | None
    metadata: Metadata

    @property
    def proof(self) -> tuple[object, ...]:
        """What two sources must agree on."""
        return self.creator_type, self.creator_id


def is_id(text: str) -> bool:
    """Whether `text` can be an id of Roblox: decimal digits of a positive 64-bit integer, as they would be printed."""
    return bool(_ID.fullmatch(text)) and int(text) <= HIGHEST_ID


def read_id(value: object) -> str:
    """An id that a source gives as a number or as digits."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not is_id(text):
        raise Garbage("an id")
    return text


def read_count(value: object) -> int | None:
    """A count that a source gives as a number, as digits (64-bit numbers of Open Cloud), or not at all."""
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= HIGHEST_ID:
        raise Garbage("a count")
    return value


def read_flag(value: object) -> bool:
    """A flag that a source leaves out while it is false."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise Garbage("a flag")
    return value


def read_name(value: object) -> str:
    """A name, cleaned for display."""
    if not isinstance(value, str):
        raise Garbage("a name")
    return clean(value, NAME_LIMIT)


def pick(found: Mapping[str, Any], wanted: Mapping[str, str]) -> Metadata:
    """The whitelisted fields of an answer (their name there → our name), cleaned.

    Fields of other kinds are left out: nothing hangs on them.
    """
    picked: Metadata = {}
    for theirs, ours in wanted.items():
        value = found.get(theirs)
        if isinstance(value, str):
            picked[ours] = clean(value, DESCRIPTION_LIMIT if ours == "description" else SHORT_LIMIT)
        elif isinstance(value, int) and abs(value) <= HIGHEST_ID:
            picked[ours] = value
    return picked
