"""One run of a function: which function this thread works for, and what the platform has to say about the end."""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.motofix.lambdas import Answer
from local.resources import Function

_here = threading.local()


class Killed(BaseException):
    """The function's environment dies here and now: none of its handlers may see it, as none sees a SIGKILL."""


@dataclass(frozen=True)
class Invocation:
    """A function at work in this thread."""

    function: Function
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


def current() -> Invocation | None:
    """The invocation this thread works for, or None outside functions."""
    return getattr(_here, "invocation", None)


@contextmanager
def running(invocation: Invocation) -> Iterator[None]:
    """Work for an invocation in this thread."""
    _here.invocation = invocation
    try:
        yield
    finally:
        _here.invocation = None


def failure(kind: str, message: str, request_id: str, trace: list[str] | None = None) -> Answer:
    """An error as Lambda answers it; `kind` is the bare name of the exception's class, which Retry and Catch go by."""
    about: dict[str, Any] = {"errorMessage": message, "errorType": kind, "requestId": request_id}
    return Answer(json.dumps(about if trace is None else about | {"stackTrace": trace}), failed=True)


def timed_out(function: Function, request_id: str) -> Answer:
    """What Lambda says of a function that took too long."""
    message = f"RequestId: {request_id} Error: Task timed out after {function.timeout_seconds:.2f} seconds"
    return failure("Sandbox.Timedout", message, request_id)


def died(request_id: str) -> Answer:
    """What Lambda says of an environment that went away under a function."""
    return failure(
        "Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: signal: killed", request_id
    )
