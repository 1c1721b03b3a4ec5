"""settle_escrow, last step: every leg is confirmed, so the escrow reaches the end its plan named (D7)."""

from typing import Any

from bloxtr8 import settlement_ends
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def finish_settlement(event: dict[str, Any]) -> None:
    """{escrowId, settlementId} → {}."""
    settlement_ends.finish(event["escrowId"], event["settlementId"], system("finish_settlement"))


lambda_handler = task(finish_settlement)
