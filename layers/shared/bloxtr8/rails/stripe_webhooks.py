"""Whether a webhook is Stripe's: signature, age, shape, version and mode. Without `import stripe` (rail-stripe.md,
Webhooks)."""

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from bloxtr8 import config, errors

TOLERANCE_SECONDS = 300
SIGNATURE = "INVALID_SIGNATURE"
_TIME = re.compile(r"t=([0-9]{1,12})")
_EVENT_ID = re.compile(r"evt_[A-Za-z0-9_]{1,200}")


def verify(raw_body: bytes, header: str | None, secrets: Iterable[str], now: dt.datetime) -> dict[str, Any]:
    """The event in `raw_body`: `{id, type, api_version, livemode, created, data: {object}, account?}`, a snapshot
    event.

    `secrets` are all that are valid now: two while one is rolled. `now` is `clock.now()`; a signature is good for 300
    seconds before and after it.

    Raises Invalid (400) for a bad signature and for every kind of malformed body, Unavailable where no secret is
    configured.
    """
    keys = [secret for secret in secrets if secret.strip()]
    if not keys:
        raise errors.Unavailable("No webhook secret is configured.")
    signed_at, signatures = _parse_header(header or "")
    if abs(now.timestamp() - signed_at) > TOLERANCE_SECONDS:
        raise errors.Invalid("The signature is too old, or of the future.", SIGNATURE)
    if not _signed(f"{signed_at}.".encode() + raw_body, signatures, keys):
        raise errors.Invalid("The signature does not match.", SIGNATURE)
    return checked(_parse(raw_body))


def _parse_header(header: str) -> tuple[int, list[bytes]]:
    """`t=…,v1=…,v1=…,v0=…`: exactly one time, one v1 or more; other schemes are ignored."""
    parts = header.split(",")
    times = [part for part in parts if part.startswith("t=")]
    signatures = [part.removeprefix("v1=").encode() for part in parts if part.startswith("v1=")]
    match = _TIME.fullmatch(times[0]) if len(times) == 1 else None
    if not match or not signatures:
        raise errors.Invalid("The Stripe-Signature header is missing or malformed.", SIGNATURE)
    return int(match[1]), signatures


def _signed(payload: bytes, signatures: list[bytes], keys: list[str]) -> bool:
    expected = [hmac.new(key.encode(), payload, hashlib.sha256).hexdigest().encode() for key in keys]
    return any(hmac.compare_digest(mine, theirs) for mine in expected for theirs in signatures)


def _parse(raw_body: bytes) -> object:
    try:
        event = json.loads(raw_body.decode(), parse_constant=_no_constant)
        json.dumps(event, ensure_ascii=False).encode()  # half a surrogate pair could not be stored
    except (ValueError, RecursionError):
        raise errors.Invalid("The body is not JSON.") from None
    return event


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def checked(event: object) -> dict[str, Any]:
    """A v1 snapshot event of the API version and the mode of this deployment. Raises Invalid."""
    if not isinstance(event, dict) or event.get("object") != "event":
        raise errors.Invalid("The body is not a snapshot event.")
    data = event.get("data")
    if (
        not isinstance(event.get("type"), str)
        or not _EVENT_ID.fullmatch(str(event.get("id")))
        or not isinstance(event.get("account"), str | None)
        or not isinstance(data, dict)
        or not isinstance(data.get("object"), dict)
    ):
        raise errors.Invalid("The event lacks a field.")
    settings = config.settings()
    if event.get("api_version") != settings.stripe_api_version:
        raise errors.Invalid("The event is of another API version.", "WRONG_API_VERSION")
    if event.get("livemode") is not settings.stripe_livemode:
        raise errors.Invalid("The event is of another mode.", "WRONG_MODE")
    return event
