"""A request and its answer, whichever transport carried them."""

from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` have lower-cased names; `base_url` is where a browser reaches the double, empty in process."""

    method: str
    path: str
    query: str = ""
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is the JSON text as it goes over the wire."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(slots=True)
class Call:
    """One line of the log of calls; `status` stays None where the connection was dropped."""

    request_id: str
    method: str
    path: str
    params: Object
    idempotency_key: str | None
    at: int
    status: int | None = None
    replayed: bool = False
    fault: str | None = None
