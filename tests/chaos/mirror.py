"""The table as its stream tells it: every row as it is now, what is due and when, without asking the table."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from bloxtr8 import clock
from bloxtr8.entities import Entity
from tests.chaos.watch import Watch

type Image = dict[str, Any]


class Mirror:
    """Rows by partition. `take` goes on where it stopped."""

    def __init__(self, watch: Watch, stream: Callable[[int], list[dict[str, Any]]]) -> None:
        self.rows: dict[str, dict[str, Image]] = {}
        self._places: dict[str, dict[str, None]] = {}  # the partitions by what their keys begin with, in order
        self._sorted: dict[str, list[str]] = {}  # the sort keys of a partition, until one is added or goes
        self.due: dict[tuple[str, str], tuple[str, str]] = {}  # key → (shelf, when)
        self.position = 0
        self._read: dict[tuple[str, str], Entity] = {}
        self._watch, self._stream = watch, stream

    def take(self) -> list[dict[str, Any]]:
        """The new records of the stream, oldest first."""
        records = self._stream(self.position)
        self.position += len(records)
        for record in records:
            self._watch.record(record["dynamodb"])
            self._note(record["dynamodb"])
        return records

    def _note(self, about: dict[str, Any]) -> None:
        pk, sk = about["Keys"]["PK"]["S"], about["Keys"]["SK"]["S"]
        image = about.get("NewImage")
        self._read.pop((pk, sk), None)
        self.due.pop((pk, sk), None)
        if image is None:
            self.rows[pk].pop(sk)
            self._sorted.pop(pk, None)
            return
        rows = self.rows.setdefault(pk, {})
        if sk not in rows:
            self._places.setdefault(pk.partition("#")[0], {})[pk] = None
            self._sorted.pop(pk, None)
        rows[sk] = image
        if "GSI3PK" in image:
            self.due[pk, sk] = image["GSI3PK"]["S"], image["GSI3SK"]["S"]

    def row(self, pk: str, sk: str) -> Any:
        """One row, or None."""
        image = self.rows.get(pk, {}).get(sk)
        if image is None:
            return None
        if (pk, sk) not in self._read:
            self._read[pk, sk] = Entity.from_raw_data(image)
        return self._read[pk, sk]

    def partition(self, pk: str, prefix: str = "") -> list[Any]:
        """The rows of a partition, in order."""
        if pk not in self._sorted:
            self._sorted[pk] = sorted(self.rows.get(pk, ()))
        return [self.row(pk, sk) for sk in self._sorted[pk] if sk.startswith(prefix)]

    def every(self, kind: str, sk: str = "") -> Iterator[Any]:
        """All rows of the partitions of a kind (`ESCROW#`) whose sort keys begin so."""
        for place in list(self._places.get(kind.removesuffix("#"), ())):
            yield from self.partition(place, sk)

    def next_due(self, shelves: tuple[str, ...]) -> dt.datetime | None:
        """The earliest moment at which anything on these shelves is due."""
        found = [when for shelf, when in self.due.values() if shelf.startswith(shelves)]
        return clock.parse(min(found)[:27]) if found else None
