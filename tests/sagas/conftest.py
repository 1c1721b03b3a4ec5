"""The real state machines on the interpreter, with the real tasks; a test says which of them fails, and how."""

import functools
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto.core.config import default_user_config
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

from bloxtr8 import config
from local.motofix import lambdas, stepfunctions
from local.motofix.lambdas import Answer
from tests import emulator
from tests.emulator import Platform
from tools import template

ROOT = Path(__file__).parents[2]
ACCOUNT, REGION = "123456789012", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/machines"
MACHINES = ("fund_escrow", "settle_escrow")
PATIENCE_SECONDS = 30.0


@dataclass
class Saga:
    """Both machines. `faults` are what the next calls of a task raise, `after` what they raise when they are done."""

    platform: Platform
    arns: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    after: dict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    calls: list[str] = field(default_factory=list)
    then: dict[str, Callable[[], object]] = field(default_factory=dict)  # what happens once right after a task
    pauses: list[float] = field(default_factory=list)  # between tries; nobody sleeps
    runs: Counter[str] = field(default_factory=Counter)

    def serve(self, action: str, payload: str, _: bool) -> Answer:
        """Run a task as Lambda does."""
        self.calls.append(action)
        try:
            for faults in (self.faults[action], None, self.after[action]):
                if faults is None:
                    result = self.platform.invoke(action, json.loads(payload))
                    self.then.pop(action, int)()
                elif faults:
                    raise faults.pop(0)
        except Exception as error:
            return Answer(json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}), failed=True)
        return Answer(json.dumps(result), failed=False)

    def start(self, machine: str, **event: str) -> str:
        """Start the next run, named as sagas.react names it. Returns its ARN."""
        waits = event.get("settlementId", event["escrowId"])
        self.runs[waits] += 1
        started = emulator.client("stepfunctions").start_execution(
            stateMachineArn=self.arns[machine], name=f"{waits}-{self.runs[waits]}", input=json.dumps(event)
        )
        return str(started["executionArn"])

    def run(self, machine: str, **event: str) -> list[str]:
        """Start a run and wait for its end."""
        return self.end(self.start(machine, **event))

    def end(self, execution: str) -> list[str]:
        """The states a run went through, once it is over; the last is its outcome."""
        self.until(lambda: self._status(execution) != "RUNNING")
        return [*self.path(execution), self._status(execution)]

    def asleep(self, execution: str) -> None:
        """Wait until a run waits for its token."""
        self.until(lambda: [event["type"] for event in self._history(execution)][-1:] == ["TaskSubmitted"])

    def path(self, execution: str) -> list[str]:
        """The states it has entered."""
        entered = [event.get("stateEnteredEventDetails") for event in self._history(execution)]
        return [about["name"] for about in entered if about]

    def _status(self, execution: str) -> str:
        return stepfunctions.look(ACCOUNT, REGION, execution)[0]

    def _history(self, execution: str) -> list[dict[str, Any]]:
        return stepfunctions.look(ACCOUNT, REGION, execution)[1]

    def until(self, come: Callable[[], bool]) -> None:
        """Wait until it has come true."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while not come():
            assert time.monotonic() < ends, self.calls
            time.sleep(0.01)


@functools.cache
def _definition(machine: str) -> str:
    """A machine as the template has it, each of its tasks by the function's plain name."""
    definition = template.load((ROOT / f"statemachines/{machine}.asl.yaml").read_text())
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            state["Arguments"]["FunctionName"] = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)[1:]
    return json.dumps(definition)


@pytest.fixture
def saga(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Saga]:
    """The machines as the template has them."""
    made = Saga(aws)
    monkeypatch.setitem(default_user_config["stepfunctions"], "execute_state_machine", True)
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=made.pauses.append))
    for machine in MACHINES:
        arn = emulator.client("stepfunctions").create_state_machine(
            name=machine, definition=_definition(machine), roleArn=ROLE
        )["stateMachineArn"]
        made.arns[machine] = arn
        monkeypatch.setenv(f"{machine.upper()}_ARN", arn)
    config.settings.cache_clear()
    lambdas.serve(made.serve)
    yield made
    ends = time.monotonic() + PATIENCE_SECONDS
    while stepfunctions.is_busy(ACCOUNT, REGION) and time.monotonic() < ends:
        time.sleep(0.01)
    lambdas.serve(None)
    config.settings.cache_clear()
