"""A lifecycle as data: rows of (move, from, to, by). Anything that is not a row is refused (law 4)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bloxtr8.errors import DomainError, Forbidden, InvalidState


class Role(StrEnum):
    """A caller's part in the object a move is about."""

    BUYER = "BUYER"
    SELLER = "SELLER"
    RESPONDER = "RESPONDER"
    PROPOSER = "PROPOSER"
    OWNER = "OWNER"
    MODERATOR = "MODERATOR"
    SUPPORT = "SUPPORT"
    ARBITER = "ARBITER"
    COMPLIANCE = "COMPLIANCE"
    PADMIN = "PADMIN"
    SYSTEM = "SYSTEM"
    OUTSIDER = "OUTSIDER"


PARTIES = frozenset({Role.BUYER, Role.SELLER})
PEOPLE = frozenset(Role) - {Role.SYSTEM, Role.OUTSIDER}


@dataclass(frozen=True, slots=True)
class Move:
    """`sources` is empty for the move that creates; `targets` is empty for one that leaves the status as it is."""

    action: str
    sources: frozenset[Any]
    targets: frozenset[Any]
    roles: frozenset[Role]


type Row = tuple[str, Iterable[Any], Any, Iterable[Role]]


class Lifecycle[S: StrEnum]:
    """All moves of one kind of object. A target is a status, a set of them where the caller chooses, or None
    (unchanged)."""

    def __init__(self, name: str, statuses: type[S], *rows: Row) -> None:
        self.name, self.statuses = name, statuses
        self.moves = [
            Move(action, frozenset(sources), _targets(target), frozenset(roles))
            for action, sources, target, roles in rows
        ]
        sources: set[S] = set()
        for move in self.moves:
            if move.targets:
                sources |= move.sources
        self.ends = frozenset(statuses) - sources

    def check(self, action: str, row: Any, role: Role) -> Move:
        """The move that `role` may make from the status `row` is in. Raises Forbidden, or InvalidState with
        `currentStatus`."""
        moves = [move for move in self.moves if move.action == action and move.sources]
        if not moves:
            raise KeyError(action)
        allowed = [move for move in moves if role in move.roles]
        if not allowed:
            raise Forbidden(f"This is not yours to do: {action.replace('_', ' ')}.")
        for move in allowed:
            if row.status in move.sources:
                return move
        raise InvalidState(f"It can't {action.replace('_', ' ')} while {row.status}.", currentStatus=str(row.status))

    def apply(self, action: str, row: Any, role: Role, becomes: S | None = None) -> None:
        """Make the move: set the status of `row`. `becomes` chooses where a move has several targets."""
        targets = self.check(action, row, role).targets
        if becomes is not None:
            if becomes not in targets:
                raise KeyError((action, becomes))
            row.status = becomes
        elif len(targets) > 1:
            raise KeyError((action, "several targets"))
        elif targets:
            row.status = next(iter(targets))

    def allowed(self, row: Any, role: Role, permits: Callable[[str], None]) -> list[str]:
        """The moves a person in `role` may make now: by status and, through `permits` (which raises a refusal), by
        each move's guard."""
        names = dict.fromkeys(
            move.action for move in self.moves if row.status in move.sources and role in move.roles & PEOPLE
        )
        return [name for name in names if _permitted(permits, name)]


def _targets(target: Any) -> frozenset[Any]:
    if target is None:
        return frozenset()
    return frozenset(target) if isinstance(target, (set, frozenset)) else frozenset({target})


def _permitted(permits: Callable[[str], None], action: str) -> bool:
    try:
        permits(action)
    except DomainError:
        return False
    return True
