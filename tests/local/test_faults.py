"""Functions killed at a call to AWS, and calls lost on either way."""

import json
from collections.abc import Iterator

import pytest

from local.faults import FOR_GOOD
from local.invoker import InvocationFailed
from local.stack import Stack
from tests.local.conftest import stored


@pytest.fixture(autouse=True)
def _no_fault_left(stack: Stack) -> Iterator[None]:
    yield
    assert stack.faults.waiting == 0


def remember(stack: Stack, name: str) -> None:
    stack.invoke("misbehave", {"remember": name, "token": "t"})


def test_a_function_killed_before_a_call_has_not_made_it(stack: Stack) -> None:
    stack.faults.kill("misbehave", before="UpdateItem")
    with pytest.raises(InvocationFailed) as caught:
        remember(stack, "before")
    assert caught.value.kind == "Runtime.ExitError"
    assert stored(stack, "TOKEN#before") is None
    remember(stack, "before")
    assert stored(stack, "TOKEN#before")["seen"] == "1"  # type: ignore[index]


def test_a_function_killed_after_a_call_has_made_it_and_told_nobody(stack: Stack) -> None:
    stack.faults.kill("misbehave", after="UpdateItem", times=2)
    for _ in range(2):
        with pytest.raises(InvocationFailed):
            remember(stack, "after")
    remember(stack, "after")
    assert stored(stack, "TOKEN#after")["seen"] == "3"  # type: ignore[index]
    assert stack.faults.happened[-2:] == [("misbehave", "UpdateItem")] * 2


@pytest.mark.parametrize(("answer", "seen"), [(False, "1"), (True, "2")], ids=["call", "answer"])
def test_what_is_lost_once_is_asked_for_again(stack: Stack, answer: bool, seen: str) -> None:
    """An answer that was lost is of a call that was made: a count is raised twice."""
    stack.faults.lose("misbehave", "UpdateItem", answer=answer)
    remember(stack, f"again {answer}")
    assert stored(stack, f"TOKEN#again {answer}")["seen"] == seen  # type: ignore[index]


def test_a_call_lost_for_good_is_an_error_to_the_function(stack: Stack) -> None:
    stack.faults.lose("misbehave", "UpdateItem", times=FOR_GOOD)
    with pytest.raises(InvocationFailed) as caught:
        remember(stack, "lost")
    assert caught.value.kind == "EndpointConnectionError"
    assert stored(stack, "TOKEN#lost") is None


def test_an_answer_lost_for_good_is_an_error_to_the_function_though_it_happened(stack: Stack) -> None:
    stack.faults.lose("*", "UpdateItem", answer=True, times=FOR_GOOD)
    with pytest.raises(InvocationFailed) as caught:
        remember(stack, "unheard")
    assert caught.value.kind == "ReadTimeoutError"
    assert stored(stack, "TOKEN#unheard")["seen"] == str(FOR_GOOD)  # type: ignore[index]


def test_other_functions_and_calls_are_left_alone(stack: Stack) -> None:
    stack.faults.kill("greet", before="UpdateItem")
    stack.faults.kill("misbehave", before="StartExecution")
    remember(stack, "alone")
    assert json.loads(stack.invoke("greet")["body"])["GREETING"] == "hello"
    assert stack.faults.waiting == 2
    stack.faults.clear()


def test_calls_outside_functions_are_left_alone(stack: Stack) -> None:
    stack.faults.kill("*", before="GetItem")
    assert stored(stack, "TOKEN#nothing") is None
    stack.faults.clear()


def test_a_kill_names_one_call(stack: Stack) -> None:
    for options in ({}, {"before": "A", "after": "B"}):
        with pytest.raises(ValueError, match="before a call or after one"):
            stack.faults.kill("misbehave", **options)
