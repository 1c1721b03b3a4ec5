"""settle_escrow: a refusal no retry can help, or a hold. Visible and alarmed, until a person resumes it."""

from typing import Any

from bloxtr8 import settling
from bloxtr8.actors import system
from bloxtr8.lambdas import task
from bloxtr8.logs import logger


def park_settlement(event: dict[str, Any]) -> None:
    """{escrowId, settlementId, error} → {}."""
    actor = system("park_settlement")
    if settling.park_settlement(event["escrowId"], event["settlementId"], event["error"], actor):
        logger.error("settlement parked", extra={"settlementId": event["settlementId"], "error": event["error"]})


lambda_handler = task(park_settlement)
