"""The one transport of the outside clients: timeouts, a budget, bounded bodies, few retries, one error."""

import json
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import urllib3

from bloxtr8 import config, errors, tls

CONNECT_TIMEOUT_SECONDS = 2.0
READ_TIMEOUT_SECONDS = 4.0
BUDGET_SECONDS = 12.0  # of one action's whole talk with a service: it must fit into a request, fallback included
ATTEMPTS = 3
BACKOFF_SECONDS = 0.1  # doubled each time, with jitter
LONGEST_RETRY_AFTER_SECONDS = 1.0  # a request has no time for more: then the answer is unknown
BODY_LIMIT_BYTES = 256 * 1024
CHUNK_BYTES = 16 * 1024
RETRIED_STATUSES = frozenset({500, 502, 503, 504})

logger = logging.getLogger(__name__)
logging.getLogger("urllib3").setLevel(logging.ERROR)  # below that it names whole URLs, and some hold a key
_pool = urllib3.PoolManager(num_pools=6, maxsize=4)
_pool.pool_classes_by_scheme = tls.CLASSES


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its status, and its body of at most BODY_LIMIT_BYTES."""

    status: int
    body: bytes


class _Failed(Exception):  # noqa: N818  (a sign between two functions of this file)
    """One attempt gave no usable answer. `wait_seconds` is None where another attempt makes no sense."""

    def __init__(self, reason: str, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.wait_seconds = reason, wait_seconds


class Talk:
    """All requests one action makes to one service. They share a budget of time, and every failure is UpstreamFailed.

    What is logged is the service, the method, the path and the kind of failure: never a header, a query or a body, and
    no path either where it is `private`, as it holds a key or a person's address. `seconds`: the budget, where it is
    not BUDGET_SECONDS.
    """

    def __init__(self, service: str, *, seconds: float | None = None, private: bool = False) -> None:
        self.service, self.private = service, private
        self._ends = time.monotonic() + (BUDGET_SECONDS if seconds is None else seconds)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to an idempotent GET, tried up to ATTEMPTS times.

        Raises UpstreamFailed: an outage, a redirect, 5xx, 429, a body that is too large or comes too slowly.
        """
        return self._request("GET", url, headers or {}, None, ATTEMPTS)

    def post_form(self, url: str, fields: Mapping[str, str]) -> Answer:
        """The answer to a form, sent once: a lost answer may have been a yes. Raises UpstreamFailed as `get`."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._request("POST", url, headers, urlencode(fields).encode(), 1)

    def post_json(self, url: str, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a question in JSON, which asked twice does no more than once: tried as a GET. Raises
        UpstreamFailed as `get`."""
        heads = {"Content-Type": "application/json", **(headers or {})}
        return self._request("POST", url, heads, json.dumps(value).encode(), ATTEMPTS)

    def object(self, answer: Answer) -> dict[str, Any]:
        """The JSON object of a body. Raises UpstreamFailed where it is anything else."""
        try:
            found = json.loads(answer.body, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            self.fail(f"{answer.status} with a body that is not JSON")
        if not isinstance(found, dict):
            self.fail(f"{answer.status} with a body that is not a JSON object")
        return found

    def fail(self, reason: str) -> NoReturn:
        """Raise UpstreamFailed. The reason goes to the log alone, so it may name ids, but no secret, code or token."""
        logger.warning("%s: %s", self.service, reason)
        raise errors.UpstreamFailed(f"{self.service} gave no usable answer. Please try again.") from None

    def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, attempts: int) -> Answer:
        where = method if self.private else f"{method} {urlsplit(url).path}"
        for attempt in range(1, attempts + 1):
            try:
                return self._try_once(method, url, headers, body, BACKOFF_SECONDS * 2 ** (attempt - 1))
            except _Failed as failed:
                if attempt == attempts or failed.wait_seconds is None or failed.wait_seconds >= self._left():
                    self.fail(f"{where}: {failed.reason}, attempt {attempt}")
                time.sleep(failed.wait_seconds)
        raise AssertionError("the last attempt returns or fails")

    def _try_once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, pause: float) -> Answer:
        left = self._left()
        if left <= 0:
            raise _Failed("no time left")
        backoff = pause * random.uniform(0.5, 1.5)
        timeout = urllib3.Timeout(connect=min(CONNECT_TIMEOUT_SECONDS, left), read=min(READ_TIMEOUT_SECONDS, left))
        try:
            response = _pool.request(
                method,
                url,
                body=body,
                headers={"Accept": "application/json", "User-Agent": _user_agent(), **headers},
                timeout=timeout,
                retries=False,
                redirect=False,  # a redirect would carry our keys to another address
                preload_content=False,
            )
            answer = Answer(response.status, self._read(response))
        except urllib3.exceptions.NewConnectionError as error:  # refused at once: no timeout, whatever its base
            raise _Failed(type(error).__name__, backoff) from None
        except urllib3.exceptions.TimeoutError as error:
            raise _Failed(type(error).__name__) from None  # slow stays slow: the time is better spent on a fallback
        except urllib3.exceptions.HTTPError as error:
            raise _Failed(type(error).__name__, backoff) from None
        if answer.status == 429:
            raise _Failed("429", _retry_after(response.headers.get("Retry-After"), backoff))
        if answer.status in RETRIED_STATUSES:
            raise _Failed(str(answer.status), backoff)
        if answer.status >= 500 or 300 <= answer.status < 400:
            raise _Failed(str(answer.status))
        return answer

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """The body, unless it is too large or comes in drops that would outlast the budget."""
        body = bytearray()
        try:
            while chunk := response.read1(CHUNK_BYTES):
                body += chunk
                if len(body) > BODY_LIMIT_BYTES:
                    raise _Failed("the body is too large")
                if self._left() <= 0:
                    raise _Failed("the body came too slowly")
        except BaseException:
            response.close()  # half-read: this connection cannot be used again
            raise
        response.release_conn()
        return bytes(body)

    def _left(self) -> float:
        return self._ends - time.monotonic()


def _user_agent() -> str:
    """In the form that Discord asks of its callers; Roblox takes any."""
    return f"DiscordBot (bloxtr8, {config.settings().version})"


def _retry_after(header: str | None, backoff: float) -> float | None:
    """How long to wait after a 429, in seconds; None where that is longer than a request can wait."""
    if header is None:
        return backoff
    try:
        seconds = float(header)
    except ValueError:
        return None  # a date: such a wait is never short
    return max(seconds, 0.0) if seconds <= LONGEST_RETRY_AFTER_SECONDS else None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
