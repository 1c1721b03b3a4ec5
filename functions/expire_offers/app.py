"""Every five minutes: write down that offers expired, which read so already (M28)."""

from bloxtr8 import stale_offers
from bloxtr8.actors import system
from bloxtr8.lambdas import schedule, work

ACTOR = system("expire_offers")


def expire_offers() -> None:
    """Bounded, and safe twice at once: each offer is decided again on a fresh read."""
    work(stale_offers.due(), lambda offer: stale_offers.tidy(offer, ACTOR))


lambda_handler = schedule(expire_offers)
