"""Calling functions by any of their names: at once, or asynchronously with Lambda's retries and dead letters."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from local.invocation import failure
from local.motofix.lambdas import Answer
from local.resources import Function
from local.runner import Runner

FIRST_RETRY_SECONDS = 1.0  # Lambda waits a minute, then two; nobody wants to wait here


class InvocationFailed(Exception):
    """A function answered with an error; `kind` is the bare name of its class, as Step Functions sees it."""

    def __init__(self, action: str, answer: dict[str, Any]) -> None:
        self.action = action
        self.kind = str(answer.get("errorType"))
        super().__init__(f"{action}: {self.kind}: {answer.get('errorMessage')}")


@dataclass(frozen=True)
class DeadLetter:
    """An asynchronous invocation that failed for good, as it was sent to the dead-letter queue."""

    action: str
    payload: str
    error: str
    attempts: int


class Invoker:
    """Every invocation of the platform goes through here. `send_dead_letter(queue_arn, message)` reaches the queue.

    `pace` is the part of a pause that is waited for before something is tried again.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        runner: Runner,
        send_dead_letter: Callable[[str, str], None],
        pace: float = 1.0,
    ) -> None:
        self._runner = runner
        self._send_dead_letter = send_dead_letter
        self.pace = pace
        self._by_name = {
            name: function for function in functions for name in (function.id, function.action, function.arn)
        }
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._under_way = 0
        self.count = 0
        self.dead_letters: list[DeadLetter] = []

    def function(self, name: str) -> Function:
        """The function of an action's name, a logical id or an ARN. Raises KeyError."""
        return self._by_name[name]

    def invoke(self, name: str, payload: str) -> Answer:
        """Call a function and wait for its answer. Raises KeyError for an unknown name."""
        function = self.function(name)
        with self._lock:
            if self._stopped.is_set():
                return failure("Runtime.ExitError", "the platform is shutting down", "")
            self._under_way += 1
            self.count += 1
        try:
            return self._runner.invoke(function, payload)
        finally:
            with self._lock:
                self._under_way -= 1

    def ask(self, name: str, event: Any = None) -> Any:
        """The same with plain values. Raises InvocationFailed where the function answered with an error."""
        answer = self.invoke(name, json.dumps({} if event is None else event))
        body = json.loads(answer.payload or "null")
        if answer.failed:
            raise InvocationFailed(self.function(name).action, body)
        return body

    def send(self, name: str, payload: str) -> None:
        """Call a function later, and again if it fails, as often as the template says. KeyError for an unknown name."""
        function = self.function(name)
        with self._lock:
            if self._stopped.is_set():
                return
            self._under_way += 1
        threading.Thread(
            target=self._keep_trying, args=(function, payload), name=f"later-{function.action}", daemon=True
        ).start()

    def serve(self, name: str, payload: str, asynchronous: bool) -> Answer:
        """One request to Lambda's Invoke API. Raises KeyError for an unknown name."""
        if not asynchronous:
            return self.invoke(name, payload)
        self.send(name, payload)
        return Answer("", failed=False)

    @property
    def is_busy(self) -> bool:
        """Whether anything runs, or waits to be tried again."""
        return self._under_way > 0

    def bury(self, letter: DeadLetter, queue: str | None) -> None:
        """Note what failed for good, and send it to its dead-letter queue."""
        if queue:
            self._send_dead_letter(queue, letter.payload)
        self.dead_letters.append(letter)

    def close(self) -> None:
        """Start nothing any more. What runs is not waited for."""
        with self._lock:
            self._stopped.set()

    def wait_idle(self, timeout_seconds: float) -> bool:
        """Wait for running invocations to end; False where some did not."""
        ends = time.monotonic() + timeout_seconds
        while self._under_way and time.monotonic() < ends:
            time.sleep(0.01)
        return not self._under_way

    def _keep_trying(self, function: Function, payload: str) -> None:
        try:
            for attempt in range(function.retries + 1):
                if attempt and self._stopped.wait(FIRST_RETRY_SECONDS * attempt * self.pace):
                    return
                answer = self.invoke(function.id, payload)
                if not answer.failed:
                    return
            self.bury(DeadLetter(function.action, payload, answer.payload, function.retries + 1), function.dead_letters)
        finally:
            with self._lock:
                self._under_way -= 1
