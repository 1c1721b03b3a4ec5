"""settle_escrow: send the first leg of the plan that is not confirmed, after its intent is stored."""

from typing import Any

from bloxtr8 import settling
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def send_leg(event: dict[str, Any]) -> dict[str, str]:
    """{escrowId, settlementId} → {next: CONFIRM | WAIT | FINISH | PARK | DONE, error}."""
    return settling.send_leg(event["escrowId"], event["settlementId"], system("send_leg")).answer


lambda_handler = task(send_leg)
