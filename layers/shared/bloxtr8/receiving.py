"""The receiver's one step: a verified webhook event is stored, and nothing else (states.md, section 8).

It knows no deal and no rail's client, so that it starts fast: the stream hands the row on.
"""

import json
from collections.abc import Iterable
from typing import Any

from bloxtr8 import clock, table
from bloxtr8.entities import WebhookEvent
from bloxtr8.errors import Invalid
from bloxtr8.rails.stripe_events import READERS, essentials
from bloxtr8.rails.stripe_webhooks import checked
from bloxtr8.rails.usdc.hooks import Hint

STRIPE, CHAIN = "stripe", "chain"
PLATFORM = "platform"  # the account of events that are not a connected account's
BODY_KEPT_APART_BYTES = 8 * 1024  # table.md, Sizes


def store(event: dict[str, Any], body: bytes) -> bool:
    """Keep an event that Stripe signed, before anything is done about it. False where it was there already.

    The row has the ids that are read of it; a body above 8 KiB goes to the evidence bucket, which forgets it in time.
    Raises what DynamoDB or S3 raises: nothing was promised, so Stripe delivers it again.
    """
    account = event.get("account") or PLATFORM
    key = None
    if len(body) > BODY_KEPT_APART_BYTES:
        key = f"webhooks/{STRIPE}/{account}/{event['id']}.json"
        _keep(key, event, body)
    return table.remember(_row(event, account, key))


def _row(event: dict[str, Any], account: str, body_key: str | None) -> WebhookEvent:
    return WebhookEvent(
        provider=STRIPE,
        account=account,
        event_id=event["id"],
        event_type=event["type"],
        payload=essentials(event),
        body_key=body_key,
        received_at=clock.now(),
    )


def replay(event: dict[str, Any]) -> bool:
    """Keep an event that Stripe answered when asked, and that no webhook brought. False where there is nothing new."""
    try:
        event = checked(event)
    except Invalid:  # of another version, from before it was changed
        return False
    if event["type"] not in READERS:
        return False
    row = table.find(WebhookEvent, provider=STRIPE, account=PLATFORM, event_id=event["id"])
    return row is None and table.remember(_row(event, PLATFORM, None))


def store_hints(hints: Iterable[Hint]) -> int:
    """Keep what a provider of the chain hinted at, an event a log; how many were new. Nothing of it but the vault's
    address is read again: what came there, the chain says.

    Raises what DynamoDB raises: nothing was promised, so the provider delivers all of it again.
    """
    return sum(table.remember(_hinted(hint)) for hint in hints)


def _hinted(hint: Hint) -> WebhookEvent:
    return WebhookEvent(
        provider=CHAIN,
        account=str(hint.chain_id),
        event_id=hint.event_id,
        event_type="removed" if hint.removed else "transfer",
        payload={"vault": hint.vault},
        received_at=clock.now(),
    )


def _keep(key: str, event: dict[str, Any], body: bytes) -> None:
    from bloxtr8.documents import store as documents  # only a large body pays for the client

    thing = event["data"]["object"]
    if "client_secret" in thing:  # whoever has it can pay, or see the payment: never stored
        thing = {name: value for name, value in thing.items() if name != "client_secret"}
        body = json.dumps(event | {"data": event["data"] | {"object": thing}}).encode()
    documents.put_webhook(key, body)
