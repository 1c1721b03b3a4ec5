"""AWS's JSON services without botocore, for what every function asks: signed, checked, sent again, and one error.

The protocol is "AWS JSON 1.0 and 1.1": the operation's name in a header, its arguments as the body, the answer as the
body. So a service model tells nothing that is needed here, and botocore, which reads one to make a client and walks
through it for each value that comes or goes, is two fifths of a plain function's cold start and most of a warm call
(docs/decisions.md, Speed). What it does beside that is done here: SigV4, timeouts, retries, DynamoDB's checksum.
"""

import json
import logging
import os
import random
import time
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import urllib3

from bloxtr8 import sigv4, tls

ATTEMPTS = 3
CONNECT_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 3.0
PAUSE_SECONDS = 0.05  # at most so long before the second attempt, twice as long before the third
THROTTLED_PAUSE_SECONDS = 0.5
CONNECTIONS = 10
THROTTLED = frozenset({  # those of botocore's standard mode, and one of DynamoDB
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",  # of one row, while a transaction holds it: nothing was done
})  # fmt: skip
CANCELLED = "TransactionCanceledException"
FULL = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})  # why DynamoDB cancels one, with room again soon
UNDER_WAY = "TransactionInProgressException"  # an earlier attempt, under the same ClientRequestToken

logger = logging.getLogger(__name__)
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class AwsError(Exception):
    """A service did not do what it was asked, or nobody knows. `pause_seconds` is None where asking again is no use."""

    pause_seconds: float | None = None

    @property
    def reason(self) -> str:
        """For the log."""
        return str(self)


class Refused(AwsError):
    """The service said no: this attempt did nothing. `reasons` are the codes of a cancelled transaction's parts, in
    order; `item` is the row that a condition did not hold for, where it was asked for."""

    def __init__(
        self,
        operation: str,
        code: str,
        message: str,
        reasons: Sequence[str] = (),
        item: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.code, self.reasons, self.item = code, tuple(reasons), item or {}
        self.pause_seconds = THROTTLED_PAUSE_SECONDS if code in THROTTLED or self._was_full() else None

    @property
    def reason(self) -> str:
        """For the log, without what the service tells of the row."""
        return " ".join([self.code, *self.reasons])

    def _was_full(self) -> bool:
        """Whether a transaction was cancelled for want of capacity alone."""
        reasons = {reason for reason in self.reasons if reason != "None"}
        return self.code == CANCELLED and bool(reasons) and reasons <= FULL


class NoAnswer(AwsError):
    """No connection, no answer in time, a damaged one, or the service's own failure: it may have been done."""

    def __init__(self, message: str, pause_seconds: float | None = None) -> None:
        super().__init__(message)
        self.pause_seconds = PAUSE_SECONDS if pause_seconds is None else pause_seconds


class Answer(NamedTuple):
    """What came over the network."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Service:
    """One JSON service, on one pool of connections; safe in threads."""

    def __init__(self, name: str, target: str, *, version: str = "1.0", setting: str | None = None) -> None:
        """`target` is the prefix of the service's X-Amz-Target, `version` that of the protocol. The address is the
        region's, or what the environment says, as for every AWS SDK: `setting` is how that calls the service."""
        self.name, self._target = name, target
        self._type = f"application/x-amz-json-{version}"
        self.region = os.environ.get("AWS_REGION", "us-east-1")
        self.url = (
            os.environ.get(f"AWS_ENDPOINT_URL_{setting or name.upper()}")
            or os.environ.get("AWS_ENDPOINT_URL")
            or f"https://{name}.{self.region}.amazonaws.com"
        )
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS)
        self._pool = tls.pool(self.url, timeout=timeout, maxsize=CONNECTIONS)
        port = f":{self._pool.port}" if self._pool.port not in {80, 443, None} else ""
        self._host = f"{self._pool.host}{port}"

    def ask(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to an operation, asked up to ATTEMPTS times with the same body: what changes something must bear
        that. Raises Refused and NoAnswer."""
        body = _encode(arguments).encode()
        for attempt in range(1, ATTEMPTS):
            try:
                return self._attempt(operation, body)
            except AwsError as error:
                if error.pause_seconds is None:
                    raise
                told = {"operation": operation, "attempt": attempt, "reason": error.reason}
                logger.info("asking again", extra=told)
                time.sleep(random.uniform(0, error.pause_seconds * attempt))
        return self._attempt(operation, body)

    def _attempt(self, operation: str, body: bytes) -> dict[str, Any]:
        headers = {"content-type": self._type, "x-amz-target": f"{self._target}.{operation}"}
        answer = self.post(
            sigv4.signed(headers, body, service=self.name, region=self.region, host=self._host), body, operation
        )
        found = _parsed(operation, answer)
        if answer.status == 200:
            return found
        code = str(found.get("__type") or answer.status).rpartition("#")[2]
        message = str(found.get("message") or found.get("Message") or "")
        if answer.status >= 500:
            raise NoAnswer(f"{operation}: {answer.status} {code}")
        if code == UNDER_WAY:
            raise NoAnswer(f"{operation}: {code}", THROTTLED_PAUSE_SECONDS)
        reasons = [one.get("Code") for one in found.get("CancellationReasons") or ()]
        raise Refused(operation, code, message, reasons, found.get("Item"))

    def post(self, headers: Mapping[str, str], body: bytes, operation: str) -> Answer:
        """One request over the network. Raises NoAnswer."""
        try:
            response = self._pool.urlopen("POST", "/", body=body, headers=headers, retries=False, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswer(f"{operation}: {type(error).__name__}") from error
        return Answer(response.status, response.headers, response.data)


def _parsed(operation: str, answer: Answer) -> dict[str, Any]:
    """The body's object; of a failure also none, as a proxy in between has words of its own."""
    checksum = answer.headers.get("x-amz-crc32")
    if checksum is not None and checksum.strip() != str(zlib.crc32(answer.body)):
        raise NoAnswer(f"{operation}: the answer is damaged")
    try:
        found = json.loads(answer.body or b"{}")
    except ValueError as error:
        if answer.status == 200:
            raise NoAnswer(f"{operation}: the answer is no JSON") from error
        return {}
    return found if isinstance(found, dict) else {}
