"""Webhooks as Stripe sends them, the machines and the bus as the platform asks them, and what the log told."""

import hmac
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bloxtr8 import config, table
from bloxtr8.entities import WebhookEvent
from bloxtr8.logs import logger
from local.doubles.stripe.double import StripeDouble
from tests import emulator
from tests.emulator import Answer, Platform
from tests.wire import Wire

SECRET = emulator.SECRETS["stripe"]["webhookSecrets"][0]


def event(kind: str, thing: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A snapshot event of this deployment's version and mode."""
    return {
        "id": f"evt_{time.perf_counter_ns()}",
        "object": "event",
        "type": kind,
        "api_version": config.settings().stripe_api_version,
        "livemode": False,
        "created": 1_795_000_000,
        "data": {"object": thing},
    } | more


def deliver(
    aws: Platform, sent: dict[str, Any] | bytes, *, secrets: tuple[str, ...] = (SECRET,), coded: bool = True
) -> Answer:
    """Send an event, or exactly these bytes, signed now; as base64, or as the text the gateway makes of it."""
    raw = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    return aws.call("receive_stripe_event", raw=raw if coded else raw.decode(), headers=signed(aws, raw, *secrets))


def signed(aws: Platform, raw: bytes, *secrets: str) -> dict[str, str]:
    """The header of a signature of now, over bytes that need not be text; one v1 a secret."""
    at = int(aws.clock.moment.timestamp())
    macs = [hmac.new(key.encode(), f"{at}.".encode() + raw, "sha256").hexdigest() for key in secrets or (SECRET,)]
    return {"Stripe-Signature": ",".join([f"t={at}", *(f"v1={mac}" for mac in macs), "v0=" + "0" * 64])}


def stored(aws: Platform, sent: dict[str, Any]) -> WebhookEvent:
    """The row of an event that was delivered just now."""
    assert deliver(aws, sent).status == 200
    return row_of(sent)


def row_of(sent: dict[str, Any]) -> WebhookEvent:
    """The row of an event as it lies in the table."""
    account = sent.get("account") or "platform"
    return table.get(WebhookEvent, provider="stripe", account=account, event_id=sent["id"])


def process(aws: Platform, row: WebhookEvent) -> WebhookEvent:
    """Run process_webhook_event for a stored event; its row as it is then."""
    detail = {"provider": row.provider, "account": row.account, "eventId": row.event_id}
    aws.invoke("process_webhook_event", {"detail": detail})
    return table.get(WebhookEvent, **{"provider": row.provider, "account": row.account, "event_id": row.event_id})


def sent_by(stripe: StripeDouble, *kinds: str) -> list[dict[str, Any]]:
    """The double's events of these types, in order."""
    return [one for one in stripe.events if one["type"] in kinds]


class Machines:
    """Step Functions, Lambda and EventBridge, where a test only wants to know what they were asked."""

    def __init__(self, wire: Wire) -> None:
        self.started: list[str] = []  # execution names, refused starts left out
        self.ended: set[str] = set()
        self.asked = 0  # starts, refused ones too
        self.inputs: dict[str, dict[str, str]] = {}
        self.answered: list[tuple[str, str]] = []  # (task token, outcome)
        self.published: list[tuple[str, dict[str, Any]]] = []  # (detail type, detail)
        self.rendered: list[str] = []
        self.late: str | None = None  # the error a task token is answered with
        self.refusing = 0  # entries the bus does not take
        for operation, act in {
            "StartExecution": self.start,
            "DescribeExecution": self._describe,
            "SendTaskSuccess": self._answer,
            "PutEvents": self._put,
            "Invoke": self._invoke,
        }.items():
            wire.instead(operation, act)

    def start(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        name = asked["name"]
        if name in self.started:
            raise error("ExecutionAlreadyExists", "StartExecution")
        self.started.append(name)
        self.inputs[name] = json.loads(asked["input"])
        return {"executionArn": f"{asked['stateMachineArn']}:{name}"}

    def _describe(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["executionArn"].rpartition(":")[2]
        if name not in self.started:
            raise error("ExecutionDoesNotExist", "DescribeExecution")
        return {"status": "SUCCEEDED" if name in self.ended else "RUNNING"}

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.late:
            raise error(self.late, "SendTaskSuccess")
        self.answered.append((asked["taskToken"], json.loads(asked["output"])["outcome"]))
        return {}

    def _put(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.refusing:
            self.refusing -= 1
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
        for entry in asked["Entries"]:
            assert (entry["Source"], entry["EventBusName"]) == ("bloxtr8", "bloxtr8-local")
            self.published.append((entry["DetailType"], json.loads(entry["Detail"])))
        return {"FailedEntryCount": 0, "Entries": [{}]}

    def _invoke(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["InvocationType"] == "Event"
        self.rendered.append(json.loads(asked["Payload"])["contractId"])
        return {"StatusCode": 202}


def error(code: str, operation: str) -> ClientError:
    """How AWS refuses."""
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


def alarms(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What is logged as an error from here on: each of these rings the room's alarm."""
    told: list[tuple[str, dict[str, Any]]] = []

    def tell(message: object, *_: Any, extra: dict[str, Any] | None = None, **__: Any) -> None:
        told.append((str(message), extra or {}))

    for name in ("error", "exception", "critical"):
        monkeypatch.setattr(logger, name, tell)
    return told
