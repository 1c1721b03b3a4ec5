"""How the platform reads its table, past moto's handling, which parses each condition anew, and copies and weighs what
it found several times: more than all else that a function's test does.

Only what bloxtr8.table asks, in just these words, is answered here, from moto's own rows and as moto does; all else,
and what could be more than comes at once, is moto's. tests/local/test_motofix.py compares the two.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

type Asked = Mapping[str, Any]
type Told = dict[str, Any]

_MOST_BYTES = 900_000  # of an answer; DynamoDB gives 1 MB of a query at once
_MOST_KEYS = 100
_QUERY = {
    "TableName", "IndexName", "ConsistentRead", "KeyConditionExpression", "ExpressionAttributeValues",
    "ScanIndexForward", "ExclusiveStartKey", "Limit",
}  # fmt: skip
_RANGES: dict[str, Callable[[str, Any], bool]] = {
    "": lambda _, __: True,
    "begins_with(SK, :sk)": lambda found, prefix: found.startswith(prefix),
    "SK <= :sk": lambda found, last: found <= last,
}


def answer(tables: Mapping[str, Table], operation: str, asked: bytes) -> bytes | None:
    """The answer, or None where moto has to give it."""
    reader = _READERS.get(operation)
    told = reader(tables, json.loads(asked)) if reader else None
    said = b"" if told is None else json.dumps(told, default=DynamoType.to_json).encode()
    return said if 0 < len(said) < _MOST_BYTES else None


def _get(tables: Mapping[str, Table], asked: Asked) -> Told | None:
    table = _ours(tables, asked["TableName"])
    if table is None or asked.keys() != {"TableName", "Key", "ConsistentRead"} or not _is_key(asked["Key"]):
        return None
    found = _find(table, asked["Key"])
    return {"Item": found} if found else {}


def _batch_get(tables: Mapping[str, Table], asked: Asked) -> Told | None:
    ((name, wanted), *more) = asked["RequestItems"].items()
    table, keys = _ours(tables, name), wanted["Keys"]
    if table is None or more or wanted.keys() != {"Keys", "ConsistentRead"} or not all(map(_is_key, keys)):
        return None
    if len({(key["PK"]["S"], key["SK"]["S"]) for key in keys}) < len(keys) or len(keys) > _MOST_KEYS:
        return None
    return {"Responses": {name: [found for key in keys if (found := _find(table, key))]}, "UnprocessedKeys": {}}


def _query(tables: Mapping[str, Table], asked: Asked) -> Told | None:
    index = asked.get("IndexName", "")
    table = _ours(tables, asked["TableName"], index)
    equals, _, further = asked.get("KeyConditionExpression", "").partition(" AND ")
    fits = _RANGES.get(further.replace(f"{index}SK", "SK"))
    if table is None or fits is None or equals != f"{index}PK = :pk" or not asked.keys() <= _QUERY:
        return None
    if index and asked.get("ConsistentRead"):
        return None
    values, start = asked["ExpressionAttributeValues"], asked.get("ExclusiveStartKey")
    forward, limit = asked.get("ScanIndexForward", True), asked.get("Limit")
    prefix_or_last = values.get(":sk", {}).get("S")
    rows = sorted(_entries(table, index, values[":pk"]["S"]), key=lambda row: row[0], reverse=not forward)
    if start:
        place = _order({name: one["S"] for name, one in start.items()}.__getitem__, index)
        rows = [row for row in rows if (row[0] > place if forward else row[0] < place)]
    page: list[Item] = []
    more = False
    for order, item in rows:
        more = len(page) == limit
        if more:
            break
        if fits(order[0], prefix_or_last):
            page.append(item)
    told: Told = {"Count": len(page), "ScannedCount": len(page), "Items": [_told(item) for item in page]}
    if more:
        names = ["PK", "SK", *((f"{index}PK", f"{index}SK") if index else ())]
        told["LastEvaluatedKey"] = {name: told["Items"][-1][name] for name in names}
    return told


_READERS = {"GetItem": _get, "BatchGetItem": _batch_get, "Query": _query}


def _ours(tables: Mapping[str, Table], name: str, index: str = "") -> Table | None:
    """The table, where its keys and the index's are named as the house does."""
    table = tables.get(name)
    if table is None or table.table_key_attrs != ["PK", "SK"]:
        return None
    whole = [one.name for one in table.global_indexes if one.projection == {"ProjectionType": "ALL"}]
    return table if not index or index in whole else None


def _is_key(key: Mapping[str, Any]) -> bool:
    return key.keys() == {"PK", "SK"} and all(one.get("S") for one in key.values())


def _find(table: Table, key: Mapping[str, Any]) -> Told | None:
    found = table.items.get(DynamoType(key["PK"]), {}).get(DynamoType(key["SK"]))
    return found and _told(found)


def _entries(table: Table, index: str, pk: str) -> Iterator[tuple[tuple[str, ...], Item]]:
    """The rows of a partition or of a part of an index, each under what it is sorted by."""
    if not index:
        for sk, item in table.items.get(DynamoType({"S": pk}), {}).items():
            yield (sk.value,), item
        return
    for part in table.items.values():
        for item in part.values():
            found = item.attrs.get(f"{index}PK")
            if found is not None and found.value == pk and f"{index}SK" in item.attrs:
                yield _order(lambda name, of=item: of.attrs[name].value, index), item


def _order(value_of: Callable[[str], str], index: str) -> tuple[str, ...]:
    return tuple(map(value_of, (f"{index}SK", "PK", "SK") if index else ("SK",)))


def _told(item: Item) -> Told:
    return {name: {one.type: one.value} for name, one in item.attrs.items()}
