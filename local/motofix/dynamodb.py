"""DynamoDB: atomic requests and transactions, a ClientRequestToken that acts once, a stream that tells when it grew."""

import copy
import functools
import hashlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from moto.core.exceptions import JsonRESTError
from moto.dynamodb import exceptions
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

LOCK = threading.RLock()  # one request at a time
_TOKEN_SECONDS = 600  # as long as DynamoDB remembers a ClientRequestToken
_MAX_TRANSACTION = 100
_WRITES = {
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "TransactWriteItems",
    "ExecuteStatement",
    "ExecuteTransaction",
}
_PLAIN = {"S", "N", "BOOL", "NULL"}
_listeners: list[Callable[[], None]] = []


class _Place(NamedTuple):
    """One item that a transaction touches, and what stood there before."""

    table: Table
    hash_key: DynamoType
    range_key: DynamoType | None
    before: Item | None

    def restore(self) -> None:
        if self.before is not None and self.range_key is not None:
            self.table.items[self.hash_key][self.range_key] = self.before
        elif self.before is not None:
            self.table.items[self.hash_key] = self.before  # type: ignore[assignment]
        elif self.range_key is not None:
            self.table.items[self.hash_key].pop(self.range_key, None)
        else:
            self.table.items.pop(self.hash_key, None)


def apply() -> None:
    """Replace moto's request handling by an atomic one."""
    plain = DynamoHandler.call_action
    transact = DynamoHandler.transact_write_items

    @functools.wraps(plain)
    def call_action(self: DynamoHandler) -> Any:
        with LOCK:
            answer = plain(self)
        if self._get_action() in _WRITES:
            for listener in list(_listeners):
                listener()
        return answer

    @functools.wraps(transact)
    def transact_write_items(self: DynamoHandler) -> Any:
        return _once(self, functools.partial(transact, self))

    DynamoHandler.call_action = call_action  # type: ignore[method-assign]
    DynamoHandler.transact_write_items = transact_write_items  # type: ignore[method-assign]
    DynamoDBBackend.transact_write_items = _transact  # type: ignore[method-assign]


def on_write(listener: Callable[[], None]) -> Callable[[], None]:
    """Call `listener` after every write request. Returns what ends that."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def items(account: str, region: str, table: str) -> list[dict[str, Any]]:
    """Every item of a table at one moment, as Scan answers them, in no order."""
    with LOCK:
        kept = dynamodb_backends[account][region].tables[table]
        return [
            as_json(item) for part in kept.items.values() for item in (part.values() if kept.has_range_key else [part])
        ]


def as_json(item: Item) -> dict[str, Any]:
    """An item as Scan answers it."""
    return {
        name: {one.type: one.value} if one.type in _PLAIN else one.to_regular_json() for name, one in item.attrs.items()
    }


def stream_length(account: str, region: str, table: str) -> int:
    """How many records a table's stream has had since the table was made."""
    shard = dynamodb_backends[account][region].tables[table].stream_shard
    return len(shard.items) if shard else 0


def stream_records(account: str, region: str, table: str, start: int, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` records from the `start`-th on, oldest first, as a Lambda function receives them."""
    owner = dynamodb_backends[account][region].tables[table]
    with LOCK:
        found = owner.stream_shard.items[start : start + limit] if owner.stream_shard else []
        records = [copy.deepcopy(record.to_json()) for record in found]
    for record in records:
        record["awsRegion"] = region
        record["eventSourceARN"] = owner.latest_stream_label and f"{owner.table_arn}/stream/{owner.latest_stream_label}"
        record["dynamodb"]["ApproximateCreationDateTime"] = record["dynamodb"][
            "ApproximateCreationDateTime"
        ].timestamp()
    return records


def _once(handler: DynamoHandler, act: Callable[[], Any]) -> Any:
    """A transaction under its ClientRequestToken: the same again changes nothing, another one is refused."""
    token = handler.body.get("ClientRequestToken")
    if not token:
        return act()
    tokens: dict[str, tuple[str, float, Any]] = handler.dynamodb_backend.__dict__.setdefault(
        "client_request_tokens", {}
    )
    while tokens and next(iter(tokens.values()))[1] < time.monotonic() - _TOKEN_SECONDS:
        del tokens[next(iter(tokens))]
    digest = hashlib.sha256(json.dumps(handler.body["TransactItems"], sort_keys=True, default=str).encode()).hexdigest()
    if token in tokens:
        if tokens[token][0] != digest:
            raise JsonRESTError(
                "IdempotentParameterMismatchException",
                "Request with the same client request token but different parameters",
            )
        return tokens[token][2]
    answer = act()
    tokens[token] = (digest, time.monotonic(), answer)
    return answer


def _transact(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Check every condition, then write everything.

    Moto writes while it checks, and makes a deep copy of the whole table for every item of every transaction to be able
    to go back.
    """
    if len(transact_items) > _MAX_TRANSACTION:
        raise exceptions.TooManyTransactionsException
    places: list[_Place] = []
    reasons: list[tuple[str | None, str | None, dict[str, Any] | None]] = []
    for wanted in transact_items:
        if len(wanted) > 1:
            raise exceptions.TransactWriteSingleOpException
        ((kind, what),) = wanted.items()
        place = _place(self, kind, what)
        if any(place[:3] == other[:3] for other in places):
            raise exceptions.MultipleTransactionsException
        places.append(place)
        reasons.append(_refusal(what, place.before))
    if any(code for code, _, _ in reasons):
        raise exceptions.TransactionCanceledException(reasons)
    _write_all(self, transact_items, places)


def _place(backend: DynamoDBBackend, kind: str, what: dict[str, Any]) -> _Place:
    table = backend.get_table(what["TableName"])
    source = what["Item"] if kind == "Put" else what["Key"]
    hash_key, range_key = backend.get_keys_value(table, source)
    found = table.get_item(hash_key, range_key)
    return _Place(
        table, hash_key, range_key, copy.deepcopy(found) if kind == "Update" else found
    )  # an update changes it in place


def _refusal(what: dict[str, Any], found: Item | None) -> tuple[str | None, str | None, dict[str, Any] | None]:
    """Why an item's condition fails, as a cancellation reason, or three times None."""
    condition = get_filter_expression(
        what.get("ConditionExpression"), what.get("ExpressionAttributeNames"), what.get("ExpressionAttributeValues")
    )
    if condition.expr(found):
        return None, None, None
    shown = (
        found.to_json()["Attributes"]
        if found and what.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        else None
    )
    return "ConditionalCheckFailed", exceptions.ConditionalCheckFailed().message, shown


def _write_all(backend: DynamoDBBackend, transact_items: list[dict[str, Any]], places: list[_Place]) -> None:
    shards = {shard: len(shard.items) for place in places if (shard := place.table.stream_shard)}
    reasons: list[tuple[str | None, str | None, None]] = [(None, None, None) for _ in places]
    for position, (wanted, place) in enumerate(zip(transact_items, places, strict=True)):
        ((kind, what),) = wanted.items()
        try:
            if kind == "Put":
                backend.put_item(what["TableName"], what["Item"])
            elif kind == "Delete":
                place.table.delete_item(place.hash_key, place.range_key)
            elif kind == "Update":
                backend.update_item(
                    what["TableName"],
                    what["Key"],
                    update_expression=what["UpdateExpression"],
                    expression_attribute_names=what.get("ExpressionAttributeNames", {}),
                    expression_attribute_values=what.get("ExpressionAttributeValues", {}),
                )
        except Exception as error:
            for touched in places:
                touched.restore()
            for shard, length in shards.items():
                del shard.items[length:]
            if isinstance(error, exceptions.MockValidationException):
                raise
            reasons[position] = (type(error).__name__, str(error), None)
            raise exceptions.TransactionCanceledException(reasons) from error
