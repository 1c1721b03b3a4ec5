"""The judge: what an action or a job left in the table, against the rows of the lifecycles (law 4; states.md)."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from bloxtr8.domain.lifecycle import Move, Role
from bloxtr8.domain.transitions import LIFECYCLES
from bloxtr8.entities import AuditEntry, Entity, Root
from tests.lifecycles.calls import WRITTEN_AS
from tests.lifecycles.ground import Trade
from tests.lifecycles.picture import CYCLES, Picture, broken

# moves of the platform that are parts of other moves' commits, and no entry's own action
PARTS = {
    "reserve", "relist", "retire_listing", "sell_listing", "lose_asset", "cancel_offer", "expire_offer",
    "close_stale_offer", "cancel_delivery", "end_milestone", "plan_settlement", "expire_proposal", "lift_hold",
    "find_leg", "retry_leg",
}  # fmt: skip
FREED = {"AssetGuard"}  # what a commit may delete
# the actions on something that exists, which a view allows or not
MOVES = {move.action for cycle in LIFECYCLES for move in cycle.moves if move.sources}
type Row = tuple[str, str, str, str]  # lifecycle, action, from, role


def roles_of(trade: Trade, who: str, kind: str, row: Any) -> set[Role]:
    """Somebody's parts in an object of this kind."""
    person = trade[who]
    side = {trade["buyer"].id: Role.BUYER, trade["seller"].id: Role.SELLER}.get(person.id)
    if side is None:
        return {Role(name) for name in person.platform_roles}
    if kind == "Listing":
        return {Role.OWNER} if side is Role.SELLER else set()
    proposed_by = getattr(row, "proposed_by", None)
    if proposed_by is None:
        return {side}
    return {side, Role.PROPOSER if str(proposed_by) == str(side) else Role.RESPONDER}


def moves(kind: str, action: str, status: Any, roles: Collection[Role]) -> list[Move]:
    """The rows by which someone in these roles may do this from there."""
    return [
        move
        for move in CYCLES[kind].moves
        if move.action == action and status in move.sources and move.roles & set(roles)
    ]


def subjects(picture: Picture) -> dict[str, Any]:
    """The object of each lifecycle that a stage's trade has."""
    return {kind: row for kind in CYCLES if (row := picture.subject(kind))}


def having_part(action: str, trade: Trade, picture: Picture, *, now: bool) -> set[str]:
    """Everybody who has a row for the action; `now`: in the status that its object is in."""
    kinds = subjects(picture).items()
    return {
        who
        for who in trade.people
        for kind, row in kinds
        for move in CYCLES[kind].moves
        if move.action == action
        and (row.status in move.sources if now else move.sources)
        and move.roles & roles_of(trade, who, kind, row)
    }


def stand(picture: Picture) -> tuple[Any, ...]:
    """All the statuses of a trade."""
    return tuple((kind, str(row.status)) for kind, row in subjects(picture).items())


def made(action: str, trade: Trade, who: str, before: Picture, after: Picture) -> tuple[set[Row], list[str]]:
    """The rows that a success of `who` was, and the objects that no row of the action lets be moved so by him."""
    found: set[Row] = set()
    wrong: list[str] = []
    for kind, row in subjects(before).items():
        if not any(move.action == action and move.sources for move in CYCLES[kind].moves):
            continue
        roles = roles_of(trade, who, kind, row)
        becomes = after.read(row).status
        named = moves(kind, action, row.status, roles)
        if becomes != row.status and action in WRITTEN_AS:
            named = moves(kind, WRITTEN_AS[action], row.status, {Role.SYSTEM})
        if becomes != row.status and action == "decide_hold":  # the hold's end is the platform's own move
            named += moves(kind, "lift_hold", row.status, {Role.SYSTEM})
        fitting = [move for move in named if becomes in (move.targets or {row.status})]
        found |= {(kind, action, str(row.status), str(role)) for move in fitting for role in roles & move.roles}
        if becomes != row.status and not fitting:
            wrong.append(f"{kind} {row.status} → {becomes} is no row of {action} by {sorted(map(str, roles))}")
    return found, wrong


def entered(before: Picture, after: Picture) -> list[AuditEntry]:
    """What was entered since, in no order."""
    old = {(entry.root_id, entry.seq) for entry in before.entries()}
    return [entry for entry in after.entries() if (entry.root_id, entry.seq) not in old]


def written(before: Picture, after: Picture) -> Iterator[str]:
    """What is wrong with everything that was written: each changed row in exactly as many entries as its version went
    on, each chain longer by its own, every status by a row, ends still ends, and the invariants."""
    new = entered(before, after)
    told = Counter((one["type"], one["id"]) for entry in new for one in (*entry.changes, *entry.created))
    for was, now in after.changed(before).values():
        yield from _row(was, now, told, new)
    for entry in new:
        yield from _entry(entry)
    yield from broken(after)


def _row(
    was: Entity | None, now: Entity | None, told: Counter[tuple[str, str]], new: list[AuditEntry]
) -> Iterator[str]:
    row = now or was
    assert row is not None
    if now is None:
        if row.entity not in FREED:
            yield f"{row.label} was deleted"
        return
    versions = now.version - (was.version if was else 0)
    if versions < 1 or told[row.entity, row.label] != versions:
        yield f"{row.label}: {versions} versions on, in {told[row.entity, row.label]} entries"
    if isinstance(now, Root) and now.root_id == now.label:  # a counter stands in its chain's root's
        entries = sum(entry.root_id == now.root_id for entry in new)
        if entries != now.audit_seq - (was.audit_seq if isinstance(was, Root) else 0):
            yield f"{row.label}: {entries} entries"
    cycle = CYCLES.get(row.entity)
    if was is not None and cycle is not None and was.status in cycle.ends and now.status != was.status:  # type: ignore[attr-defined]
        yield f"{row.label} left its end {was.status} (C11)"  # type: ignore[attr-defined]


def _entry(entry: AuditEntry) -> Iterator[str]:
    """Every status in an entry is a row's: of its action, or of a move that is a part of others."""
    if entry.action == "test":  # a stage that no function makes yet
        return
    by = Role(entry.role) if entry.role in set(Role) else None
    for one in entry.changes:
        if one["type"] in CYCLES and one["from"] != one["to"] and not _is_row(one, entry.action, by):
            yield f"{one['type']} {one['from']} → {one['to']} is no row of {entry.action} by {entry.role}"


def _is_row(change: dict[str, Any], action: str, by: Role | None) -> bool:
    return any(
        change["from"] in move.sources and change["to"] in move.targets and _may(move, action, by)
        for move in CYCLES[change["type"]].moves
    )


def _may(move: Move, action: str, by: Role | None) -> bool:
    if move.action in PARTS or move.action in WRITTEN_AS.values():
        return True
    sides = {Role.PROPOSER, Role.RESPONDER, Role.OWNER}  # which an entry calls BUYER or SELLER
    return move.action == action and (by is None or by in move.roles or bool(sides & move.roles))


def system_rows(entries: list[AuditEntry]) -> set[Row]:
    """The platform's own rows that these entries are."""
    found: set[Row] = set()
    for entry in entries:
        for one in entry.changes:
            for move in CYCLES[one["type"]].moves if one["type"] in CYCLES else ():
                fits = one["from"] in move.sources and one["to"] in (move.targets or {one["from"]})
                if fits and Role.SYSTEM in move.roles and (move.action == entry.action or _part(move, one)):
                    found.add((one["type"], move.action, one["from"], "SYSTEM"))
    return found


def _part(move: Move, change: dict[str, Any]) -> bool:
    return move.action in PARTS and change["from"] != change["to"]


def rows(*, people: bool) -> set[Row]:
    """Every row that people (or the platform itself) can make of an object that exists, a status and a role each."""
    return {
        (cycle.name, move.action, str(source), str(role))
        for cycle in LIFECYCLES
        for move in cycle.moves
        for source in move.sources
        for role in move.roles
        if (role is not Role.SYSTEM) is people
    }
