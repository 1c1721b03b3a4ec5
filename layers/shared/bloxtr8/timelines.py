"""The audit path of a trade: the offers' chain, the contract's, the escrow's, read a page at a time (table.md, Audit).

A page is checked as it is read, from where the one before it ended, so that a path of any length costs nobody more than
what he reads.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from bloxtr8 import audit, table
from bloxtr8.audit import NOTHING, Verdict
from bloxtr8.entities import AuditEntry, Escrow
from bloxtr8.ids import offer_place

CHUNK = 500  # entries, where a whole path is walked


class Stretch(NamedTuple):
    """Some entries of a path in its order. `verified`: all from its first entry to these hold, each chain grew out of
    an entry of the one before, and at the end none is missing. `after` is where to go on, None at the end."""

    entries: list[AuditEntry]
    verified: bool
    after: dict[str, Any] | None


def walk(deal: Escrow) -> Iterator[Stretch]:
    """The whole path of a trade; the last stretch's `verified` is the path's."""
    start = None
    while True:
        found = stretch(deal, CHUNK, start)
        yield found
        start = found.after
        if start is None:
            return


def stretch(deal: Escrow, limit: int, start: dict[str, Any] | None = None) -> Stretch:
    """The next `limit` entries, oldest first, or what is left; `start` is an earlier stretch's `after`.

    `deal` must have been read before it: nothing that this row knows of may be missing at the end.
    """
    roots = (f"off_{offer_place(deal.offer_id)[0]}", deal.contract_id, deal.id)
    begun = start or {"chain": 0, "key": None, "verdict": NOTHING, "head": None}
    at, key, verdict = begun["chain"], begun["key"], Verdict(*begun["verdict"])
    entries: list[AuditEntry] = []
    heads = {verdict.head, begun["head"]}  # of the chain that is read: what the row knows was found before, or here
    while True:
        root_id = roots[at]
        found = table.page(
            AuditEntry, None, f"AUDIT#{root_id}", limit=limit - len(entries), start=key, newest_first=False
        )
        if found.items and verdict.entries == 0 and at > 0 and not _grew(found.items[0].parent, roots[at - 1], entries):
            verdict = verdict._replace(ok=False)
        verdict = audit.verify(found.items, verdict, root_id)
        heads |= {entry.hash for entry in found.items}
        entries += found.items
        key = found.next_key
        if key is None and root_id == deal.id:
            return Stretch(entries, verdict.ok and _ends(deal, verdict, heads, roots[at - 1], entries), None)
        if key is None:  # the next chain; of a trade each but the last has an entry
            at, verdict, heads = at + 1, NOTHING._replace(ok=verdict.ok and verdict.entries > 0), {""}
        if len(entries) >= limit:
            found_head = deal.audit_head if deal.audit_head in heads else None
            return Stretch(entries, verdict.ok, {"chain": at, "key": key, "verdict": verdict, "head": found_head})


def _ends(deal: Escrow, verdict: Verdict, heads: set[str], before: str, entries: list[AuditEntry]) -> bool:
    """Whether the last chain has all that its row knows of: later ones may have come since. A row that was made and not
    touched since has no entry yet."""
    if deal.audit_seq == 0:
        return verdict.entries > 0 or _grew(deal.parent, before, entries)
    return deal.audit_head in heads


def _grew(parent: str | None, before: str, entries: list[AuditEntry]) -> bool:
    """Whether a chain's parent is an entry of the chain before it, which is bounded by design."""
    if any(entry.root_id == before and entry.hash == parent for entry in entries):
        return True
    rows = table.partition(f"AUDIT#{before}")
    return any(isinstance(row, AuditEntry) and row.hash == parent for row in rows)
