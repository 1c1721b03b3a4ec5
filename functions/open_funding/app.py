"""fund_escrow, first step: make the place where the buyer pays (the PaymentIntent), once."""

from typing import Any

from bloxtr8 import funding
from bloxtr8.actors import system
from bloxtr8.entities import EscrowStatus
from bloxtr8.lambdas import task


def open_funding(event: dict[str, Any]) -> dict[str, Any]:
    """{escrowId} → {open}: false where the escrow waits for money no longer."""
    file = funding.open_rail(event["escrowId"], system("open_funding"))
    return {"open": file.escrow.status is EscrowStatus.AWAIT_FUNDS}


lambda_handler = task(open_funding)
