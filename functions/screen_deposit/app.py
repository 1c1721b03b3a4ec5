"""fund_escrow: every deposit is recorded and its sender screened before any of it counts."""

from typing import Any

from bloxtr8 import funding
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def screen_deposit(event: dict[str, Any]) -> dict[str, Any]:
    """{escrowId} → {enough}. A card's payer was screened by the card network; what is looked at here is the amount."""
    file, _ = funding.look(event["escrowId"], system("screen_deposit"))
    return {"enough": file.escrow.deposited >= file.escrow.gross}


lambda_handler = task(screen_deposit)
