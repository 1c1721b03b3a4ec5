"""What follows a commit: the rows it made or changed are reacted to, and the rest of the platform learns of it (D24).

This is the fast path, which may lose anything: `next_look` and retry_webhooks repair what it lost.
"""

from typing import Any

from bloxtr8 import events, sagas, table
from bloxtr8.actors import Actor
from bloxtr8.entities import AuditEntry, Contract, Entity, Escrow, Settlement, WebhookEvent
from bloxtr8.ids import ulid_of

_WAITING = {"Contract", "Escrow", "Settlement"}


def dispatch(image: dict[str, Any], actor: Actor) -> None:
    """Hand on one new row of the stream, given as DynamoDB's JSON."""
    row = Entity.from_raw_data(image)
    if isinstance(row, AuditEntry):
        _react(row, actor)
        events.publish(row.action, _detail(row))
    elif isinstance(row, WebhookEvent):
        detail = {"provider": row.provider, "account": row.account, "eventId": row.event_id}
        events.publish(events.WEBHOOK_STORED, detail)


def _react(entry: AuditEntry, actor: Actor) -> None:
    """Look at every row of the entry that may wait for something, as it is now."""
    refs = [
        _ref(item["type"], item["id"], entry) for item in (*entry.changes, *entry.created) if item["type"] in _WAITING
    ]
    if not refs:
        return
    for row in table.load(*refs):
        if row is not None:
            sagas.react(row, actor, restart=False)


def _ref(kind: str, row_id: str, entry: AuditEntry) -> table.Ref[Any]:
    if kind == "Contract":
        return table.ref(Contract, ulid=ulid_of(row_id))
    if kind == "Escrow":
        return table.ref(Escrow, ulid=ulid_of(row_id))
    return table.ref(Settlement, escrow_ulid=ulid_of(str(entry.escrow_id)), id=row_id)


def _detail(entry: AuditEntry) -> dict[str, Any]:
    """Ids only: rules match on the action, consumers read the rows again."""
    return {
        "rootId": entry.root_id,
        "seq": entry.seq,
        "action": entry.action,
        "escrowId": entry.escrow_id,
        "changes": [{"type": item["type"], "id": item["id"]} for item in entry.changes],
        "created": [{"type": item["type"], "id": item["id"]} for item in entry.created],
    }
