"""DynamoDB's request units, from the requests and answers themselves.

A strongly consistent read takes a unit for 4 KiB begun (of a query: of all its items together), an eventual one half. A
write takes a unit for 1 KiB begun of the larger image, in a transaction two. Each index entry that is new, gone or
changed takes a write unit for 1 KiB begun, two where its key moved.
"""

import base64
import json
import math
from dataclasses import dataclass, field
from typing import Any

from benchmarks.record import Exchange

type Item = dict[str, Any]
INDEXES = ("GSI1", "GSI2", "GSI3", "GSI4", "GSI5")


@dataclass
class Meter:
    """Follows the table's items, so that it knows what a write replaced."""

    images: dict[tuple[str, str], Item] = field(default_factory=dict)
    reads: float = 0.0
    writes: float = 0.0

    def meet(self, exchange: Exchange) -> None:
        """Count one call of DynamoDB; one that was refused takes its units too, but changes nothing."""
        asked, good = exchange.asked, exchange.status < 300
        match exchange.operation:
            case "GetItem":
                self._read([self._answer(exchange).get("Item") or {}], asked)
            case "BatchGetItem":
                for table, keys in self._answer(exchange).get("Responses", {}).items():
                    for item in keys:
                        self._read([item], asked["RequestItems"][table])
            case "Query":
                self._read(self._answer(exchange).get("Items", []), asked)
            case "PutItem":
                self._write(asked["Item"], 1, good=good)
            case "DeleteItem":
                self._delete(asked["Key"], 1, good=good)
            case "TransactWriteItems":
                for one in asked["TransactItems"]:
                    self._part(*next(iter(one.items())), good=good)

    def _part(self, kind: str, about: dict[str, Any], *, good: bool) -> None:
        """A put, a delete or a check of a transaction."""
        if kind == "Put":
            self._write(about["Item"], 2, good=good)
        elif kind == "Delete":
            self._delete(about["Key"], 2, good=good)
        else:
            self.writes += 2 * _units(self.images.get(_place(about["Key"]), {}), 1024)

    def _answer(self, exchange: Exchange) -> Any:
        return json.loads(base64.b64decode(exchange.body) or b"{}")

    def _read(self, items: list[Item], asked: dict[str, Any]) -> None:
        units = max(1, math.ceil(sum(map(size, items)) / 4096))
        self.reads += units if asked.get("ConsistentRead") else units / 2

    def _write(self, item: Item, factor: int, *, good: bool) -> None:
        before = self.images.get(_place(item), {})
        self.writes += factor * max(_units(item, 1024), _units(before, 1024))
        if good:
            self._index(before, item)
            self.images[_place(item)] = item

    def _delete(self, key: Item, factor: int, *, good: bool) -> None:
        before = self.images.get(_place(key), {})
        self.writes += factor * _units(before, 1024)
        if good:
            self._index(before, {})
            self.images.pop(_place(key), None)

    def _index(self, before: Item, after: Item) -> None:
        for name in INDEXES:
            old, new = ([it.get(f"{name}PK"), it.get(f"{name}SK")] for it in (before, after))
            if old == new and new[0] is not None:
                self.writes += _units(after, 1024) if before != after else 0
            else:
                self.writes += (_units(before, 1024) if old[0] else 0) + (_units(after, 1024) if new[0] else 0)


def size(item: Item) -> int:
    """An item's bytes: names and values, numbers by their digits, containers with their overhead."""
    return sum(len(name.encode()) + _value(it) for name, it in item.items())


def _value(value: dict[str, Any]) -> int:
    ((kind, it),) = value.items()
    match kind:
        case "S":
            return len(it.encode())
        case "N":
            return len(it) // 2 + 1
        case "B":
            return len(it) * 3 // 4
        case "L":
            return 3 + sum(_value(one) + 1 for one in it)
        case "M":
            return 3 + sum(len(name.encode()) + _value(one) + 1 for name, one in it.items())
        case "SS" | "NS":
            return sum(len(one) for one in it)
    return 1


def _units(item: Item, step: int) -> int:
    return max(1, math.ceil(size(item) / step))


def _place(item: Item) -> tuple[str, str]:
    return item["PK"]["S"], item["SK"]["S"]
