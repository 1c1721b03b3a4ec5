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
from pynamodb.transactions import TransactWrite

from bloxtr8 import audit, aws, clock, config
from bloxtr8.actors import Actor
from bloxtr8.entities import Entity, Idempotency, Root
from bloxtr8.entities.keys import KEYS
from bloxtr8.errors import NotFound, StaleWrite

logger = logging.getLogger(__name__)
EPHEMERAL = {"Session", "OAuthState", "SignToken", "WebhookEvent", "Operation"}
PARTITION_LIMIT = 500
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
    condition = None if prefix is None else Entity.sk.startswith(prefix)
    return list(Entity.query(pk, condition, consistent_read=True, limit=PARTITION_LIMIT))


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
    shelf = Entity if index is None else getattr(Entity, index)
    sort_key = Entity.sk if index is None else getattr(Entity, f"{index}sk")
    rows = shelf.query(
        pk,
        None if prefix is None else sort_key.startswith(prefix),
        limit=limit,
        page_size=limit,
        scan_index_forward=not newest_first,
        last_evaluated_key=start,
        consistent_read=index is None,
    )
    items = [row for row in rows if isinstance(row, cls)]
    return Page(items, rows.last_evaluated_key)


def due[E: Entity](cls: type[E], shelf: str, *, limit: int = 50) -> list[E]:
    """What a job looks at now: rows of a due shelf (`DUE#…`, `QUEUE#…`) up to the present, oldest first. Read each
    again before deciding. A row that can't be read, as another version of the code wrote it, stops no other."""
    up_to = Entity.gsi3sk <= clock.iso(clock.now())
    rows = Entity.gsi3.query(shelf, up_to, limit=limit, page_size=limit)
    return [row for row in _readable(rows, shelf) if isinstance(row, cls)]


def _readable(rows: Iterator[Entity], shelf: str) -> Iterator[Entity]:
    while True:
        try:
            yield next(rows)
        except StopIteration:
            return
        except (TypeError, ValueError):  # of an attribute, an enum, a discriminator
            logger.exception("a due row can't be read", extra={"shelf": shelf})


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


def _as_read(row: Entity) -> Any:
    """The same for a row whose version commit has raised. An expired idempotency row counts as gone: DynamoDB's TTL
    is lazy."""
    if row.version > 1:
        return Entity.version == row.version - 1
    absent = Entity.pk.does_not_exist()
    return absent | (Entity.ttl <= clock.now()) if isinstance(row, Idempotency) else absent


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
    try:
        with TransactWrite(connection=_connection) as transaction:
            for row in checks:
                if (row.pk, row.sk) not in saved:  # a saved row is conditional on its version anyway
                    transaction.condition_check(type(row), row.pk, row.sk, Entity.version == row.version)
            for row in deletes:
                transaction.delete(row, Entity.version == row.version, add_version_condition=False)
            for row in puts:
                transaction.save(row.place(), _as_read(row))
    except TransactWriteError as error:
        if _LOST_RACE & {_code(error), *(reason.code for reason in error.cancellation_reasons if reason)}:
            raise StaleWrite(action) from error
        raise


def _code(error: PynamoDBException) -> str | None:
    """DynamoDB's code for a refusal; None where no answer came, on which pynamodb's own property breaks."""
    answer = getattr(error.cause, "response", None)
    return answer["Error"]["Code"] if answer else None
