"""fund_escrow: money from the buyer's own wallet that is too risky goes back to it; the escrow is cancelled (D15)."""

from typing import Any

from bloxtr8 import funding
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def return_money(event: dict[str, Any]) -> dict[str, Any]:
    """{escrowId} → {returned}: false where the escrow waits for money no longer."""
    return {"returned": funding.return_money(event["escrowId"], system("return_money"))}


lambda_handler = task(return_money)
