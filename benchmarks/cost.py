"""What AWS charges for the demo's trade, from listing to payout: every call counted, times the price list."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.record import Call, Recording
from benchmarks.units import Item, Meter

PRICES = Path(__file__).with_name("prices.json")
TRADE = 1
POLLED = {"get_contract", "get_escrow", "start_payment"}  # what the demo asks again and again until it changes


@dataclass(frozen=True)
class Line:
    """One line of the bill."""

    what: str
    amount: float
    unit_price: float

    @property
    def dollars(self) -> float:
        return self.amount * self.unit_price


def prices() -> dict[str, Any]:
    """The price list, and what is assumed where nothing can be measured here."""
    found: dict[str, Any] = json.loads(PRICES.read_text())
    return found


def bill(recording: Recording, warm_ms: Mapping[str, float]) -> list[Line]:
    """The trade's lines. `warm_ms` is the measured CPU of a warm call of each action; the network's part of its
    duration is assumed in the price list."""
    price = prices()
    assumed = price["assumed"]
    calls = _without_polling(recording)
    every = [it for call in calls for it in call.exchanges]
    meter = _metered(recording, calls)
    seconds = sum(_milliseconds(call, warm_ms, assumed["network_ms"]) for call in calls) / 1000
    secrets = len(recording.secrets()) / assumed["trades_a_secret_read"]
    requests = sum("httpMethod" in call.event and call.status is not None for call in calls)
    return [
        Line("API Gateway requests", requests, price["apiGateway"]["request"]),
        Line("Lambda requests", len(calls), price["lambda"]["request"]),
        Line("Lambda GB-seconds (arm64)", seconds * assumed["memory_gb"], price["lambda"]["gb_second_arm64"]),
        Line("Step Functions transitions", recording.transitions, price["stepFunctions"]["transition"]),
        Line("DynamoDB read units", meter.reads, price["dynamodb"]["read_unit"]),
        Line("DynamoDB write units", meter.writes, price["dynamodb"]["write_unit"]),
        Line("S3 PUT", _count(every, "s3", "PUT"), price["s3"]["PUT"]),
        Line("S3 GET", _count(every, "s3", "GET"), price["s3"]["GET"]),
        Line("EventBridge events", _count(every, "events", "PutEvents"), price["eventBridge"]["event"]),
        Line("Secrets Manager reads", secrets, price["secretsManager"]["read"]),
    ]


def _without_polling(recording: Recording) -> list[Call]:
    """The trade's invocations. A client that waits is told by one look, so of a poll the last answer counts, and of
    the authorizer's work as many calls as there are requests."""
    calls = [call for call in recording.calls if call.trade == TRADE]
    last = {(call.action, call.event.get("path")): call for call in calls if call.action in POLLED}
    kept = [call for call in calls if call.action not in POLLED or last[call.action, call.event.get("path")] is call]
    asked = sum(call.status is not None for call in kept)
    guards = [call for call in kept if call.action == "authorize_request"]
    spare = {id(call) for call in guards[asked:]}
    return [call for call in kept if id(call) not in spare]


def _metered(recording: Recording, calls: list[Call]) -> Meter:
    """The units of `calls`; the others are followed too, because a write's size depends on what it replaces."""
    images: dict[tuple[str, str], Item] = {}
    counted, others = Meter(images), Meter(images)
    chosen = {id(call) for call in calls}
    for call in recording.calls:
        for exchange in call.exchanges:
            if exchange.service == "dynamodb":
                (counted if id(call) in chosen else others).meet(exchange)
    return counted


def _milliseconds(call: Call, warm_ms: Mapping[str, float], network_ms: Mapping[str, float]) -> float:
    return warm_ms[call.action] + sum(network_ms[it.service] for it in call.exchanges)


def _count(exchanges: list[Any], service: str, operation: str) -> int:
    return sum(it.service == service and it.operation == operation for it in exchanges)
