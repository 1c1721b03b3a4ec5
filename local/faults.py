"""Bad luck for functions that run in this process: killed at a call to AWS, or a call or its answer lost.

    stack.faults.kill("send_leg", before="TransactWriteItems")     the provider was called, nothing is committed
    stack.faults.kill("send_leg", after="TransactWriteItems")      committed, and nobody was told
    stack.faults.lose("dispatch_events", "StartExecution")         never arrived; the function sees a connection error
    stack.faults.lose("start_payment", "TransactWriteItems", answer=True)   done, and the function sees a timeout

A fault happens once unless `times` says more. `function` is an action's name, or "*".
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.handlers import BUILTIN_HANDLERS

from local.invocation import Killed, current

_active: "Faults | None" = None


@dataclass
class Fault:
    """What happens to the next `times` calls of an operation by a function."""

    function: str
    call: str
    after: bool
    error: Callable[[], BaseException]
    times: int


class Faults:
    """The faults that wait for their call. Only clients made while a stack runs notice them."""

    def __init__(self, *, in_reach: bool = True) -> None:
        global _active
        self._in_reach = in_reach
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self.happened: list[tuple[str, str]] = []
        _active = self

    def kill(self, function: str, *, before: str | None = None, after: str | None = None, times: int = 1) -> None:
        """End the function's environment when it is about to make a call, or has made it (named as in the AWS API)."""
        call = before or after
        if not call or (before and after):
            raise ValueError("kill before a call or after one")
        self._add(Fault(function, call, after is not None, Killed, times))

    def lose(self, function: str, call: str, *, answer: bool = False, times: int = 1) -> None:
        """Lose a call on its way there, or with `answer` on its way back."""

        def error() -> BaseException:
            url = "http://lost.on.purpose"
            return ReadTimeoutError(endpoint_url=url) if answer else EndpointConnectionError(endpoint_url=url)

        self._add(Fault(function, call, answer, error, times))

    def clear(self) -> None:
        """Forget what hasn't happened."""
        with self._lock:
            self._waiting.clear()

    @property
    def waiting(self) -> int:
        """How many faults haven't happened (yet)."""
        return len(self._waiting)

    def close(self) -> None:
        """Leave AWS calls alone."""
        global _active
        _active = None

    def _add(self, fault: Fault) -> None:
        if not self._in_reach:
            raise RuntimeError("functions in processes of their own are out of reach: leave --processes out")
        with self._lock:
            self._waiting.append(fault)

    def meet(self, call: str, *, after: bool) -> None:
        """Raise what waits for this call of the function that runs in this thread."""
        invocation = current()
        if invocation is None:
            return
        with self._lock:
            for fault in self._waiting:
                if fault.call == call and fault.after == after and fault.function in {invocation.function.action, "*"}:
                    fault.times -= 1
                    if not fault.times:
                        self._waiting.remove(fault)
                    self.happened.append((invocation.function.action, call))
                    raise fault.error()


def _before(model: Any, **_: Any) -> None:
    if _active:
        _active.meet(model.name, after=False)


def _after(model: Any, **_: Any) -> None:
    if _active:
        _active.meet(model.name, after=True)


def watch(aws_json: Any) -> None:
    """Meet the calls of this module's services too, which are not botocore's: what is lost is its NoAnswer."""
    ask = aws_json.Service.ask

    def watched(service: Any, operation: str, arguments: Any) -> Any:
        try:
            if _active:
                _active.meet(operation, after=False)
            answer = ask(service, operation, arguments)
            if _active:
                _active.meet(operation, after=True)
        except (EndpointConnectionError, ReadTimeoutError) as lost:
            raise aws_json.NoAnswer(operation) from lost
        return answer

    aws_json.Service.ask = watched


BUILTIN_HANDLERS.extend([("before-call", _before), ("after-call", _after)])
