"""Lambda: functions are called by whoever serves them here, not in containers; InvocationType Event answers at once."""

from collections.abc import Callable
from typing import Any, NamedTuple

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaBackend


class Answer(NamedTuple):
    """What a function gave back: its payload as JSON text, and whether it is an error object."""

    payload: str
    failed: bool


# (name or ARN, payload, asynchronous) -> Answer; raises KeyError where there is no such function
Server = Callable[[str, str, bool], Answer]
_server: Server | None = None


def serve(server: Server | None) -> None:
    """Let `server` answer every Lambda invocation in this process, whoever makes it; None gives them back to moto."""
    global _server
    _server = server


def call(function: str, payload: str) -> Answer | None:
    """A synchronous invocation, or None where nobody serves here. Raises KeyError for an unknown function."""
    return _server(function, payload, False) if _server else None


def apply() -> None:
    """Replace moto's invocation, which starts a container."""
    plain = LambdaBackend.invoke

    def invoke(
        self: LambdaBackend,
        function_name: str,
        qualifier: Any,
        body: Any,
        headers: Any,
        response_headers: dict[str, Any],
    ) -> Any:
        if _server is None:
            return plain(self, function_name, qualifier, body, headers, response_headers)
        kind = headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "DryRun":
            return ""
        text = body.decode() if isinstance(body, bytes) else body or ""
        try:
            answer = _server(function_name, text or "{}", kind == "Event")
        except KeyError:
            raise UnknownFunctionException(function_name) from None
        if answer.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return "" if kind == "Event" else answer.payload.encode()

    LambdaBackend.invoke = invoke  # type: ignore[method-assign]
