"""Every five minutes: whose the assets of paid escrows are. A delivery needs nobody's click, a rollback opens a dispute
(M53, M59)."""

from bloxtr8 import asset_watch
from bloxtr8.actors import system
from bloxtr8.lambdas import schedule

ACTOR = system("watch_assets")


def watch_assets() -> None:
    """Bounded, and safe twice at once: every move is decided again under the escrow's version."""
    asset_watch.watch(ACTOR)


lambda_handler = schedule(watch_assets)
