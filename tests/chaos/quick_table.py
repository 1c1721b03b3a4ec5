"""DynamoDB as bloxtr8.table asks it, in plain dictionaries: a tenth of moto's time, which makes a hundred worlds cheap.

It knows the operations and conditions that table.py writes, and refuses all others. test_quick_table.py plays a world
on it and on moto, and both are the same to the last event.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from bloxtr8.aws_json import CANCELLED, Refused

type Item = dict[str, Any]
type Key = tuple[str, str]

INDEXES = ("GSI1", "GSI2", "GSI3", "GSI4", "GSI5")
MOST_BYTES, MOST_ITEMS = 400_000, 100
FAILED = "ConditionalCheckFailed"


class QuickTable:
    """The rows, the entries of each index, and the records of the stream."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Item]] = {}
        self.records: list[dict[str, Any]] = []
        self._entries: dict[tuple[str, str], dict[Key, Item]] = {}
        self._tokens: dict[str, str] = {}
        self._operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "GetItem": self._get,
            "BatchGetItem": self._batch_get,
            "Query": self._query,
            "PutItem": self._put,
            "DeleteItem": self._delete,
            "TransactWriteItems": self._transact,
        }

    def ask(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """As Service.ask, of DynamoDB. Raises Refused."""
        return self._operations[operation](json.loads(json.dumps(arguments)))

    def take(self, start: int) -> list[dict[str, Any]]:
        """The stream's records from there on."""
        return self.records[start:]

    # --- reading

    def _get(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        found = self._find(asked["Key"])
        return {"Item": found} if found else {}

    def _batch_get(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        ((table, wanted),) = asked["RequestItems"].items()
        found = map(self._find, wanted["Keys"])
        return {"Responses": {table: [item for item in found if item]}}

    def _query(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        index, values = asked.get("IndexName", ""), asked["ExpressionAttributeValues"]
        pk, sk = values[":pk"]["S"], values.get(":sk", {}).get("S")
        equals, _, further = asked["KeyConditionExpression"].partition(" AND ")
        assert equals == f"{index}PK = :pk", equals
        items = self.rows.get(pk, {}) if not index else self._entries.get((index, pk), {})
        fits = _RANGES[further.replace(f"{index}SK", "SK")]
        found = [item for item in items.values() if fits(item[f"{index}SK"]["S"], sk)]
        found.sort(key=lambda item: _order(item, index), reverse=not asked["ScanIndexForward"])
        start = asked.get("ExclusiveStartKey")
        if start:
            later = (lambda a, b: a > b) if asked["ScanIndexForward"] else (lambda a, b: a < b)
            found = [item for item in found if later(_order(item, index), _order(start, index))]
        page = found[: asked["Limit"]]
        more = len(found) > len(page)
        names = ["PK", "SK", *((f"{index}PK", f"{index}SK") if index else ())]
        return {"Items": page} | ({"LastEvaluatedKey": {name: page[-1][name] for name in names}} if more else {})

    # --- writing

    def _put(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._check("PutItem", asked, self._find(asked["Item"]))
        self._save(asked["Item"])
        return {}

    def _delete(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        old = self._find(asked["Key"])
        self._check("DeleteItem", asked, old)
        self._remove(asked["Key"])
        return {"Attributes": old} if old else {}

    def _transact(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        token, told = asked["ClientRequestToken"], json.dumps(asked["TransactItems"])
        if token in self._tokens:
            assert self._tokens[token] == told
            return {}
        parts = [next(iter(part.items())) for part in asked["TransactItems"]]
        keys = [_key(what.get("Item") or what["Key"]) for _, what in parts]
        assert len(parts) <= MOST_ITEMS
        assert len(set(keys)) == len(keys), "one row twice in a transaction"
        reasons = ["None" if _holds(what, self._find(what.get("Item") or what["Key"])) else FAILED for _, what in parts]
        if FAILED in reasons:
            raise Refused("TransactWriteItems", CANCELLED, str(reasons), reasons)
        for kind, what in parts:
            _WRITES[kind](self, what)
        self._tokens[token] = told
        return {}

    def _check(self, operation: str, asked: Mapping[str, Any], old: Item | None) -> None:
        if not _holds(asked, old):
            shown = old if asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else None
            raise Refused(operation, f"{FAILED}Exception", "the condition does not hold", item=shown)

    def _find(self, of: Mapping[str, Any]) -> Item | None:
        pk, sk = _key(of)
        return self.rows.get(pk, {}).get(sk)

    def _save(self, item: Item) -> None:
        assert len(json.dumps(item)) < MOST_BYTES
        old = self._find(item)
        self._index(old, None)
        pk, sk = _key(item)
        self.rows.setdefault(pk, {})[sk] = item
        self._index(None, item)
        self._record("MODIFY" if old else "INSERT", item, old, item)

    def _remove(self, key: Mapping[str, Any]) -> None:
        old = self._find(key)
        if old is not None:
            self._index(old, None)
            pk, sk = _key(key)
            del self.rows[pk][sk]
            self._record("REMOVE", key, old, None)

    def _index(self, old: Item | None, new: Item | None) -> None:
        item = old or new
        for name in INDEXES if item else ():
            if f"{name}PK" in item and f"{name}SK" in item:  # type: ignore[operator]
                entries = self._entries.setdefault((name, item[f"{name}PK"]["S"]), {})  # type: ignore[index]
                if new is None:
                    entries.pop(_key(item), None)  # type: ignore[arg-type]
                else:
                    entries[_key(new)] = new

    def _record(self, kind: str, key: Mapping[str, Any], old: Item | None, new: Item | None) -> None:
        images = {"OldImage": old} if old else {}
        images |= {"NewImage": new} if new else {}
        self.records.append({
            "eventName": kind,
            "dynamodb": {"Keys": {name: key[name] for name in ("PK", "SK")}, **images},
        })  # fmt: skip


def _key(of: Mapping[str, Any]) -> Key:
    return of["PK"]["S"], of["SK"]["S"]


def _order(item: Mapping[str, Any], index: str) -> tuple[str, ...]:
    return (item[f"{index}SK"]["S"], *_key(item)) if index else (item["SK"]["S"],)


def _holds(asked: Mapping[str, Any], old: Item | None) -> bool:
    """The three conditions that table.py writes."""
    condition = asked.get("ConditionExpression")
    values = asked.get("ExpressionAttributeValues", {})
    if condition is None:
        return True
    if condition == "#version = :version":
        return old is not None and old.get("version") == values[":version"]
    absent, _, expired = condition.partition(" OR ")
    assert absent == "attribute_not_exists(PK)", condition
    assert expired in {"", "#ttl <= :now"}, condition
    gone = bool(expired) and old is not None and int(old["ttl"]["N"]) <= int(values[":now"]["N"])
    return old is None or gone


_RANGES: dict[str, Callable[[str, Any], bool]] = {
    "": lambda _, __: True,
    "begins_with(SK, :sk)": lambda found, prefix: found.startswith(prefix),
    "SK <= :sk": lambda found, last: found <= last,
}
_WRITES: dict[str, Callable[[QuickTable, Mapping[str, Any]], object]] = {
    "ConditionCheck": lambda _, __: None,
    "Delete": lambda table, what: table._remove(what["Key"]),
    "Put": lambda table, what: table._save(what["Item"]),
}
