"""settle_escrow: a refusal no retry can help, or a hold. Visible and alarmed, until a person resumes it."""

from typing import Any

from bloxtr8 import settling
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def park_settlement(event: dict[str, Any]) -> None:
    """{escrowId, settlementId, error} → {}."""
    settling.park_settlement(event["escrowId"], event["settlementId"], event["error"], system("park_settlement"))


lambda_handler = task(park_settlement)
