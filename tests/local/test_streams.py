"""A table's stream: filters, batches, partial failures, bisection, retries, and where failures end."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.stack import Stack
from tests.local.conftest import stored, until


def write(stack: Stack, *names: str, kind: str = "THING") -> None:
    """One row for each name, in one transaction."""
    rows = [{"PK": {"S": f"{kind}#{name}"}, "SK": {"S": "META"}, "name": {"S": name}} for name in names]
    stack.client("dynamodb").transact_write_items(
        TransactItems=[{"Put": {"TableName": "house-local", "Item": row}} for row in rows]
    )


def seen(stack: Stack, name: str) -> int:
    return int((stored(stack, f"SEEN#{name}") or {"seen": 0})["seen"])


@pytest.fixture(autouse=True)
def _drained(stack: Stack) -> Iterator[None]:
    yield
    assert stack.wait_quiet()


def test_a_write_reaches_the_function_within_a_moment(stack: Stack, row: Callable[[str], Any]) -> None:
    write(stack, "warm")
    row("SEEN#warm")
    waits = []
    for number in range(10):
        started = time.monotonic()
        write(stack, f"fast{number}")
        until(lambda name=f"fast{number}": seen(stack, name))
        waits.append(time.monotonic() - started)
    assert sorted(waits)[5] < 0.25  # write, function and look included; the pump itself waits for nothing
    assert row("SEEN#fast1")["kind"] == "INSERT"
    assert ":table/house-local/stream/" in row("SEEN#fast1")["arn"]


def test_what_the_filter_leaves_out_is_not_delivered(stack: Stack, row: Callable[[str], Any]) -> None:
    write(stack, "filtered", kind="OTHER")
    write(stack, "wanted")
    row("SEEN#wanted")
    assert stored(stack, "SEEN#filtered") is None
    assert stored(stack, "OTHER#filtered") is not None


def test_a_batch_has_at_most_its_size(stack: Stack) -> None:
    names = [f"many{number}" for number in range(12)]
    write(stack, *names)
    assert stack.wait_quiet()
    assert [seen(stack, name) for name in names] == [1] * 12
    batches = [int(stored(stack, f"SEEN#{name}")["together"]) for name in names]  # type: ignore[index]
    assert max(batches) <= 5


def test_a_reported_failure_is_delivered_again_with_what_follows_it(stack: Stack) -> None:
    write(stack, "before", "BAD-one", "after")
    until(lambda: any("BAD-one" not in one.payload for one in stack.invoker.dead_letters))
    assert stack.wait_quiet()
    assert seen(stack, "before") == 1
    assert seen(stack, "BAD-one") == 3 + 2  # once with the others, once in what was left, then alone: one try, two more
    assert seen(stack, "after") >= 2


def test_a_poisoned_record_is_isolated_and_the_rest_goes_on(stack: Stack) -> None:
    write(stack, "p1", "p2", "RAISE-three", "p4", "p5")
    assert stack.wait_quiet(20)
    assert all(seen(stack, name) >= 1 for name in ("p1", "p2", "p4", "p5"))
    write(stack, "p6")
    until(lambda: seen(stack, "p6"))


def test_what_fails_for_good_is_a_dead_letter(stack: Stack) -> None:
    client = stack.client("sqs")
    url = client.get_queue_url(QueueName="house-local-dead-letters")["QueueUrl"]
    client.purge_queue(QueueUrl=url)
    before = len(stack.invoker.dead_letters)
    write(stack, "RAISE-alone")
    until(lambda: len(stack.invoker.dead_letters) > before)
    letter = stack.invoker.dead_letters[-1]
    assert (letter.action, letter.attempts) == ("on_stream", 3)
    assert "RAISE-alone" in letter.error
    message = json.loads(client.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    assert message["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_change_and_a_deletion_are_records_too(stack: Stack) -> None:
    write(stack, "changed")
    write(stack, "changed")
    until(lambda: seen(stack, "changed") == 2)
    assert stored(stack, "SEEN#changed")["kind"] == "MODIFY"  # type: ignore[index]
