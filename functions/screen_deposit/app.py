"""fund_escrow: every deposit is recorded and its sender screened before any of it counts."""

from typing import Any

from bloxtr8 import senders
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def screen_deposit(event: dict[str, Any]) -> dict[str, Any]:
    """{escrowId} → {enough}, and on chain {verdict: HOLD | RETURN | WAIT | CLEAN}. WAIT: nobody can tell yet."""
    screened = senders.screen(event["escrowId"], system("screen_deposit"))
    return {"enough": screened.enough} | ({"verdict": screened.verdict} if screened.verdict else {})


lambda_handler = task(screen_deposit)
