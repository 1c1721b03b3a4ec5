"""A refusal writes nothing, but what it saw of an asset's owner is worth another look (api.md, accept_offer)."""

from collections.abc import Iterator
from contextlib import contextmanager

from bloxtr8 import events
from bloxtr8.entities import Listing
from bloxtr8.errors import Unprocessable
from bloxtr8.logs import logger

ABOUT_THE_ASSET = frozenset({"ASSET_NOT_OWNED", "ASSET_OWNERLESS", "ASSET_LOCKED", "ASSET_NOT_FOUND"})


@contextmanager
def told_of(listing: Listing) -> Iterator[None]:
    """Around a look at a listing's asset and what depends on it: a refusal for the owner's sake nudges watch_assets by
    an event. Losing it changes nothing, since the listing's next look comes."""
    try:
        yield
    except Unprocessable as refusal:
        if refusal.code in ABOUT_THE_ASSET:
            _nudge(listing.id)
        raise


def _nudge(listing_id: str) -> None:
    from botocore.exceptions import BotoCoreError, ClientError  # an acceptance, which is no refusal, never loads it

    try:
        events.publish(events.ASSET_DOUBTED, {"listingId": listing_id})
    except (BotoCoreError, ClientError, RuntimeError):
        logger.warning("nobody was nudged", extra={"listingId": listing_id})
