"""A trade is one path of three chains, however few entries are read at a time (C7)."""

import copy
import datetime as dt
from typing import Any

import pytest

from bloxtr8 import audit, table, timelines
from bloxtr8.actors import system
from bloxtr8.entities import AuditEntry, Contract, Escrow, Root, User
from bloxtr8.table import Page

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
PLACE = "01M844DZG0Q3WYMG44HW5V5ZXS"
OFFER, CONTRACT, ESCROW = (f"{kind}_{PLACE}" for kind in ("off", "con", "esc"))
Chain = list[AuditEntry]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[str, Chain]:
    """Chains by their root's id, in place of the table's."""
    chains: dict[str, Chain] = {}

    def page(_: Any, __: Any, pk: str, *, limit: int, start: dict[str, int] | None, newest_first: bool) -> Page[Any]:
        first = start["at"] if start else 0
        chain = chains.get(pk.removeprefix("AUDIT#"), [])
        last = first + limit
        return Page(chain[first:last], {"at": last} if last <= len(chain) else None)

    monkeypatch.setattr(table, "page", page)
    monkeypatch.setattr(table, "partition", lambda pk: chains.get(pk.removeprefix("AUDIT#"), []))
    return chains


def entry_on(head: Root, *rows: Any) -> AuditEntry:
    head.version += 1
    return audit.append(head, rows, action="note", actor=system("job"), details=None, escrow_id=None)


def born(parent: Root, child: Any) -> tuple[AuditEntry, Any]:
    """A new root, made by an entry of another root's chain."""
    child.version = 1
    return entry_on(parent, child), child


def holds(escrow: Escrow) -> bool:
    """Of the whole path; the same, and the same entries, however many are read at a time."""
    whole = list(timelines.walk(escrow))
    for limit in (1, 2, 3):
        entries, start = [], None
        while True:
            found = timelines.stretch(escrow, limit, start)
            assert len(found.entries) <= limit
            entries += found.entries
            start = found.after
            if start is None:
                break
        assert (entries, found.verified) == (whole[0].entries, whole[-1].verified)
    return whole[-1].verified


def trade() -> tuple[AuditEntry, AuditEntry, Escrow]:
    offer = User(id=OFFER, discord_id="1", username="x", created_at=NOW, version=1)
    first, contract = born(offer, Contract(id=CONTRACT, offer_id=OFFER))
    second, escrow = born(contract, Escrow(id=ESCROW, contract_id=CONTRACT, offer_id=OFFER))
    assert contract.parent == first.hash == second.parent
    return first, second, escrow


def test_a_trade_is_one_path(kept: dict[str, Chain]) -> None:
    first, second, escrow = trade()
    third = entry_on(escrow)
    other = Escrow(id=ESCROW, contract_id=CONTRACT, offer_id=OFFER, version=1)
    other.parent = "00"
    unrelated = entry_on(other)
    assert third.parent == second.hash

    for chains, good in (
        (([first], [second], [third]), True),
        (([first], [second], [unrelated]), False),
        (([first], [], [third]), False),
        (([], [second], [third]), False),
        (([second], [first], [third]), False),
        (([first], [second, second], [third]), False),
    ):
        kept.update(zip((OFFER, CONTRACT, ESCROW), chains, strict=True))
        assert holds(escrow) is good, chains


def test_a_path_ends_where_its_last_row_says(kept: dict[str, Chain]) -> None:
    first, second, escrow = trade()
    kept.update({OFFER: [first], CONTRACT: [second], ESCROW: []})
    assert holds(escrow)
    stranger = copy.deepcopy(escrow)
    stranger.parent = "00"
    assert not holds(stranger)
    entries = [entry_on(escrow), entry_on(escrow)]
    for there, good in ((entries, True), (entries[:1], False), (entries[1:], False), ([], False)):
        kept[ESCROW] = there
        assert holds(escrow) is good
    behind = copy.deepcopy(escrow)
    later = entry_on(escrow)  # written after the row was read
    kept[ESCROW] = [*entries, later]
    assert holds(behind)


def test_what_was_read_before_an_entry_came_is_enough_for_the_end(kept: dict[str, Chain]) -> None:
    first, second, escrow = trade()
    kept.update({OFFER: [first], CONTRACT: [second], ESCROW: [entry_on(escrow)]})
    so_far = timelines.stretch(escrow, 3)
    behind = copy.deepcopy(escrow)
    kept[ESCROW].append(entry_on(escrow))

    rest = timelines.stretch(behind, 3, so_far.after)

    assert (rest.verified, rest.after) == (True, None)
