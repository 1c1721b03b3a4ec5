"""The only module that talks to DynamoDB: strongly consistent reads, and one writer (table.md).

A read is a GetItem, a BatchGet or a Query with a limit; there is no Scan. `commit` writes every change of an action,
its audit entry and its idempotency row in one transaction, or nothing. What any of them raises besides what it says is
`aws_json.AwsError`: Refused where DynamoDB did nothing, NoAnswer where it may have done it.
"""

import datetime as dt
import logging
import os
import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, overload

from bloxtr8 import memory as memory  # before pynamodb, the first large thing that a function imports

# isort: split

from bloxtr8 import audit, clock, config
from bloxtr8.actors import Actor
from bloxtr8.aws_json import NoAnswer, Refused, Service
from bloxtr8.entities import Entity, Idempotency, Root
from bloxtr8.entities.keys import KEYS
from bloxtr8.errors import NotFound, StaleWrite

logger = logging.getLogger(__name__)
# ChainTx: chain_book; AssetWatch: asset_watch; Place: places
EPHEMERAL = {
    "Session", "OAuthState", "SignToken", "WalletNonce", "WebhookEvent", "Operation", "ChainTx", "AssetWatch", "Place",
}  # fmt: skip
PARTITION_LIMIT = 500
DUE_PAGES = 20  # at most, of which most rows failed
BATCH_LIMIT = 100  # keys of one BatchGet
BATCH_ROUNDS = 5  # in which it gives everything, or is not to be had
BATCH_PAUSE_SECONDS = 0.1  # at most so long before the second round, twice as long before each further: 1.5 in all
TABLE = os.environ.get("TABLE_NAME", "bloxtr8-local")
_ABSENT = "attribute_not_exists(PK)"
_WRITE = "write"  # an attribute that is no entity's
_LOST_RACE = {"ConditionalCheckFailed", "TransactionConflict"}

_dynamodb = Service("dynamodb", "DynamoDB_20120810")


class Ref[E: Entity](NamedTuple):
    """Where a row lies."""

    cls: type[E]
    pk: str
    sk: str


class Page[E: Entity](NamedTuple):
    """Some rows of a query, and the key to go on from, or None at the end."""

    items: list[E]
    next_key: dict[str, Any] | None


def ref[E: Entity](cls: type[E], **fields: Any) -> Ref[E]:
    """The place of a row, from the fields that its key is made of (entities/keys.py): `ref(User, id=…)`,
    `ref(Contract, ulid=…)`. Raises KeyError where one is missing."""
    key = KEYS[cls.__name__]
    return Ref(cls, key.pk.format_map(fields), key.sk.format_map(fields))


def find[E: Entity](cls: type[E], **fields: Any) -> E | None:
    """One row, or None."""
    place = ref(cls, **fields)
    found = _dynamodb.ask("GetItem", _at(place.pk, place.sk) | {"ConsistentRead": True}).get("Item")
    return cls.from_raw_data(found) if found else None


def get[E: Entity](cls: type[E], **fields: Any) -> E:
    """One row. Raises NotFound."""
    row = find(cls, **fields)
    if row is None:
        raise NotFound(f"There is no such {cls.__name__.lower()}.")
    return row


def load(*refs: Ref[Any], lenient: bool = False) -> tuple[Any, ...]:
    """Several rows in one BatchGet, in the order asked for; None where there is none. `lenient`, for a job: and where
    it can't be read."""
    wanted = list(dict.fromkeys((place.pk, place.sk) for place in refs))
    found: dict[tuple[str, str], Entity] = {}
    for first in range(0, len(wanted), BATCH_LIMIT):
        items = _batch([_key(pk, sk) for pk, sk in wanted[first : first + BATCH_LIMIT]])
        for row in _readable(items, "a batch") if lenient else map(Entity.from_raw_data, items):
            found[row.pk, row.sk] = row
    return tuple(found.get((place.pk, place.sk)) for place in refs)


def _batch(keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The items of these keys, in any order. DynamoDB leaves out what it has no capacity for at the moment, and gets
    more time for it each round. Raises NoAnswer."""
    asked = {"RequestItems": {TABLE: {"Keys": keys, "ConsistentRead": True}}}
    for before in range(BATCH_ROUNDS):
        if before:
            time.sleep(random.uniform(0, BATCH_PAUSE_SECONDS * 2 ** (before - 1)))
        answer = _dynamodb.ask("BatchGetItem", asked)
        yield from answer.get("Responses", {}).get(TABLE, ())
        left = answer.get("UnprocessedKeys")
        if not left:
            return
        asked = {"RequestItems": left}
    raise NoAnswer("BatchGetItem: not all of it")


def partition(pk: str, *, prefix: str | None = None) -> list[Entity]:
    """All rows of one partition whose number is bounded by design: a chain of offers, a contract, an escrow.

    Where it is larger all the same (anybody may send dust to a vault) it is read to its end: no rule decides on a part.
    """
    items, start = _query(None, pk, prefix=prefix, limit=PARTITION_LIMIT)
    while start is not None:
        logger.warning("a partition is larger than it was designed to be", extra={"rows": len(items)})
        more, start = _query(None, pk, prefix=prefix, limit=PARTITION_LIMIT, start=start)
        items += more
    return [Entity.from_raw_data(item) for item in items]


def page[E: Entity](
    cls: type[E],
    index: str | None,
    pk: str,
    *,
    limit: int,
    start: dict[str, Any] | None = None,
    newest_first: bool = True,
    prefix: str | None = None,
    lenient: bool = False,
) -> Page[E]:
    """One page of an index (`gsi1` … `gsi5`) or, with None, of a partition: up to `limit` rows, less those that are no
    `cls`. `prefix` is one of the sort key. `start` is an earlier page's `next_key`. An index lags behind the table.
    `lenient`, for a job: a row that can't be read stops no other."""
    items, next_key = _query(index, pk, prefix=prefix, limit=limit, start=start, newest_first=newest_first)
    rows = _readable(items, pk) if lenient else (Entity.from_raw_data(item) for item in items)
    return Page([row for row in rows if isinstance(row, cls)], next_key)


def due[E: Entity](cls: type[E], shelf: str, *, limit: int = 50) -> list[E]:
    """What a job looks at now: rows of a due shelf (`DUE#…`, `QUEUE#…`) up to the present, oldest first. Read each
    again before deciding. A row that can't be read, as another version of the code wrote it, stops no other."""
    items, _ = _query("gsi3", shelf, up_to=clock.iso(clock.now()), limit=limit)
    return [row for row in _readable(items, shelf) if isinstance(row, cls)]


def all_due[E: Entity](cls: type[E], shelf: str, *, limit: int = 50) -> Iterator[list[E]]:
    """The same, page after page, for a job that goes on until enough of it is done (`attempts.work`)."""
    return (page.items for page in due_pages(cls, shelf, pages=DUE_PAGES, limit=limit))


def due_pages[E: Entity](
    cls: type[E],
    shelf: str,
    *,
    pages: int,
    limit: int = 50,
    up_to: dt.datetime | None = None,
    start: dict[str, Any] | None = None,
    index: str = "gsi3",
) -> Iterator[Page[E]]:
    """The same, page after page, for a job that leaves rows where they are; `up_to` another moment. From `start`, an
    earlier page's `next_key`, to the end and then from the beginning. Logs an error where `pages` are not enough."""
    last = clock.iso(up_to or clock.now())
    if start and start[f"{index.upper()}SK"]["S"] > last:  # DynamoDB takes no start beyond what it is asked for
        start = None
    first = start
    for _ in range(pages):
        items, start = _query(index, shelf, up_to=last, limit=limit, start=start)
        yield Page([row for row in _readable(items, shelf) if isinstance(row, cls)], start)
        if start is None:
            if first is None:
                return
            first = None
    logger.error("more is due than one run looks at", extra={"shelf": shelf, "rows": pages * limit})


def _readable(items: Iterable[dict[str, Any]], shelf: str) -> Iterator[Entity]:
    for item in items:
        try:
            yield Entity.from_raw_data(item)
        except (TypeError, ValueError):  # of an attribute or an enum
            logger.exception("a due row can't be read", extra={"shelf": shelf, "row": item["PK"]["S"]})


def _query(
    index: str | None,
    pk: str,
    *,
    limit: int,
    prefix: str | None = None,
    up_to: str | None = None,
    start: dict[str, Any] | None = None,
    newest_first: bool = False,
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Items as stored, of the types that this version of the code knows, and the key to go on from."""
    name = "" if index is None else index.upper()
    where, values = f"{name}PK = :pk", {":pk": {"S": pk}}
    if prefix is not None:
        where, values[":sk"] = f"{where} AND begins_with({name}SK, :sk)", {"S": prefix}
    elif up_to is not None:
        where, values[":sk"] = f"{where} AND {name}SK <= :sk", {"S": up_to}
    asked: dict[str, Any] = {"IndexName": name} if index else {"ConsistentRead": True}
    asked |= {"TableName": TABLE, "KeyConditionExpression": where, "ExpressionAttributeValues": values}
    asked["ScanIndexForward"] = not newest_first
    items: list[dict[str, Any]] = []
    while True:
        further = {"ExclusiveStartKey": start} if start else {}
        answer = _dynamodb.ask("Query", {**asked, **further, "Limit": limit - len(items)})
        items += answer["Items"]
        start = answer.get("LastEvaluatedKey")
        if start is None or len(items) >= limit:
            return [item for item in items if item.get("type", {}).get("S") in KEYS], start


@overload
def commit(
    root: Root,
    *saves: Entity,
    action: str,
    actor: Actor,
    details: dict[str, Any] | None = None,
    checks: Iterable[Entity] = (),
    deletes: Iterable[Entity] = (),
    escrow_id: str | None = None,
) -> None: ...
@overload
def commit[V](
    root: Root,
    *saves: Entity,
    action: str,
    actor: Actor,
    details: dict[str, Any] | None = None,
    checks: Iterable[Entity] = (),
    deletes: Iterable[Entity] = (),
    escrow_id: str | None = None,
    answer: Callable[[], V],
) -> V: ...
def commit(
    root: Root,
    *saves: Entity,
    action: str,
    actor: Actor,
    details: dict[str, Any] | None = None,
    checks: Iterable[Entity] = (),
    deletes: Iterable[Entity] = (),
    escrow_id: str | None = None,
    answer: Callable[[], Any] | None = None,
) -> Any:
    """Write an action as one transaction, or nothing of it. Returns what `answer` made, or None.

    `root` heads the audit chain and is always saved, with `saves`: each row under the version it was read with, a new
    one (version 0) only where there is none. Their versions go up in memory whether or not the write succeeds: read
    again before another try. `checks` are rows that were read and must not have changed since; one that is saved too
    needs no check. `deletes` are removed under the version they were read with.

    `action`, `actor` and `details` (8 KiB of JSON) make the audit entry, listed under `escrow_id`, or else under that
    of the first row that has one. `answer` makes the view once the rows have their new versions; it is what a repeated
    Idempotency-Key replays, and without it nothing is recorded for the key.

    At most 100 rows, these two among them (DynamoDB's limit). Raises StaleWrite where any of them was changed first.
    """
    rows = _distinct(root, saves)
    for row in rows:
        row.version += 1
        row.place()  # rows without an id are called by their place in the audit entry
    entry = audit.append(root, rows[1:], action=action, actor=actor, details=details, escrow_id=escrow_id)
    view = answer() if answer else None
    record = _idempotency(actor, view) if answer else []
    _transact([*rows, entry.place(), *record], checks=checks, deletes=deletes, action=action)
    return view


def remember(row: Entity, *, unless_exists: bool = True) -> bool:
    """Write one row of the EPHEMERAL kinds, without an audit entry: where there is none yet, or, with
    `unless_exists=False`, in place of the one it was read from, under that one's version. False where another write
    came first.

    An attempt whose answer was lost may have written it, and the next is refused by what that wrote: each write has a
    number of its own, by which it knows itself.
    """
    _ephemeral(row.entity)
    condition = _absent() if unless_exists or row.version == 0 else _same(row.version)
    row.version += 1
    number = {_WRITE: {"S": secrets.token_hex(8)}}
    asked = {"TableName": TABLE, "Item": row.place().serialize() | number, **condition}
    try:
        _dynamodb.ask("PutItem", asked | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
    except Refused as error:
        if error.code != "ConditionalCheckFailedException":
            raise
        return error.item.get(_WRITE) == number[_WRITE]
    return True


def take[E: Entity](cls: type[E], **fields: Any) -> E | None:
    """Delete one row of the EPHEMERAL kinds and return what it was; None where there is none. Of several callers at
    most one gets it: where DynamoDB's answer was lost nobody does, as the next attempt finds it gone."""
    _ephemeral(cls.__name__)
    place = ref(cls, **fields)
    found = _dynamodb.ask("DeleteItem", _at(place.pk, place.sk) | {"ReturnValues": "ALL_OLD"}).get("Attributes")
    return cls.from_raw_data(found) if found else None


def _ephemeral(kind: str) -> None:
    if kind not in EPHEMERAL:
        raise TypeError(f"{kind} is written by commit")


def _distinct(root: Root, saves: Sequence[Entity]) -> list[Entity]:
    """The root first, every row once."""
    return list({id(row): row for row in (root, *saves)}.values())


def _absent() -> dict[str, Any]:
    """The condition that a row is new."""
    return {"ConditionExpression": _ABSENT}


def _same(version: int) -> dict[str, Any]:
    """The condition that a row is as it was read."""
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
    }


def _as_read(row: Entity) -> dict[str, Any]:
    """The condition for a row whose version commit has raised. An expired idempotency row counts as gone, since
    DynamoDB's TTL is lazy."""
    if row.version > 1:
        return _same(row.version - 1)
    if not isinstance(row, Idempotency):
        return _absent()
    return {
        "ConditionExpression": f"{_ABSENT} OR #ttl <= :now",
        "ExpressionAttributeNames": {"#ttl": "ttl"},
        "ExpressionAttributeValues": {":now": {"N": str(int(clock.now().timestamp()))}},
    }


def _idempotency(actor: Actor, view: Any) -> list[Idempotency]:
    if actor.idempotency is None:
        return []
    row = Idempotency(
        caller=actor.idempotency.caller,
        action=actor.idempotency.action,
        key=actor.idempotency.key,
        fingerprint=actor.idempotency.fingerprint,
        answer="" if view is None else view.model_dump_json(by_alias=True),
    )
    row.ttl = clock.now() + dt.timedelta(seconds=config.settings().idempotency_seconds)
    return [row.place()]


def _transact(puts: Sequence[Entity], *, checks: Iterable[Entity], deletes: Iterable[Entity], action: str) -> None:
    saved = {(row.pk, row.sk) for row in puts}
    # A saved row is conditional on its version anyway.
    unsaved = [row for row in checks if (row.pk, row.sk) not in saved]
    items = [
        *({"ConditionCheck": _at(row.pk, row.sk) | _same(row.version)} for row in unsaved),
        *({"Delete": _at(row.pk, row.sk) | _same(row.version)} for row in deletes),
        *({"Put": {"TableName": TABLE, "Item": row.serialize(), **_as_read(row)}} for row in puts),
    ]
    # Under one token an attempt whose answer was lost and the next are one transaction.
    asked = {"TransactItems": items, "ClientRequestToken": secrets.token_hex(16)}
    try:
        _dynamodb.ask("TransactWriteItems", asked)
    except Refused as error:
        if _LOST_RACE & {error.code, *error.reasons}:
            raise StaleWrite(action) from error
        raise


def _at(pk: str, sk: str) -> dict[str, Any]:
    return {"TableName": TABLE, "Key": _key(pk, sk)}


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"PK": {"S": pk}, "SK": {"S": sk}}
