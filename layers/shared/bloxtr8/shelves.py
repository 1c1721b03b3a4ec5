"""The shelves of what is for sale: newest first over everything, cheapest first within a price band (table.md)."""

from typing import Any

from bloxtr8 import table
from bloxtr8.entities import PRICE_BANDS, Listing

LAST_BAND = len(PRICE_BANDS)


def newest(*, limit: int, start: dict[str, Any] | None) -> table.Page[Listing]:
    """A page of everything, newest first. `start` is an earlier page's `next_key`."""
    return table.page(Listing, "gsi4", "BROWSE", limit=limit, start=start)


def cheapest(band: int | None, *, limit: int, start: dict[str, Any] | None) -> table.Page[Listing]:
    """A page of one band, cheapest first: of `band`, or of all bands in turn where that is None.

    One query: a page never spans two bands, so it may be short or empty while its `next_key`, which names the band,
    goes on.
    """
    at, key = (start["band"], start["key"]) if start else (band or 0, None)
    found = table.page(Listing, "gsi5", f"BROWSE#{at}", limit=limit, start=key, newest_first=False)
    further = None
    if found.next_key is not None:
        further = {"band": at, "key": found.next_key}
    elif band is None and at < LAST_BAND:
        further = {"band": at + 1, "key": None}
    return found._replace(next_key=further)
