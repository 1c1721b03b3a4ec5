"""fund_escrow, last step: the money is there and clean, so the escrow holds it and the seller's time starts."""

from typing import Any

from bloxtr8 import funding
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def hold_funds(event: dict[str, Any]) -> dict[str, Any]:
    """{escrowId} → {held}: false where the escrow was cancelled meanwhile, or a hold stands."""
    return {"held": funding.hold(event["escrowId"], system("hold_funds"))}


lambda_handler = task(hold_funds)
