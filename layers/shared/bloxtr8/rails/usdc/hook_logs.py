"""What every webhook provider is to us: a way to tell its signature, and the transfers that its payload names."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"  # Transfer(address,address,uint256)
TOLERANCE_SECONDS = 300
_PADDING = "0x" + "0" * 24


class Log(NamedTuple):
    """A transfer as a provider tells it, nothing of it checked."""

    network: object  # None where the payload does not say
    token: object
    to: object
    tx_hash: object
    position: object  # the log's, in its block
    removed: object


class Provider(NamedTuple):
    """`signed(body, headers in small letters, keys, now)`; `logs(parsed body)`, which never raises."""

    signed: Callable[[bytes, Mapping[str, str], Sequence[bytes], dt.datetime], bool]
    logs: Callable[[Any], Iterator[Log]]


def matches(signature: str, message: bytes, keys: Sequence[bytes]) -> bool:
    """Whether one of the keys made this hex HMAC-SHA256; compared in constant time."""
    given = text(signature.strip().lower())
    return any(hmac.compare_digest(hmac.new(key, message, hashlib.sha256).hexdigest().encode(), given) for key in keys)


def text(value: str) -> bytes:
    """A header as bytes; what is no UTF-8 matches nothing."""
    return value.encode(errors="replace")


def recent(seconds: int, now: dt.datetime) -> bool:
    return abs(now.timestamp() - seconds) <= TOLERANCE_SECONDS


def recipient(topics: object) -> object:
    """To whom a Transfer log says it went; None of any other log."""
    match topics:
        case [str(kind), str(), str(to)] if kind.lower() == TRANSFER and to.startswith(_PADDING):
            return "0x" + to.removeprefix(_PADDING)
    return None


def at(thing: object, *path: str) -> object:
    """What lies at a path of objects, or None."""
    for name in path:
        thing = thing.get(name) if isinstance(thing, dict) else None
    return thing


def items(thing: object) -> list[Any]:
    return thing if isinstance(thing, list) else []
