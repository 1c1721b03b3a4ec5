"""fund_escrow: nobody paid in time, so the escrow is cancelled and the listing is free again (M42)."""

from typing import Any

from bloxtr8 import funding
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def cancel_unfunded(event: dict[str, Any]) -> dict[str, Any]:
    """{escrowId} → {outcome}: CANCELLED, MONEY (enough came at the last moment), or WAIT (the deadline was moved)."""
    return {"outcome": funding.cancel_unfunded(event["escrowId"], system("cancel_unfunded"))}


lambda_handler = task(cancel_unfunded)
