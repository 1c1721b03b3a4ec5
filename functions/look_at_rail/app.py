"""fund_escrow, at the deadline: a last look at the rail decides whether money came after all."""

from typing import Any

from bloxtr8 import depositing, funding
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def look_at_rail(event: dict[str, Any]) -> dict[str, Any]:
    """{escrowId} → {outcome}: PAID (some money is there), DEADLINE, CANCELLED, or WAIT where the deadline was moved."""
    file, seen = depositing.look(event["escrowId"], system("look_at_rail"))
    outcome = funding.state(file, seen) or "WAIT"
    return {"outcome": "PAID" if outcome == "DEADLINE" and file.escrow.deposited else outcome}


lambda_handler = task(look_at_rail)
