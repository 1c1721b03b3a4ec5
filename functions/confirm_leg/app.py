"""settle_escrow: what became of the leg that was sent? The provider says; its ledger lines are written when it is
done."""

from typing import Any

from bloxtr8 import settling
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def confirm_leg(event: dict[str, Any]) -> dict[str, str]:
    """{escrowId, settlementId} → {next: NEXT | WAIT | PARK, error}. A slow leg ends the attempt: WAIT."""
    return settling.confirm_leg(event["escrowId"], event["settlementId"], system("confirm_leg")).answer


lambda_handler = task(confirm_leg)
