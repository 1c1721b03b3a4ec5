"""The platform's own events on EventBridge: ids only, never a person's data (D24)."""

import functools
import json
from typing import Any

from bloxtr8 import aws, config

SOURCE = "bloxtr8"
WEBHOOK_STORED = "webhook_stored"
ASSET_DOUBTED = "asset_doubted"


def publish(detail_type: str, detail: dict[str, Any]) -> None:
    """Put one event on the bus. Raises RuntimeError where it was not taken: PutEvents answers 200 even then."""
    entry = {
        "Source": SOURCE,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "EventBusName": config.settings().event_bus,
    }
    if _client().put_events(Entries=[entry])["FailedEntryCount"]:
        raise RuntimeError(f"the bus did not take {detail_type}")


@functools.cache
def _client() -> Any:
    return aws.client("events")
