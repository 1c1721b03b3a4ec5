"""Ids say what they name: a prefix and a ULID, sortable by the time they were made (api.md, Conventions)."""

import datetime as dt
import re

from ulid import ULID

from bloxtr8 import clock

PATTERN = r"[0-9A-HJKMNP-TV-Z]{26}"
PREFIXES = (
    "usr",
    "gld",
    "lst",
    "off",
    "con",
    "esc",
    "mst",
    "dlv",
    "dsp",
    "msg",
    "stl",
    "prp",
    "mpy",
    "hld",
    "evd",
    "snp",
    "kyc",
    "ses",
    "rpt",
)
_ID = re.compile(rf"({'|'.join(PREFIXES)})_({PATTERN})")
_OFFER = re.compile(rf"off_({PATTERN})(?:-([0-9][0-9]))?")


def new(prefix: str, at: dt.datetime | None = None) -> str:
    """A fresh id, for example `lst_01K…`, of that moment or of now."""
    return f"{prefix}_{ULID.from_datetime(at or clock.now())}"


def ulid_of(identifier: str) -> str:
    """The ULID behind the prefix; `con_X` and `esc_X` share X (table.md)."""
    return identifier.partition("_")[2]


def is_id(text: str, prefix: str) -> bool:
    """Whether `text` is a well-formed id of that prefix (an offer's counter suffix included)."""
    if prefix == "off":
        return _OFFER.fullmatch(text) is not None
    match = _ID.fullmatch(text)
    return match is not None and match.group(1) == prefix


def offer_place(offer_id: str) -> tuple[str, int]:
    """`off_{ULID}` is a chain's root (depth 0), `off_{ULID}-{depth}` a counter: (root ULID, depth)."""
    match = _OFFER.fullmatch(offer_id)
    if match is None:
        raise ValueError("not an offer id")
    return match.group(1), int(match.group(2) or 0)
