"""Functions in this process behave as they do at Lambda."""

import datetime as dt
import json
import time
from pathlib import Path

import pytest

from local.clock import Clock
from local.invoker import InvocationFailed
from local.logs import Logs
from local.runner import InProcess
from local.stack import Stack
from local.template import read
from tests.local.conftest import HOUSE, stored

ARN = "arn:aws:lambda:us-east-1:123456789012:function:MisbehaveFunction"


def test_an_error_is_answered_with_the_bare_name_of_its_class(stack: Stack) -> None:
    answer = stack.invoker.invoke("misbehave", json.dumps({"fail": "RailRefused", "key": "errors"}))
    body = json.loads(answer.payload)
    assert answer.failed
    assert (body["errorType"], body["errorMessage"]) == ("RailRefused", 'no: "quoted"')
    assert "lambda_handler" in body["stackTrace"][0]
    assert body["requestId"]


@pytest.mark.parametrize(
    ("name", "event", "kind"),
    [
        ("misbehave", {"fail": "RailThrottled", "key": "ask"}, "RailThrottled"),
        ("misbehave", {"unserializable": True}, "Runtime.MarshalError"),
        ("broken", {}, "Runtime.ImportModuleError"),
    ],
)
def test_asking_raises_what_went_wrong(stack: Stack, name: str, event: dict[str, object], kind: str) -> None:
    with pytest.raises(InvocationFailed) as caught:
        stack.invoke(name, event)
    assert (caught.value.kind, caught.value.action) == (kind, name)


@pytest.mark.parametrize("name", ["misbehave", "MisbehaveFunction", ARN])
def test_a_function_answers_to_all_its_names(stack: Stack, name: str) -> None:
    assert stack.invoke(name, {"return": [1, {"two": None}]}) == [1, {"two": None}]


def test_an_unknown_function_is_a_key_error(stack: Stack) -> None:
    with pytest.raises(KeyError):
        stack.invoke("nobody")


def test_a_function_that_takes_too_long_is_stopped_and_does_not_go_on(stack: Stack) -> None:
    with pytest.raises(InvocationFailed) as caught:
        stack.invoke("misbehave", {"sleep": 8, "remember": "never", "token": "t"})
    assert caught.value.kind == "Sandbox.Timedout"
    time.sleep(2.5)  # longer than it had left to sleep
    assert stored(stack, "TOKEN#never") is None
    assert stack.invoke("misbehave", {"return": "well again"}) == "well again"


def test_what_it_prints_is_in_its_log_and_not_on_the_terminal(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.invoke("greet")
    assert "greeting on standard output" in stack.log("greet")
    assert "REPORT RequestId" in stack.log("greet")
    assert "greeting" not in capsys.readouterr().out


def test_what_goes_wrong_is_in_its_log(stack: Stack) -> None:
    stack.invoker.invoke("misbehave", json.dumps({"fail": "RailRefused", "key": "log"}))
    assert "RailRefused" in stack.log("misbehave")


def test_functions_see_the_moved_clock(stack: Stack) -> None:
    stack.clock.advance(days=30)
    try:
        told = dt.datetime.fromisoformat(json.loads(stack.invoke("greet")["body"])["now"])
        assert abs(told - stack.clock()) < dt.timedelta(seconds=10)
        assert told - dt.datetime.now(dt.UTC) > dt.timedelta(days=29)
    finally:
        stack.clock.move_to(0)


def test_functions_that_need_different_variables_need_processes(tmp_path: Path) -> None:
    platform = read(HOUSE)
    functions = list(platform.functions.values())
    functions[0].env["GREETING"] = "another"
    with pytest.raises(ValueError, match="GREETING differs"):
        InProcess(functions, platform.layers, {}, Clock(tmp_path / "clock"), Logs(tmp_path / "logs"))
