"""settle_escrow: send the first leg of the plan that is not confirmed, after its intent is stored."""

from typing import Any

from bloxtr8 import hand_refunds, settling
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def send_leg(event: dict[str, Any]) -> dict[str, str]:
    """{escrowId, settlementId} → {next: CONFIRM | WAIT | FINISH | PARK | DONE, error}."""
    escrow_id, settlement_id, actor = event["escrowId"], event["settlementId"], system("send_leg")
    step = settling.send_leg(escrow_id, settlement_id, actor)
    if step.next == settling.PARK and hand_refunds.take_known(escrow_id, actor):  # what it waited for, or its own money
        step = settling.send_leg(escrow_id, settlement_id, actor)
    return step.answer


lambda_handler = task(send_leg)
