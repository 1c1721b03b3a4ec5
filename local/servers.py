"""WSGI applications on loopback: 127.0.0.1 only, a thread a request, no delayed packets, no access log."""

import threading
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """Without Nagle's algorithm, which may hold back the body of an answer for 40 ms."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: what the platform did is in the functions' logs."""


class Server:
    """A running server; `url` has no trailing slash."""

    def __init__(self, app: "WSGIApplication", port: int = 0, handler: type[WSGIRequestHandler] = QuietHandler) -> None:
        self._server: Any = make_server(HOST, port, app, threaded=True, request_handler=handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://{HOST}:{self.port}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name=f"server-{self.port}", daemon=True
        ).start()

    def close(self) -> None:
        """Stop listening. Requests under way end with the process."""
        self._server.shutdown()
        self._server.server_close()
