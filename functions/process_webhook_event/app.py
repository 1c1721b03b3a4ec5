"""A stored webhook event: ask the provider what is true, record it, wake what waits for it."""

from typing import Any

from bloxtr8 import webhooks
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def process_webhook_event(event: dict[str, Any]) -> None:
    """EventBridge: {detail: {provider, account, eventId}}. Safe to repeat; a failure is kept on the row for
    retry_webhooks."""
    detail = event["detail"]
    row = webhooks.find(detail["provider"], detail["account"], detail["eventId"])
    webhooks.process(row, system("process_webhook_event"))


lambda_handler = task(process_webhook_event)
