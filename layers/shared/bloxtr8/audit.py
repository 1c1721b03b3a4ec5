"""The audit chain: one entry for each action, each covering the one before it by its hash (table.md, Audit)."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from bloxtr8 import clock
from bloxtr8.actors import Actor
from bloxtr8.entities import AuditEntry, Entity, Root

DETAILS_LIMIT_BYTES = 8 * 1024
_UNLISTED = {"AuditEntry", "Idempotency"}
_HASHED = (
    "root_id",
    "seq",
    "at",
    "actor",
    "role",
    "action",
    "escrow_id",
    "changes",
    "created",
    "details",
    "parent",
    "previous",
)


class Verdict(NamedTuple):
    """Whether a chain holds: the number of entries, the head's hash, and the first entry that breaks it."""

    ok: bool
    entries: int
    head: str
    broken_at: str | None = None


NOTHING = Verdict(ok=True, entries=0, head="")


def append(
    root: Root,
    rows: Iterable[Entity],
    *,
    action: str,
    actor: Actor,
    details: dict[str, Any] | None,
    escrow_id: str | None,
) -> AuditEntry:
    """The next entry of `root`'s chain, which moves the root's head. Call it when the rows have their new versions."""
    rows = [row for row in (root, *rows) if row.entity not in _UNLISTED]
    details = details or {}
    if len(json.dumps(details, ensure_ascii=False).encode()) > DETAILS_LIMIT_BYTES:
        raise ValueError("audit details over 8 KiB")
    first = root.audit_seq == 0
    entry = AuditEntry(
        root_id=root.root_id,
        seq=root.audit_seq + 1,
        at=clock.now(),
        actor=actor.id,
        role=_role(actor, rows),
        action=action,
        escrow_id=escrow_id or _escrow_id(rows),
        changes=[
            {
                "type": row.entity,
                "id": row.label,
                "from": row.status_read,
                "to": getattr(row, "status", None),
                "version": row.version,
            }
            for row in rows
            if row.version > 1
        ],
        created=[{"type": row.entity, "id": row.label} for row in rows if row.version == 1],
        details=details,
        parent=root.parent if first else None,
        previous=root.audit_head,
        hash="",
    )
    entry.hash = digest(entry)
    root.audit_seq, root.audit_head = entry.seq, entry.hash
    for row in rows:
        if isinstance(row, Root) and row.version == 1 and row is not root:
            row.parent = entry.hash
    return entry


def digest(entry: AuditEntry) -> str:
    """sha256(previous ‖ canonical JSON of the entry), in hex: computed again by anyone who has the entries."""
    fields = {name: _plain(getattr(entry, name)) for name in _HASHED}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((entry.previous + text).encode()).hexdigest()


def verify(entries: Iterable[AuditEntry], after: Verdict = NOTHING, root_id: str | None = None) -> Verdict:
    """Check a chain in order: one root's, no gap, every hash right, each covering the one before it (C7). Whole, or
    from where an earlier verdict, of the same root's, ended.

    Entries missing at its end show only beside the root's row: see `complete`.
    """
    if not after.ok:
        return after
    previous, count = after.head, after.entries
    for entry in entries:
        count += 1
        root_id = root_id or entry.root_id
        fits = (entry.root_id, entry.seq, entry.previous) == (root_id, count, previous)
        if not fits or entry.hash != digest(entry):
            return Verdict(ok=False, entries=count, head=previous, broken_at=f"{root_id}-{count}")
        previous = entry.hash
    return Verdict(ok=True, entries=count, head=previous)


def complete(verdict: Verdict, root_id: str, root: Root | None) -> Verdict:
    """The same, of a chain that holds, beside its root's row: neither cut off at its end, nor grown past it, nor
    another root's."""
    seq, head = (root.audit_seq, root.audit_head) if root else (0, "")
    if not verdict.ok or (verdict.entries, verdict.head) == (seq, head):
        return verdict
    last = seq if seq == verdict.entries else min(seq, verdict.entries) + 1
    return verdict._replace(ok=False, broken_at=f"{root_id}-{last}")


def _plain(value: Any) -> Any:
    return clock.iso(value) if hasattr(value, "isoformat") else value


def _role(actor: Actor, rows: Sequence[Entity]) -> str:
    """The actor's part in what changed: BUYER or SELLER where a row names him so, else the role he came with."""
    for row in rows:
        for side in ("buyer", "seller"):
            if getattr(row, f"{side}_id", None) == actor.id:
                return side.upper()
    return actor.role


def _escrow_id(rows: Sequence[Entity]) -> str | None:
    for row in rows:
        if row.entity == "Escrow":
            return row.label
        found = getattr(row, "escrow_id", None)
        if found:
            return str(found)
    return None
