"""Bad luck for functions that run in this process: killed at a call to AWS, or a call or its answer lost.

    stack.faults.kill("send_leg", before="TransactWriteItems")     the provider was called, nothing is committed
    stack.faults.kill("send_leg", after="TransactWriteItems")      committed, and nobody was told
    stack.faults.lose("dispatch_events", "StartExecution")         never arrived; its client asks again
    stack.faults.lose("start_payment", "TransactWriteItems", answer=True)   done, nobody heard of it, and asked again
    stack.faults.lose("send_leg", "StartExecution", times=FOR_GOOD)         the function sees a connection error

A fault happens to one attempt of a client unless `times` says more. `function` is an action's name, or "*".
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.endpoint import Endpoint
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from local.invocation import Killed, current

FOR_GOOD = 3  # attempts that a client makes
_LOST = (EndpointConnectionError, ReadTimeoutError)
_active: "Faults | None" = None


@dataclass
class Fault:
    """What happens to the next `times` attempts at an operation by a function."""

    function: str
    call: str
    after: bool
    error: Callable[[], BaseException]
    times: int


class Faults:
    """The faults that wait for their call."""

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
        """Lose an attempt at a call on its way there, or with `answer` on its way back; FOR_GOOD of them are the whole
        call."""

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


def _met[T](call: str, attempt: Callable[[], T]) -> T:
    """One attempt, with whatever waits for it. Raises what the network raises where it is lost."""
    if _active:
        _active.meet(call, after=False)
    answer = attempt()
    if _active:
        _active.meet(call, after=True)
    return answer


def watch(aws_json: Any) -> None:
    """Meet the attempts of this module's services too, which are not botocore's: what is lost is its NoAnswer."""
    attempt = aws_json.Service._attempt

    def watched(service: Any, operation: str, body: bytes) -> Any:
        try:
            return _met(operation, lambda: attempt(service, operation, body))
        except _LOST as lost:
            raise aws_json.NoAnswer(operation) from lost

    aws_json.Service._attempt = watched


def _watch_botocore() -> None:
    attempt = Endpoint._do_get_response

    def watched(endpoint: Any, request: Any, model: Any, context: Any) -> Any:
        try:
            return _met(model.name, lambda: attempt(endpoint, request, model, context))
        except _LOST as lost:
            return None, lost  # as botocore tells itself, and tries again

    Endpoint._do_get_response = watched


_watch_botocore()
