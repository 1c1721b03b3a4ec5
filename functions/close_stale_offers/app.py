"""After a listing's offers ended all at once: write it on each of them, which reads so already (D3, M30)."""

from typing import Any

from bloxtr8 import stale_offers
from bloxtr8.actors import system
from bloxtr8.lambdas import each, task

ACTOR = system("close_stale_offers")


def close_stale_offers(event: dict[str, Any]) -> None:
    """EventBridge: `detail.changes` names the listings an action changed. Bounded, and losing it changes nothing."""
    for changed in event["detail"]["changes"]:
        if changed["type"] == "Listing":
            each(stale_offers.of(changed["id"]), lambda offer: stale_offers.tidy(offer, ACTOR))


lambda_handler = task(close_stale_offers)
