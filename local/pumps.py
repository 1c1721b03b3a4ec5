"""What moves by itself on AWS: a table's stream into functions, schedules, and events to their targets."""

import datetime as dt
import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from local.invoker import DeadLetter, Invoker
from local.motofix import dynamodb, events
from local.motofix.lambdas import Answer
from local.resources import ACCOUNT, REGION, Mapping, Rule, arn

_RATE = re.compile(r"^rate\((\d+) (minute|hour|day)s?\)$")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_LONGEST_PAUSE_SECONDS = 5.0


class StreamPump:
    """One event source mapping: filters, batches, partial failures, bisection, retries, and where failures end."""

    def __init__(self, mapping: Mapping, invoker: Invoker) -> None:
        self._mapping = mapping
        self._invoker = invoker
        self._position = 0
        self._stopped = threading.Event()
        self._grown = threading.Event()
        self._unsubscribe = dynamodb.on_write(self._grown.set)
        threading.Thread(target=self._run, name=f"stream-{mapping.function}", daemon=True).start()

    @property
    def backlog(self) -> int:
        """Records not yet delivered."""
        return (
            0
            if self._stopped.is_set()
            else dynamodb.stream_length(ACCOUNT, REGION, self._mapping.table) - self._position
        )

    def close(self) -> None:
        """Deliver nothing any more."""
        self._stopped.set()
        self._unsubscribe()
        self._grown.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._grown.clear()
            records = dynamodb.stream_records(
                ACCOUNT, REGION, self._mapping.table, self._position, self._mapping.batch_size
            )
            if not records:
                self._grown.wait()
                continue
            patterns = self._mapping.patterns
            wanted = [
                record for record in records if not patterns or any(events.matches(one, record) for one in patterns)
            ]
            if wanted:
                self._deliver(wanted)
            self._position += len(records)

    def _deliver(self, records: list[dict[str, Any]]) -> None:
        batches, attempts = [records], 0
        while batches and not self._stopped.is_set():
            batch = batches.pop(0)
            answer = self._invoker.invoke(self._mapping.function, json.dumps({"Records": batch}))
            left = self._left(batch, answer)
            if len(left) < len(batch):
                attempts = 0
                batches[:0] = [left] if left else []
            elif self._mapping.bisects and len(batch) > 1:
                half = len(batch) // 2
                batches[:0] = [batch[:half], batch[half:]]
            elif self._mapping.retries < 0 or attempts < self._mapping.retries:
                attempts += 1
                batches.insert(0, batch)
                self._stopped.wait(min(0.1 * 2**attempts, _LONGEST_PAUSE_SECONDS) * self._invoker.pace)
            else:
                attempts = 0
                self._give_up(batch, answer)

    def _left(self, batch: list[dict[str, Any]], answer: Answer) -> list[dict[str, Any]]:
        """The records that must be delivered again: from the first that failed on, as the order of a stream is kept."""
        if answer.failed:
            return batch
        if not self._mapping.reports_failures:
            return []
        failures = (json.loads(answer.payload or "null") or {}).get("batchItemFailures") or []
        failed = {one["itemIdentifier"] for one in failures}
        positions = [place for place, record in enumerate(batch) if record["dynamodb"]["SequenceNumber"] in failed]
        return batch[min(positions) :] if positions else []

    def _give_up(self, batch: list[dict[str, Any]], answer: Answer) -> None:
        action = self._invoker.function(self._mapping.function).action
        about = {
            "streamArn": batch[0]["eventSourceARN"],
            "startSequenceNumber": batch[0]["dynamodb"]["SequenceNumber"],
            "endSequenceNumber": batch[-1]["dynamodb"]["SequenceNumber"],
            "batchSize": len(batch),
        }
        letter = DeadLetter(
            action, json.dumps({"DDBStreamBatchInfo": about}), answer.payload, self._mapping.retries + 1
        )
        self._invoker.bury(letter, self._mapping.on_failure)


class Schedules:
    """Fires schedule rules at their rate, in real time. `deliver(target, event)` brings an event to a target."""

    def __init__(self, rules: list[Rule], deliver: Callable[[dict[str, Any], Any], None]) -> None:
        self.rules = [rule for rule in rules if rule.schedule]
        self._deliver = deliver
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="schedules", daemon=True).start()

    def close(self) -> None:
        """Fire nothing any more."""
        self._stopped.set()

    def _run(self) -> None:
        rates = {
            rule.name: seconds for rule in self.rules if rule.enabled and (seconds := rate_seconds(rule.schedule or ""))
        }
        due = {name: time.monotonic() + seconds for name, seconds in rates.items()}
        rules = {rule.name: rule for rule in self.rules}
        while due:
            name = min(due, key=lambda one: due[one])
            if self._stopped.wait(max(0.0, due[name] - time.monotonic())):
                return
            due[name] += rates[name]
            event = scheduled_event(rules[name])
            for target in rules[name].targets:
                self._deliver(target, events.shape(target, event))


def rate_seconds(schedule: str) -> int | None:
    """The period of `rate(5 minutes)`, or None for a cron expression: those are fired by hand only."""
    found = _RATE.match(schedule)
    return int(found[1]) * _UNIT_SECONDS[found[2]] if found else None


def scheduled_event(rule: Rule) -> dict[str, Any]:
    """What EventBridge sends for a schedule."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [arn("events", f"rule/{rule.name}")],
        "detail": {},
    }
