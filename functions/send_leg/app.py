"""settle_escrow: send the first leg of the plan that is not confirmed, after its intent is stored."""

from typing import Any

from bloxtr8 import risk, settling
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def send_leg(event: dict[str, Any]) -> dict[str, str]:
    """{escrowId, settlementId} → {next: CONFIRM | WAIT | FINISH | PARK | DONE, error}."""
    escrow_id, actor = event["escrowId"], system("send_leg")
    step = settling.send_leg(escrow_id, event["settlementId"], actor)
    if step.next == settling.PARK and risk.adopt_known(escrow_id, actor):  # its money went back by another way
        step = settling.Step(settling.DONE)
    return step.answer


lambda_handler = task(send_leg)
