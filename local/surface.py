"""The platform's own surface on loopback: Lambda's Invoke API, the clock, and an overview."""

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from local.chain import surface as chain
from local.invoker import InvocationFailed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from local.stack import Stack

_ROUTES = Map(
    [
        Rule("/2015-03-31/functions/<path:name>/invocations", methods=["POST"], endpoint="invoke"),
        Rule("/_local", methods=["GET"], endpoint="overview"),
        Rule("/_local/clock", methods=["GET"], endpoint="read_clock"),
        Rule("/_local/clock", methods=["PUT"], endpoint="move_clock"),
        Rule("/_local/fire/<name>", methods=["POST"], endpoint="fire"),
        Rule("/_local/dead-letters", methods=["GET"], endpoint="dead_letters"),
        *(Rule(path, methods=[method], endpoint=f"chain {name}") for method, path, name in chain.ROUTES),
    ]
)


class Surface:
    """What `local` and `lambda` of stack.json answer.

    POST /2015-03-31/functions/{name}/invocations   Lambda's Invoke API; name: action, logical id or ARN
    GET  /_local                                    addresses, functions, schedules, executions, what is under way
    GET  /_local/clock                              {"offsetSeconds", "now"}
    PUT  /_local/clock {"offsetSeconds": n}         moves what functions and doubles see as now
    POST /_local/fire/{action}                      what its schedule would do; answers when it is done
    GET  /_local/dead-letters                       asynchronous work that failed for good
    …    /_local/chain…                             the chain (local/chain/surface.py)
    """

    def __init__(self, stack: "Stack") -> None:
        self._stack = stack

    def wsgi(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """The WSGI application."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            endpoint, arguments = _ROUTES.bind_to_environ(request.environ).match()
            if endpoint.startswith("chain "):
                return self._chain(request, endpoint.removeprefix("chain "), dict(arguments))
            answer: Response = getattr(self, f"_{endpoint}")(request, **arguments)
        except HTTPException as error:
            return _json({"message": error.description}, error.code or 500)
        return answer

    def _invoke(self, request: Request, name: str) -> Response:
        name = re.sub(r":\$LATEST$", "", name)
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "DryRun":
            return Response(status=204)
        try:
            answer = self._stack.invoker.serve(name, request.get_data(as_text=True) or "{}", kind == "Event")
        except KeyError:
            message = {"Type": "User", "Message": f"Function not found: {name}"}
            return _json(message, 404, {"x-amzn-errortype": "ResourceNotFoundException"})
        headers = {"X-Amz-Executed-Version": "$LATEST"} | (
            {"X-Amz-Function-Error": "Unhandled"} if answer.failed else {}
        )
        return Response(answer.payload, 202 if kind == "Event" else 200, headers, content_type="application/json")

    def _overview(self, _: Request) -> Response:
        return _json(self._stack.overview())

    def _read_clock(self, _: Request) -> Response:
        clock = self._stack.clock
        return _json({"offsetSeconds": clock.offset_seconds, "now": clock().isoformat()})

    def _move_clock(self, request: Request) -> Response:
        body = request.get_json(silent=True)
        offset = body.get("offsetSeconds") if isinstance(body, dict) else None
        if isinstance(offset, bool) or not isinstance(offset, int | float):
            raise BadRequest("offsetSeconds must be a number")
        try:
            self._stack.clock.move_to(offset)
        except (OverflowError, ValueError):
            raise BadRequest("no date is that far away") from None
        return self._read_clock(request)

    def _fire(self, _: Request, name: str) -> Response:
        try:
            return _json({"answer": self._stack.fire(name)})
        except KeyError:
            raise NotFound(f"{name} has no schedule") from None
        except InvocationFailed as error:
            return _json({"message": str(error)}, 502)

    def _chain(self, request: Request, name: str, arguments: dict[str, Any]) -> Response:
        if not self._stack.has_chain:
            raise NotFound("there is no chain: the template asks for none")
        body = request.get_json(silent=True) if request.method != "GET" else {}
        if not isinstance(body, dict):
            raise BadRequest("the body is no JSON object")
        try:
            return _json(chain.answer(self._stack.chain, name, body | arguments))
        except ValueError as error:
            raise BadRequest(str(error)) from None

    def _dead_letters(self, _: Request) -> Response:
        letters = self._stack.invoker.dead_letters
        return _json(
            {
                "items": [
                    {"action": one.action, "attempts": one.attempts, "payload": one.payload, "error": one.error}
                    for one in letters
                ]
            }
        )


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body, indent=2) + "\n", status, headers, content_type="application/json")
