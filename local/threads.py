"""What libraries keep per process, since a Lambda environment serves one request at a time, is kept per thread here.

Powertools puts the event of a request on the class BaseRouter, and the keys of a log line into the logger's one
formatter. Functions of the local stack run in threads of one process, so two requests would read each other's.
"""

import functools
import threading
from abc import ABCMeta
from typing import Any

import botocore.session
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

_thread = threading.local()
_CLIENTS = threading.RLock()
_done = False


def isolate() -> None:
    """Make Powertools and the creation of AWS clients safe for functions in threads. Once per process."""
    global _done
    if _done:
        return
    _done = True
    type.__setattr__(BaseRouter, "current_event", _of_thread("current_event"))
    type.__setattr__(BaseRouter, "lambda_context", _of_thread("lambda_context"))
    BaseRouter.__class__ = _RouterMeta  # type: ignore[method-assign, assignment]
    LambdaPowertoolsFormatter.log_format = _LogFormat()  # type: ignore[assignment]
    create_client = botocore.session.Session.create_client

    @functools.wraps(create_client)
    def one_at_a_time(self: Any, *args: Any, **options: Any) -> Any:
        with _CLIENTS:
            return create_client(self, *args, **options)

    botocore.session.Session.create_client = one_at_a_time  # type: ignore[method-assign]


def _of_thread(name: str) -> property:
    """An attribute whose value belongs to the thread that set it."""
    return property(lambda _: getattr(_thread, name), lambda _, value: setattr(_thread, name, value))


class _RouterMeta(ABCMeta):
    """Powertools sets these on the class itself: `BaseRouter.current_event = …`."""

    current_event = _of_thread("current_event")
    lambda_context = _of_thread("lambda_context")


class _LogFormat:
    """The keys of a formatter's log lines: each thread starts with those the formatter was made with."""

    def __get__(self, formatter: Any, owner: Any = None) -> Any:
        if formatter is None:
            return self
        formats = self._formats()
        if id(formatter) not in formats:
            formats[id(formatter)] = dict.fromkeys(formatter.log_record_order) | formatter.keys_combined
        return formats[id(formatter)]

    def __set__(self, formatter: Any, keys: dict[str, Any]) -> None:
        self._formats()[id(formatter)] = keys

    @staticmethod
    def _formats() -> dict[int, dict[str, Any]]:
        formats: dict[int, dict[str, Any]] = _thread.__dict__.setdefault("formats", {})
        return formats
