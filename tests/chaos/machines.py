"""Step Functions, walked by hand: the real definitions one task at a time, their expressions, retries and catches."""

import functools
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonata
from botocore.exceptions import ClientError

from local.motofix import stepfunctions
from tools import template

ROOT = Path(__file__).parents[2]
NAMES = ("fund_escrow", "settle_escrow")
TIMEOUT, FAILED = "States.Timeout", "FAILED"

# In so many seconds, under this name, that; returns what takes it back.
type Later = Callable[[float, str, Callable[[], object]], Callable[[], None]]


@dataclass
class Outcome:
    """What a function answered a task: its result, or its error's bare class name."""

    result: Any = None
    error: str | None = None


@dataclass
class Run:
    """One execution."""

    machine: str
    name: str
    input: dict[str, Any]
    state: str
    status: str = "RUNNING"
    variables: dict[str, Any] = field(default_factory=dict)
    tries: Counter[int] = field(default_factory=Counter)  # of the state it is in, by retrier
    token: str | None = None  # what its task waits for
    tokens: int = 0
    wake: Callable[[], None] = lambda: None  # takes its timeout back


class Machines:
    """Both state machines and everything that runs on them. `later` is the world's, so the order is the seed's."""

    def __init__(self, invoke: Callable[[str, dict[str, Any]], Outcome], later: Later) -> None:
        self._invoke, self._later = invoke, later
        self.runs: dict[str, Run] = {}
        self.waiting: dict[str, Run] = {}  # by task token
        self.states: set[tuple[str, str]] = set()  # that any run was in

    # --- its API

    def start(self, arn: str, name: str, text: str) -> dict[str, Any]:
        """StartExecution: a name that ended is refused; of one that runs with the same input, it is the same."""
        machine, given = arn.rpartition(":")[2], json.loads(text)
        found = self.runs.get(name)
        if found is not None and (found.status != "RUNNING" or found.input != given):
            raise refusal("ExecutionAlreadyExists", "StartExecution")
        if found is None:
            run = self.runs[name] = Run(machine, name, given, definition(machine)["StartAt"])
            self._go_on(run)
        return {"executionArn": f"{arn.replace(':stateMachine:', ':execution:')}:{name}"}

    def describe(self, arn: str) -> dict[str, Any]:
        """DescribeExecution."""
        found = self.runs.get(arn.rpartition(":")[2])
        if found is None:
            raise refusal("ExecutionDoesNotExist", "DescribeExecution")
        return {"status": found.status}

    def answer(self, token: str, output: str) -> dict[str, Any]:
        """SendTaskSuccess: each token is answered once."""
        run = self.waiting.pop(token, None)
        if run is None:
            raise refusal("TaskTimedOut", "SendTaskSuccess")
        run.token = None
        run.wake()
        self._after(run, Outcome(json.loads(output)))
        return {}

    @property
    def asleep(self) -> int:
        """How many wait for a token."""
        return len(self.waiting)

    # --- a run

    def _go_on(self, run: Run, seconds: float = 0.0) -> None:
        self._later(seconds, f"{run.name} {run.state}", functools.partial(self._enter, run, run.state))

    def _enter(self, run: Run, name: str) -> None:
        """Do the task of the state it is in; choices before it are taken on the way."""
        if run.status != "RUNNING" or run.state != name or run.token is not None:
            return
        self.states.add((run.machine, name))
        state = definition(run.machine)["States"][name]
        waits = state["Resource"].endswith(".waitForTaskToken")
        if waits:
            run.tokens += 1
            run.token = f"{run.name}#{run.tokens}"
            self.waiting[run.token] = run
        context = {"Execution": {"Input": run.input}, "Task": {"Token": run.token}}
        payload = _filled(state["Arguments"]["Payload"], run.variables, {"input": run.input, "context": context})
        token = run.token
        outcome = self._invoke(_function(state), payload)
        if waits and token not in self.waiting:
            return  # it was answered while the function ran; what became of the function then is nobody's to ask
        if waits and outcome.error is None:
            wake = functools.partial(self._time_out, run, token)
            run.wake = self._later(float(state["TimeoutSeconds"]), f"{run.name} timeout", wake)
            return
        if token is not None:
            del self.waiting[token]
            run.token = None
        self._after(run, Outcome({"Payload": outcome.result}) if outcome.error is None else outcome)

    def _time_out(self, run: Run, token: str | None) -> None:
        if token is not None and self.waiting.pop(token, None) is not None:
            run.token = None
            self._after(run, Outcome(error=TIMEOUT))

    def _after(self, run: Run, outcome: Outcome) -> None:
        state = definition(run.machine)["States"][run.state]
        if outcome.error is not None:
            self._fail(run, state, outcome.error)
            return
        self._assign(run, state, {"result": outcome.result})
        self._move(run, state)

    def _fail(self, run: Run, state: dict[str, Any], error: str) -> None:
        for position, retrier in enumerate(state.get("Retry", ())):
            if _names(retrier, error):
                run.tries[position] += 1
                if run.tries[position] > retrier.get("MaxAttempts", 3):
                    break
                pause = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2) ** (run.tries[position] - 1)
                self._go_on(run, pause)
                return
        for catcher in state.get("Catch", ()):
            if _names(catcher, error):
                self._assign(run, catcher, {"errorOutput": {"Error": error}})
                self._to(run, catcher["Next"])
                return
        run.status = FAILED

    def _assign(self, run: Run, of: dict[str, Any], states: dict[str, Any]) -> None:
        run.variables |= _filled(of.get("Assign", {}), run.variables, {"input": run.input, **states})

    def _move(self, run: Run, state: dict[str, Any]) -> None:
        if state.get("End"):
            run.status = "SUCCEEDED"
        else:
            self._to(run, state["Next"])

    def _to(self, run: Run, name: str) -> None:
        """Enter the next state; choices and ends are passed at once, a task has its turn."""
        run.state, run.tries = name, Counter()
        state = definition(run.machine)["States"][name]
        if state["Type"] == "Task":
            self._go_on(run)
            return
        self.states.add((run.machine, name))
        if state["Type"] == "Choice":
            chosen = (one["Next"] for one in state["Choices"] if _value(one["Condition"], run.variables, {}) is True)
            self._to(run, next(chosen, state["Default"]))
        elif state["Type"] == "Succeed":
            run.status = "SUCCEEDED"
        else:
            raise NotImplementedError(f"a state of type {state['Type']}")


def refusal(code: str, operation: str) -> ClientError:
    """How AWS says no."""
    status = {"404": 404, "NoSuchKey": 404, "InternalFailure": 500}.get(code, 400)
    about: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(about, operation)


@functools.cache
def definition(machine: str) -> dict[str, Any]:
    """The machine as its file has it."""
    return dict(template.load((ROOT / f"statemachines/{machine}.asl.yaml").read_text()))


def _function(state: dict[str, Any]) -> str:
    name = state["Arguments"]["FunctionName"].strip("${}")
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)[1:]


def _names(of: dict[str, Any], error: str) -> bool:
    return error in of["ErrorEquals"] or "States.ALL" in of["ErrorEquals"]


def _filled(value: Any, variables: dict[str, Any], states: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, variables, states) for name, one in value.items()}
    return _value(value, variables, states) if isinstance(value, str) and value.startswith("{%") else value


def _value(expression: str, variables: dict[str, Any], states: dict[str, Any]) -> Any:
    return stepfunctions._plain(_compiled(expression.strip("{}% ")).evaluate(None, {**variables, "states": states}))


@functools.cache
def _compiled(expression: str) -> Any:
    return jsonata.Jsonata(expression)
