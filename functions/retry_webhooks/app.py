"""Every five minutes: webhook events that are not processed yet are tried again; after ten failures a person is
told."""

from bloxtr8 import webhooks
from bloxtr8.actors import system
from bloxtr8.entities import WebhookEvent
from bloxtr8.lambdas import schedule, work

SECONDS = 60.0  # of a run; one event may take as long once more


def retry_webhooks() -> None:
    """Bounded, and safe twice at once: what an event asks for is decided by the provider and the rows."""
    work(webhooks.due(), _retry, seconds=SECONDS)


def _retry(found: WebhookEvent) -> None:
    row = webhooks.find(found.provider, found.account, found.event_id)
    webhooks.process(row, system("retry_webhooks"))


lambda_handler = schedule(retry_webhooks)
