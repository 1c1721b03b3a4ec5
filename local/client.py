"""A small HTTP client: JSON in, JSON out. What the demo and the flows' tests use, as any client of the API would."""

import json
from dataclasses import dataclass, field
from typing import Any

import urllib3

TIMEOUT = urllib3.Timeout(connect=5, read=60)


class Refused(Exception):
    """The API refused: its status and its problem+json."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')} {problem.get('errors', '')}")
        self.status, self.problem = status, problem
        self.code = str(problem.get("code"))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its JSON (or None), and its headers."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Http:
    """Requests below one address."""

    base: str
    headers: dict[str, str] = field(default_factory=dict)
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(timeout=TIMEOUT, retries=False))

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
    ) -> Reply:
        """Send a request and return whatever comes back. `form` is sent as a form, `body` as JSON."""
        heads = {**self.headers, **(headers or {})}
        url = path if path.startswith("http") else self.base + path
        if form is not None:
            answer = self.pool.request(method, url, fields=form, headers=heads, encode_multipart=False)
        elif method == "GET":
            answer = self.pool.request(method, url, fields=query, headers=heads, redirect=False)
        else:
            text = None if body is None else json.dumps(body)
            heads = heads if text is None else {"Content-Type": "application/json", **heads}
            answer = self.pool.request(method, url, body=text, headers=heads, redirect=False)
        return Reply(answer.status, _json(answer.data), dict(answer.headers))

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a successful GET. Raises Refused."""
        return _checked(self.ask("GET", path, query=query or None))

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of a successful request. Raises Refused."""
        return _checked(self.ask(method, path, body, **more))


def _checked(reply: Reply) -> Any:
    if reply.status >= 400:
        raise Refused(reply.status, reply.body if isinstance(reply.body, dict) else {"detail": str(reply.body)[:200]})
    return reply.body


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace") or None
