"""Bad luck on demand, around any double: `/_double/faults` says what goes wrong, `/_double/calls` what was asked.

    PUT    /_double/faults {path: regex, status?, delaySeconds?, drop?, afterCommit?, times?, body?, headers?}
    DELETE /_double/faults
    GET    /_double/calls   → {calls: [{at, method, path, query, status, fault}]}

A fault applies to the next `times` requests (1 unless told; null: until deleted) whose path the regex finds, the oldest
fault first; a second PUT of the same `path` replaces the first. In this order it waits `delaySeconds`, lets the double
act (if `afterCommit`, or if nothing but a delay was asked for), then drops the connection, or answers `status` with
`body` (text; JSON by default) and `headers`.
"""

import datetime as dt
import json
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CALLS_KEPT = 10_000
LONGEST_DELAY_SECONDS = 120.0


@dataclass(slots=True)
class Fault:
    """What goes wrong for requests whose path `path` finds."""

    path: re.Pattern[str]
    status: int | None = None
    delay_seconds: float = 0.0
    drop: bool = False
    after_commit: bool = False
    times: int | None = 1
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def answers(self) -> bool:
        """Whether it puts an answer of its own in the place of the double's."""
        return self.status is not None or self.body is not None or bool(self.headers)

    def answer(self) -> Response:
        body = self.body if self.body is not None else json.dumps({"message": "a fault put here on purpose"})
        return Response(body, self.status or 200, {"Content-Type": "application/json", **self.headers})


class Faults:
    """The faults that wait for their request. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Fault] = {}

    def put(self, path: str, **what: Any) -> None:
        """Add a fault, with the fields of Fault. Raises ValueError for a regex or a field that makes no sense."""
        try:
            fault = Fault(re.compile(path), **what)
        except (re.error, TypeError) as error:
            raise ValueError(str(error)) from None
        if not 0 <= fault.delay_seconds <= LONGEST_DELAY_SECONDS:
            raise ValueError(f"a delay is 0 to {LONGEST_DELAY_SECONDS} seconds")
        if fault.status is not None and not 200 <= fault.status <= 599:
            raise ValueError("a status is 200 to 599")
        if fault.times is not None and fault.times < 1:
            raise ValueError("times is at least 1, or null")
        with self._lock:
            self._waiting[path] = fault

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._waiting.clear()

    @property
    def any(self) -> bool:
        """Whether something shall go wrong."""
        return bool(self._waiting)

    def take(self, path: str) -> Fault | None:
        """The fault for this request, counted down."""
        with self._lock:
            for key, fault in self._waiting.items():
                if fault.path.search(path):
                    if fault.times is not None:
                        fault.times -= 1
                        if not fault.times:
                            del self._waiting[key]
                    return fault
        return None


class Faulty:
    """A WSGI app with faults and a log of calls around it."""

    def __init__(self, app: "WSGIApplication", clock: Callable[[], dt.datetime]) -> None:
        self.faults = Faults()
        self._app, self._clock = app, clock
        self._calls: deque[dict[str, Any]] = deque(maxlen=CALLS_KEPT)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls so far, oldest first, without those to /_double."""
        return list(self._calls)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        if request.path in {"/_double/faults", "/_double/calls"}:
            return self._control(request)(environ, start_response)
        if request.path.startswith("/_double/"):
            return self._app(environ, start_response)
        fault = self.faults.take(request.path)
        call: dict[str, Any] = {
            "at": self._clock().isoformat(),
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode(errors="replace"),
            "status": None,
            "fault": fault is not None,
        }
        self._calls.append(call)
        response = self._act(environ, fault)
        call["status"] = response.status_code
        return response(environ, start_response)

    def _act(self, environ: "WSGIEnvironment", fault: Fault | None) -> Response:
        if fault is None:
            return Response.from_app(self._app, environ, buffered=True)
        time.sleep(fault.delay_seconds)
        acted = None
        if fault.after_commit or not (fault.drop or fault.answers):
            acted = Response.from_app(self._app, environ, buffered=True)
        if fault.drop:
            _drop(environ)
        return acted if acted is not None and not fault.answers else fault.answer()

    def _control(self, request: Request) -> Response:
        if request.path == "/_double/calls" and request.method == "GET":
            return _json({"calls": self.calls})
        if request.path == "/_double/faults" and request.method == "DELETE":
            self.faults.clear()
            return Response(status=204)
        if request.path == "/_double/faults" and request.method == "PUT":
            return self._put(request)
        return _json({"message": "no such thing here"}, 405)

    def _put(self, request: Request) -> Response:
        names = {"delaySeconds": "delay_seconds", "afterCommit": "after_commit"}
        told = request.get_json(silent=True)
        if not isinstance(told, dict):
            return _json({"message": "a fault is an object with a path"}, 400)
        try:
            self.faults.put(**{names.get(str(name), str(name)): value for name, value in told.items()})
        except (ValueError, TypeError) as error:
            return _json({"message": str(error)}, 400)
        return Response(status=204)


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


def _drop(environ: "WSGIEnvironment") -> None:
    """End the connection without a byte. The server sees a client that went away, and keeps quiet."""
    connection: socket.socket | None = environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("dropped on purpose")
