"""Audit entries as they are shown, and whether their chain holds."""

from collections.abc import Sequence
from typing import Any, Self

from bloxtr8 import audit
from bloxtr8.entities import AuditEntry, Escrow
from bloxtr8.shapes import Moment, View


class EntryView(View):
    """One entry, whole: whoever has all of a chain can check it without us (audit.digest)."""

    id: str
    root_id: str
    seq: int
    at: Moment
    actor: str
    role: str
    action: str
    escrow_id: str | None
    changes: list[dict[str, Any]]
    created: list[dict[str, Any]]
    details: dict[str, Any]
    parent: str | None
    previous: str
    hash: str


class TimelineView(View):
    """A trade's entries: the offer chain's, the contract's and the escrow's. `verified`: each chain holds, each but the
    first grew out of an entry of the one before, and the escrow's is not cut off."""

    items: list[EntryView]
    verified: bool

    @classmethod
    def of(cls, chains: Sequence[Sequence[AuditEntry]], escrow: Escrow) -> Self:
        return cls(
            items=[EntryView.model_validate(entry) for chain in chains for entry in chain],
            verified=audit.verify_path(chains, escrow),
        )


class VerdictView(View):
    """`count` entries were checked; `head` is the hash of the last good one, `brokenAt` the first entry that does
    not fit."""

    ok: bool
    count: int
    head: str
    broken_at: str | None

    @classmethod
    def of(cls, verdict: audit.Verdict) -> Self:
        return cls(ok=verdict.ok, count=verdict.entries, head=verdict.head, broken_at=verdict.broken_at)
