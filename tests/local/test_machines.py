"""State machines with JSONata, task tokens and functions in this process."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from local.stack import Stack
from tests.local.conftest import stored, until

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:house-local-trade"
LEGS = [{"amount": 3}, {"amount": 4}]


def start(stack: Stack, name: str, **plan: Any) -> str:
    event = {"id": name, "try": {"return": {}}, "waitSeconds": 60, "legs": LEGS} | plan
    started = stack.client("stepfunctions").start_execution(stateMachineArn=ARN, name=name, input=json.dumps(event))
    return str(started["executionArn"])


def end(stack: Stack, execution: str) -> dict[str, Any]:
    """DescribeExecution, once it is over; its output parsed."""

    def over() -> dict[str, Any] | None:
        found = stack.client("stepfunctions").describe_execution(executionArn=execution)
        done = found["status"] != "RUNNING" and ("output" in found or found["status"] != "SUCCEEDED")
        return dict(found) if done else None

    found: dict[str, Any] = until(over)
    return found | {"output": json.loads(found.get("output", "null"))}


def token(stack: Stack, name: str) -> str:
    return str(until(lambda: stored(stack, f"TOKEN#{name}"))["token"])


def test_a_token_answered_with_success_goes_on_to_the_end(stack: Stack) -> None:
    execution = start(stack, "happy")
    stack.client("stepfunctions").send_task_success(taskToken=token(stack, "happy"), output=json.dumps({"amount": 500}))
    found = end(stack, execution)
    assert found["status"] == "SUCCEEDED"
    assert found["output"] == {
        "id": "happy",
        "opened": {"id": "happy", "quoted": 'a "quote" and a \\ in it'},
        "total": 7,
        "half": 3.5,
    }


def test_a_choice_is_made_by_the_answer(stack: Stack) -> None:
    execution = start(stack, "short")
    stack.client("stepfunctions").send_task_success(taskToken=token(stack, "short"), output=json.dumps({"amount": 499}))
    assert end(stack, execution)["output"] == {"id": "short", "parked": "", "cause": ""}


def test_an_error_is_retried_by_the_name_of_its_class(stack: Stack) -> None:
    execution = start(stack, "retried", **{"try": {"fail": "RailThrottled", "times": 1}})
    stack.client("stepfunctions").send_task_success(taskToken=token(stack, "retried"), output='{"amount": 500}')
    assert end(stack, execution)["status"] == "SUCCEEDED"
    assert stored(stack, "FAIL#retried")["seen"] == "2"  # type: ignore[index]


def test_retries_end_and_the_execution_fails_with_that_error(stack: Stack) -> None:
    found = end(stack, start(stack, "exhausted", **{"try": {"fail": "RailThrottled", "times": 9}}))
    assert (found["status"], found["error"]) == ("FAILED", "RailThrottled")
    assert stored(stack, "FAIL#exhausted")["seen"] == "3"  # type: ignore[index]


def test_an_error_is_caught_by_the_name_of_its_class_with_its_cause(stack: Stack) -> None:
    output = end(stack, start(stack, "refused", **{"try": {"fail": "RailRefused"}}))["output"]
    assert output["parked"] == "RailRefused"
    assert json.loads(output["cause"])["errorMessage"] == 'no: "quoted"'
    assert stored(stack, "FAIL#refused")["seen"] == "1"  # type: ignore[index]


def test_a_token_answered_with_failure_is_caught_with_its_cause(stack: Stack) -> None:
    execution = start(stack, "withdrawn")
    stack.client("stepfunctions").send_task_failure(
        taskToken=token(stack, "withdrawn"), error="Withdrawn", cause='he said "no"'
    )
    assert end(stack, execution)["output"] == {"id": "withdrawn", "parked": "Withdrawn", "cause": 'he said "no"'}


def test_a_token_nobody_answers_times_out_after_the_seconds_of_an_expression(stack: Stack) -> None:
    started = time.monotonic()
    execution = start(stack, "silent", waitSeconds=1)
    late = token(stack, "silent")
    assert end(stack, execution)["output"]["parked"] == "States.Timeout"
    assert 0.9 < time.monotonic() - started < 5
    with pytest.raises(stack.client("stepfunctions").exceptions.ClientError) as caught:
        stack.client("stepfunctions").send_task_success(taskToken=late, output="{}")
    assert caught.value.response["Error"]["Code"] in {"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"}


def test_a_name_runs_once(stack: Stack) -> None:
    first = start(stack, "twin")
    assert start(stack, "twin") == first
    stack.client("stepfunctions").send_task_success(taskToken=token(stack, "twin"), output='{"amount": 500}')
    end(stack, first)
    with pytest.raises(stack.client("stepfunctions").exceptions.ExecutionAlreadyExists):
        start(stack, "twin")


def test_a_function_that_is_missing_fails_the_execution(stack: Stack) -> None:
    client = stack.client("stepfunctions")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "nobody"},
        "End": True,
    }
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Ask", "States": {"Ask": task}})
    arn = client.create_state_machine(name="nobody", definition=definition, roleArn="arn:aws:iam::123456789012:role/r")
    execution = client.start_execution(stateMachineArn=arn["stateMachineArn"], name="e")["executionArn"]
    assert end(stack, execution)["error"] == "Lambda.ResourceNotFoundException"


def test_many_machines_run_at_the_same_time(stack: Stack) -> None:
    executions = {name: start(stack, name) for name in (f"many{number}" for number in range(20))}
    for name in executions:
        stack.client("stepfunctions").send_task_success(taskToken=token(stack, name), output='{"amount": 500}')
    assert {end(stack, execution)["status"] for execution in executions.values()} == {"SUCCEEDED"}


def test_a_waiting_machine_is_quiet_and_a_working_one_is_not(stack: Stack, row: Callable[[str], Any]) -> None:
    start(stack, "quiet", **{"try": {"fail": "RailThrottled", "times": 1}})
    assert stack.wait_quiet()
    assert row("TOKEN#quiet")["seen"] == "1"
