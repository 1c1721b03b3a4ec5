"""Lists: `limit`, and a cursor that is opaque, signed and bound to its route, caller and filters (api.md, Lists)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, WithJsonSchema

from bloxtr8 import config
from bloxtr8.errors import Invalid
from bloxtr8.shapes import View
from bloxtr8.table import Page

Limit = Annotated[int, Query(ge=1, le=50)]
Cursor = Annotated[str | None, Query(max_length=2048)]


class Listed[V](View):
    """A page of a list; `nextCursor` is absent at the end."""

    items: list[V]
    next_cursor: Annotated[str | None, WithJsonSchema({"type": "string"})] = Field(
        default=None, exclude_if=lambda cursor: cursor is None
    )


def listed[E, V](found: Page[Any], view: Callable[[E], V], scope: str) -> Listed[V]:
    """A page as its answer. `scope` names the route, the caller where it matters and every filter; see `opened`."""
    return Listed[Any](items=[view(row) for row in found.items], next_cursor=sealed(found.next_key, scope))


def sealed(key: dict[str, Any] | None, scope: str) -> str | None:
    """A cursor for going on from `key`, good under the same `scope` only."""
    if key is None:
        return None
    text = json.dumps(key, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(_mac(text, scope) + text).decode().rstrip("=")


def opened(cursor: str | None, scope: str) -> dict[str, Any] | None:
    """The key a cursor stands for. Raises Invalid BAD_CURSOR where it was made for another scope, or not by us."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    mac, text = raw[:16], raw[16:]
    if not text or not hmac.compare_digest(mac, _mac(text, scope)):
        raise Invalid("This cursor is not one of this list.", "BAD_CURSOR")
    key: dict[str, Any] = json.loads(text)
    return key


def _mac(text: bytes, scope: str) -> bytes:
    key = str(config.secret("tokens")["key"]).encode()
    return hmac.new(key, b"cursor\0" + scope.encode() + b"\0" + text, hashlib.sha256).digest()[:16]
