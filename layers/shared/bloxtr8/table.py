"""The only module that talks to DynamoDB: strongly consistent reads, and one writer (table.md).

A read is a GetItem, a BatchGet or a Query with a limit; there is no Scan. `commit` writes every change of an action,
its audit
entry and its idempotency row in one transaction, or nothing.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, overload

from bloxtr8 import memory as memory  # before pynamodb, the first large thing that a function imports

# isort: split

from pynamodb.exceptions import DeleteError, PutError, PynamoDBException, TransactWriteError

from bloxtr8 import audit, aws, clock, config
from bloxtr8.actors import Actor
from bloxtr8.entities import Entity, Idempotency, Root
from bloxtr8.entities.keys import KEYS
from bloxtr8.errors import NotFound, StaleWrite

logger = logging.getLogger(__name__)
EPHEMERAL = {"Session", "OAuthState", "SignToken", "WebhookEvent", "Operation", "ChainTx"}  # ChainTx: chain_book
PARTITION_LIMIT = 500
TABLE = Entity.Meta.table_name
_LOST_RACE = {"ConditionalCheckFailed", "TransactionConflict"}

_connection = Entity._get_connection().connection  # opened first: every entity class then shares this one client
_connection._local.session = aws.session
_connection.client  # noqa: B018  (opened here, where Lambda gives a whole processor, and not in the first request)


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
    """The place of a row, from the fields its key names (entities/keys.py): `ref(User, id=…)`, `ref(Contract,
    ulid=…)`."""
    key = KEYS[cls.__name__]
    return Ref(cls, key.pk.format_map(fields), key.sk.format_map(fields))


def find[E: Entity](cls: type[E], **fields: Any) -> E | None:
    """One row, or None."""
    place = ref(cls, **fields)
    try:
        return cls.get(place.pk, place.sk, consistent_read=True)
    except cls.DoesNotExist:
        return None


def get[E: Entity](cls: type[E], **fields: Any) -> E:
    """One row. Raises NotFound."""
    row = find(cls, **fields)
    if row is None:
        raise NotFound(f"There is no such {cls.__name__.lower()}.")
    return row


def load(*refs: Ref[Any]) -> tuple[Any, ...]:
    """Several rows in one BatchGet, in the order asked for; None where there is none."""
    wanted = list(dict.fromkeys((place.pk, place.sk) for place in refs))
    found = {(row.pk, row.sk): row for row in Entity.batch_get(wanted, consistent_read=True)}
    return tuple(found.get((place.pk, place.sk)) for place in refs)


def partition(pk: str, *, prefix: str | None = None) -> list[Entity]:
    """All rows of one partition whose number is bounded by design: a chain of offers, a contract, an escrow."""
    items, _ = _query(None, pk, prefix=prefix, limit=PARTITION_LIMIT)
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
) -> Page[E]:
    """One page of an index (`gsi1` … `gsi5`) or, with None, of a partition. `start` is an earlier page's `next_key`."""
    items, next_key = _query(index, pk, prefix=prefix, limit=limit, start=start, newest_first=newest_first)
    rows = (Entity.from_raw_data(item) for item in items)
    return Page([row for row in rows if isinstance(row, cls)], next_key)


def due[E: Entity](cls: type[E], shelf: str, *, limit: int = 50) -> list[E]:
    """What a job looks at now: rows of a due shelf (`DUE#…`, `QUEUE#…`) up to the present, oldest first. Read each
    again before deciding. A row that can't be read, as another version of the code wrote it, stops no other."""
    items, _ = _query("gsi3", shelf, up_to=clock.iso(clock.now()), limit=limit)
    return [row for row in _readable(items, shelf) if isinstance(row, cls)]


def _readable(items: Iterable[dict[str, Any]], shelf: str) -> Iterator[Entity]:
    for item in items:
        try:
            yield Entity.from_raw_data(item)
        except (TypeError, ValueError):  # of an attribute or an enum
            logger.exception("a due row can't be read", extra={"shelf": shelf})


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
    """Items as stored, of the types that this version of the code knows, and the key to go on from.

    Asked for here, because pynamodb would add every type's name to each query as a filter (docs/decisions.md, Speed).
    """
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
        answer = _connection.dispatch("Query", {**asked, **further, "Limit": limit - len(items)})
        items += answer["Items"]
        start = answer.get("LastEvaluatedKey")
        if start is None or len(items) >= limit:
            return [item for item in items if item["type"]["S"] in KEYS], start


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
    """Write an action as one transaction: every row under the version it was read with, or nothing.

    `root` heads the audit chain and is always saved; `checks` are rows that must not have changed since they were read;
    `deletes` go under their version. `answer` makes the view once the rows have their new versions, and is what a
    repeated
    Idempotency-Key replays; without it nothing is recorded for the key. Raises StaleWrite where any row was changed
    first.
    """
    rows = _distinct(root, saves)
    for row in rows:
        row.version += 1
        row.place()  # rows without an id are called by their place in the audit entry
    entry = audit.append(root, rows[1:], action=action, actor=actor, details=details, escrow_id=escrow_id)
    view = answer() if answer else None
    record = _idempotency(actor, view) if answer else []
    _transact([*rows, entry, *record], checks=checks, deletes=deletes, action=action)
    return view


def remember(row: Entity, *, unless_exists: bool = True) -> bool:
    """Write an ephemeral row or a webhook event: put-if-absent, or under the version it was read with. False where
    that lost."""
    _ephemeral(row.entity)
    condition = _unchanged(row)
    row.version += 1
    try:
        row.place().save(Entity.pk.does_not_exist() if unless_exists else condition)
    except PutError as error:
        if _code(error) == "ConditionalCheckFailedException":
            return False
        raise
    return True


def forget(row: Entity) -> bool:
    """Delete an ephemeral row. False where it was gone: of two callers exactly one gets True."""
    _ephemeral(row.entity)
    try:
        row.delete(Entity.pk.exists())
    except DeleteError as error:
        if _code(error) == "ConditionalCheckFailedException":
            return False
        raise
    return True


def take[E: Entity](cls: type[E], **fields: Any) -> E | None:
    """Delete an ephemeral row and return what it was; None where there is none: of two callers exactly one gets it."""
    _ephemeral(cls.__name__)
    place = ref(cls, **fields)
    found = cls._get_connection().delete_item(place.pk, place.sk, return_values="ALL_OLD").get("Attributes")
    return cls.from_raw_data(found) if found else None


def _ephemeral(kind: str) -> None:
    if kind not in EPHEMERAL:
        raise TypeError(f"{kind} is written by commit")


def _distinct(root: Root, saves: Sequence[Entity]) -> list[Entity]:
    """The root first, every row once."""
    return list({id(row): row for row in (root, *saves)}.values())


def _unchanged(row: Entity) -> Any:
    """The condition that a row is as it was read, or new."""
    return Entity.pk.does_not_exist() if row.version == 0 else Entity.version == row.version


def _same(version: int) -> dict[str, Any]:
    """The same in a transaction's own words, of a row that exists."""
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
    }


def _as_read(row: Entity) -> dict[str, Any]:
    """The same for a row whose version commit has raised. An expired idempotency row counts as gone: DynamoDB's TTL
    is lazy."""
    if row.version > 1:
        return _same(row.version - 1)
    absent = "attribute_not_exists(PK)"
    if not isinstance(row, Idempotency):
        return {"ConditionExpression": absent}
    return {
        "ConditionExpression": f"{absent} OR #ttl <= :now",
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
    return [row]


def _transact(puts: Sequence[Entity], *, checks: Iterable[Entity], deletes: Iterable[Entity], action: str) -> None:
    saved = {(row.pk, row.sk) for row in puts if row.pk}
    # A saved row is conditional on its version anyway.
    unsaved = [row for row in checks if (row.pk, row.sk) not in saved]
    try:
        _connection.transact_write_items(
            condition_check_items=[_key(row) | _same(row.version) for row in unsaved],
            delete_items=[_key(row) | _same(row.version) for row in deletes],
            put_items=[{"TableName": TABLE, "Item": row.place().serialize(), **_as_read(row)} for row in puts],
            update_items=[],
        )
    except TransactWriteError as error:
        if _LOST_RACE & {_code(error), *(reason.code for reason in error.cancellation_reasons if reason)}:
            raise StaleWrite(action) from error
        raise


def _key(row: Entity) -> dict[str, Any]:
    return {"TableName": TABLE, "Key": {"PK": {"S": row.pk}, "SK": {"S": row.sk}}}


def _code(error: PynamoDBException) -> str | None:
    """DynamoDB's code for a refusal; None where no answer came, on which pynamodb's own property breaks."""
    answer = getattr(error.cause, "response", None)
    return answer["Error"]["Code"] if answer else None
