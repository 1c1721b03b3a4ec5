"""Two ways in: an HTTPClient inside the process, and WSGI for loopback HTTP."""

import socket
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import stripe
from requests.structures import CaseInsensitiveDict
from werkzeug import Request as HttpRequest
from werkzeug import Response

from local.doubles.stripe.api import Api
from local.doubles.stripe.control import Control
from local.doubles.stripe.errors import Dropped
from local.doubles.stripe.messages import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class InProcess(stripe.HTTPClient):
    """For `StripeClient(http_client=…)`. The SDK's retries happen, but nobody sleeps between them."""

    name = "double"

    def __init__(self, api: Api) -> None:
        super().__init__()
        self._api = api

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        parts = urlsplit(url)
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        body = post_data.decode() if isinstance(post_data, bytes) else post_data or ""
        try:
            answer = self._api.handle(Request(method, parts.path, parts.query, body, lowered))
        except Dropped:
            message = "The connection was dropped."
            raise stripe.APIConnectionError(message, should_retry=True) from None  # type: ignore[no-untyped-call]
        return answer.body, answer.status, CaseInsensitiveDict(answer.headers)

    def _sleep_time_seconds(self, num_retries: int) -> float:
        return 0

    def close(self) -> None:
        """Nothing to close."""


class Wsgi:
    """Stripe's paths and the control surface, for any WSGI server."""

    def __init__(self, api: Api, control: Control) -> None:
        self._api, self._control = api, control

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self._respond(HttpRequest(environ))(environ, start_response)

    def _respond(self, request: HttpRequest) -> Response:
        if request.path.startswith("/_double/"):
            return self._control.respond(request)
        lowered = {name.lower(): value for name, value in request.headers.items()}
        try:
            answer = self._api.handle(
                Request(
                    request.method,
                    request.path,
                    request.query_string.decode(),
                    request.get_data(as_text=True),
                    lowered,
                    base_url=request.host_url.rstrip("/"),
                )
            )
        except Dropped:
            _hang_up(request)
        return Response(answer.body, answer.status, answer.headers)


def _hang_up(request: HttpRequest) -> NoReturn:
    """Close the connection under the server, so that the caller gets no answer at all."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("dropped on purpose")
