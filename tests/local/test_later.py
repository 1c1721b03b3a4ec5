"""What happens later: events, schedules, asynchronous invocations, and those that fail for good."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.motofix import events
from local.pumps import rate_seconds
from local.stack import Stack
from tests.local.conftest import stored, until


def say(stack: Stack, name: str, detail_type: str = "said", source: str = "house", **detail: Any) -> None:
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps({"name": name} | detail)}
    answer = stack.client("events").put_events(Entries=[entry | {"EventBusName": "house-local"}])
    assert answer["FailedEntryCount"] == 0


def test_an_event_reaches_the_function_of_its_rule(stack: Stack, row: Callable[[str], Any]) -> None:
    say(stack, "event")
    told = json.loads(row("LATER#event")["told"])
    assert (told["source"], told["detail-type"], told["detail"]) == ("house", "said", {"name": "event"})
    assert told["time"].endswith("Z")


@pytest.mark.parametrize(("detail_type", "source"), [("other", "house"), ("said", "elsewhere")])
def test_an_event_without_a_rule_reaches_nobody(stack: Stack, detail_type: str, source: str) -> None:
    say(stack, f"{detail_type}-{source}", detail_type, source)
    assert stack.wait_quiet()
    assert stored(stack, f"LATER#{detail_type}-{source}") is None


def test_an_event_starts_the_state_machine_of_its_rule(stack: Stack) -> None:
    plan = {"try": {"fail": "RailRefused"}, "waitSeconds": 5, "legs": []}
    say(stack, "machine", "begun", id="begun-by-event", **plan)
    until(lambda: stored(stack, "FAIL#begun-by-event"))


EVENT = {"id": "1", "source": "house", "time": 0, "ingestion-time": 0, "detail": {"name": "x", "more": {"n": 1}}}


@pytest.mark.parametrize(
    ("target", "received"),
    [
        ({"Input": '{"fixed": true}'}, {"fixed": True}),
        ({"InputPath": "$.detail.more"}, {"n": 1}),
        ({"InputPath": "$"}, {"id": "1", "source": "house", "time": "1970-01-01T00:00:00Z", "detail": EVENT["detail"]}),
        (
            {"InputTransformer": {"InputPathsMap": {"who": "$.detail.name"}, "InputTemplate": '{"name": "<who>"}'}},
            {"name": "x"},
        ),
    ],
)
def test_a_target_receives_what_its_rule_makes_of_an_event(target: dict[str, Any], received: Any) -> None:
    assert events.shape(target, EVENT) == received


def test_a_schedule_fires_at_once_when_asked(stack: Stack) -> None:
    assert stack.fire("later") == {"told": "Scheduled Event"}
    assert json.loads(stored(stack, "LATER#Scheduled Event")["told"])["source"] == "aws.events"  # type: ignore[index]


def test_what_has_no_schedule_cannot_be_fired(stack: Stack) -> None:
    with pytest.raises(KeyError):
        stack.fire("greet")


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("rate(1 minute)", 60),
        ("rate(5 minutes)", 300),
        ("rate(1 hour)", 3600),
        ("rate(1 day)", 86400),
        ("cron(0 3 * * ? *)", None),
    ],
)
def test_a_rate_is_a_period_in_real_time(schedule: str, seconds: int | None) -> None:
    assert rate_seconds(schedule) == seconds


def test_an_asynchronous_invocation_answers_at_once_and_happens(stack: Stack, row: Callable[[str], Any]) -> None:
    answer = stack.client("lambda").invoke(
        FunctionName="LaterFunction", InvocationType="Event", Payload=json.dumps({"name": "asynchronous"})
    )
    assert answer["StatusCode"] == 202
    assert row("LATER#asynchronous")["seen"] == "1"


def test_what_fails_is_tried_again_and_ends_as_a_dead_letter(stack: Stack) -> None:
    client = stack.client("sqs")
    url = client.get_queue_url(QueueName="house-local-dead-letters")["QueueUrl"]
    stack.client("lambda").invoke(
        FunctionName="later", InvocationType="Event", Payload=json.dumps({"name": "doomed", "fail": True})
    )
    assert stack.wait_quiet()
    assert stored(stack, "LATER#doomed")["seen"] == "2"  # type: ignore[index]
    letter = stack.invoker.dead_letters[-1]
    assert (letter.action, letter.attempts, json.loads(letter.error)["errorType"]) == ("later", 2, "RuntimeError")
    message = client.receive_message(QueueUrl=url)["Messages"][0]
    assert json.loads(message["Body"]) == {"name": "doomed", "fail": True}
