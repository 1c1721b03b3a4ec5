"""What every double is made of: a WSGI app with routes, one lock around its state, faults, calls, a loopback server."""

import contextlib
import datetime as dt
import functools
import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from local.doubles.faults import Faults, Faulty

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

type Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """The machine's time, where a double is given no clock."""
    return dt.datetime.now(dt.UTC)


class Refused(Exception):  # noqa: N818  (an answer, not a failure)
    """The outside service answers with an error: its status and its body."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class Double:
    """A double of an outside service. `routes` maps `METHOD path` to the method that answers it with a Response.

    Its state is changed by its Python methods or over HTTP below `/_double/`; both do the same.
    """

    routes: ClassVar[dict[str, str]]

    def __init__(self, clock: Clock = utc_now) -> None:
        self.now = clock
        self.lock = threading.RLock()
        self.wsgi = Faulty(self._answer, clock)
        self._map = _map(tuple(self.routes.items()))

    @property
    def faults(self) -> Faults:
        """What shall go wrong (faults.py)."""
        return self.wsgi.faults

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls so far (faults.py)."""
        return self.wsgi.calls

    def not_found(self) -> Refused:
        """The service's own way to say that a path does not exist."""
        return Refused(404, {"message": "Not Found"})

    def _answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        try:
            endpoint, arguments = self._map.bind_to_environ(environ).match()
            with self.lock:
                response = getattr(self, endpoint)(request, **arguments)
        except Refused as refused:
            response = as_json(refused.body, refused.status)
        except HTTPException:
            missing = self.not_found()
            response = as_json(missing.body, missing.status)
        return response(environ, start_response)  # type: ignore[no-any-return]


def as_json(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(json.dumps(body), status, content_type="application/json")


def told(request: Request, *allowed: str) -> dict[str, Any]:
    """The JSON object put to a `/_double/` path. Refuses fields that the double would ignore."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(400, {"message": "the body is no JSON object"})
    if unknown := sorted(set(body) - set(allowed)):
        raise Refused(400, {"message": f"unknown fields: {', '.join(unknown)}"})
    return body


def digits(value: Any) -> str:
    """An id as digits, from a number or from digits."""
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit():
        raise Refused(400, {"message": "an id is a number"})
    return text


def stamp(moment: dt.datetime) -> str:
    """A time as these services print it."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


@contextlib.contextmanager
def serve(app: "WSGIApplication", port: int = 0, poll_seconds: float = 0.01) -> Iterator[str]:
    """Serve on loopback, a thread a request, and give the base address. Port 0 takes a free one. It ends within
    `poll_seconds`, and looks as often whether it shall."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the double keeps its own log of calls
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": poll_seconds}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@functools.cache
def _map(routes: tuple[tuple[str, str], ...]) -> Map:
    """One map for all doubles of a kind: compiling it takes longer than most of what a test asks of one."""
    places = [(route.split(" "), name) for route, name in routes]
    return Map([Rule(path, endpoint=name, methods=[method]) for (method, path), name in places])
