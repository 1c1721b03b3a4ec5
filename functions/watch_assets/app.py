"""Every five minutes: whose the assets of paid escrows and of live listings are. A delivery needs nobody's click, a
rollback opens a dispute, what is lost is for sale no more (M21, M53, M59)."""

from typing import Any

from bloxtr8 import asset_watch, listing_watch
from bloxtr8.actors import system
from bloxtr8.lambdas import task

ACTOR = system("watch_assets")


def watch_assets(event: dict[str, Any]) -> None:
    """Bounded, and safe twice at once: every move is decided again under its row's version. An event `asset_doubted`
    names the one listing to look at."""
    doubted = event.get("detail", {}).get("listingId")
    if doubted is not None:
        listing_watch.doubt(doubted, ACTOR)
        return
    asset_watch.watch(ACTOR)
    listing_watch.verify(ACTOR)


lambda_handler = task(watch_assets)
