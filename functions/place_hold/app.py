"""fund_escrow: a deposit whose sender a person has to look at puts the escrow on hold; nothing is sent on (D15)."""

from typing import Any

from bloxtr8 import senders
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def place_hold(event: dict[str, Any]) -> None:
    """{escrowId} → {}."""
    senders.place_holds(event["escrowId"], system("place_hold"))


lambda_handler = task(place_hold)
