"""Audit entries as they are shown, and whether their chain holds."""

from typing import Any, Self

from bloxtr8 import audit
from bloxtr8.paging import Listed
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


class TimelineView(Listed[EntryView]):
    """A trade's entries, oldest first: the offer chain's, the contract's and the escrow's. `verified`: from the first
    entry of the trade to the last of this page each chain holds and each but the first grew out of an entry of the one
    before; on the last page, that has no `nextCursor`, nothing is missing at the end either."""

    verified: bool


class PathView(View):
    """A trade's audit path, walked to its end: `count` entries, `verified` as one path of which nothing is missing, and
    its newest `items`, in order. get_timeline has all of them."""

    count: int
    verified: bool
    items: list[EntryView]


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
