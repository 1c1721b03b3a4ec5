"""`--processes`: functions in AWS's runtime interface emulator, with real timeouts and environments of their own."""

import datetime as dt
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from local.invoker import InvocationFailed
from local.processes import MOST_ENVIRONMENTS
from local.stack import Stack
from tests.local.conftest import ANN, HOUSE, stored, until
from tests.local.test_machines import ARN

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime interface emulator is for Linux")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(HOUSE, processes=True, parameters={"Patience": "6"}) as running:
        yield running


def told(stack: Stack) -> dict[str, Any]:
    return dict(json.loads(stack.invoke("greet")["body"]))


def test_a_request_runs_in_a_process_of_its_own(stack: Stack) -> None:
    answer = requests.get(f"{stack.api}/greet", timeout=30).json()
    assert answer["pid"] != os.getpid()
    assert (answer["GREETING"], answer["function"]) == ("hello", "GreetFunction")
    assert told(stack)["pid"] == answer["pid"]
    assert "greeting on standard output" in stack.log("greet")


def test_the_authorizer_refuses_here_too(stack: Stack) -> None:
    assert requests.get(f"{stack.api}/things/1", timeout=30).status_code == 401
    assert requests.get(f"{stack.api}/things/1", headers={"Authorization": "Basic x"}, timeout=30).status_code == 401
    answer = requests.post(f"{stack.api}/things/1", headers=ANN, json={"name": "x"}, timeout=30)
    assert (answer.status_code, answer.json()["by"]) == (200, "ann")


def test_an_error_has_the_bare_name_of_its_class(stack: Stack) -> None:
    with pytest.raises(InvocationFailed) as caught:
        stack.invoke("misbehave", {"fail": "RailRefused", "key": "processes"})
    assert caught.value.kind == "RailRefused"


def test_a_function_that_takes_too_long_is_killed(stack: Stack) -> None:
    with pytest.raises(InvocationFailed) as caught:
        stack.invoke("misbehave", {"sleep": 60})
    assert caught.value.kind == "Sandbox.Timedout"
    until(lambda: stack.invoker.invoke("misbehave", '{"return": 1}').payload == "1")


def test_faults_are_out_of_reach_and_say_so(stack: Stack) -> None:
    with pytest.raises(RuntimeError, match="out of reach"):
        stack.faults.kill("misbehave", before="UpdateItem")


def test_functions_follow_the_moved_clock(stack: Stack) -> None:
    before = told(stack)
    stack.clock.advance(days=30)
    try:
        after = told(stack)
    finally:
        stack.clock.move_to(0)
    assert after["pid"] == before["pid"]
    moved = dt.datetime.fromisoformat(after["now"]) - dt.datetime.fromisoformat(before["now"])
    assert dt.timedelta(days=30) <= moved < dt.timedelta(days=30, seconds=30)


def test_requests_at_the_same_time_get_environments_of_their_own(stack: Stack) -> None:
    def save(number: int) -> str:
        headers, body = {"Authorization": f"Bearer user{number}"}, {"name": "x", "seconds": 0.2}
        return str(requests.post(f"{stack.api}/things/{number}", headers=headers, json=body, timeout=60).json()["by"])

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(save, range(3))) == ["user0", "user1", "user2"]
    assert MOST_ENVIRONMENTS >= 3


def test_machines_and_streams_run_on_processes(stack: Stack) -> None:
    plan = {"id": "p", "try": {"return": {}}, "waitSeconds": 60, "legs": [{"amount": 7}]}
    client = stack.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=ARN, name="p", input=json.dumps(plan))["executionArn"]
    token = until(lambda: stored(stack, "TOKEN#p"))["token"]
    client.send_task_success(taskToken=token, output='{"amount": 500}')
    until(lambda: client.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")
    requests.post(f"{stack.api}/things/streamed", headers=ANN, json={"name": "x"}, timeout=30)
    until(lambda: stored(stack, "SEEN#streamed"))
