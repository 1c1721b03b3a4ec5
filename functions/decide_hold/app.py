"""POST /staff/escrows/{escrow_id}/hold: COMPLIANCE decides what becomes of a hold; above $10,000 two people do."""

from typing import Literal

from bloxtr8 import deciding
from bloxtr8.domain.compliance import Option
from bloxtr8.entities import Decision, Hold
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.shapes import Body, Reason
from bloxtr8.views.compliance import HoldDecided

app = http_app()


class DecideHold(Body):
    hold: Literal["RISK_REVIEW", "SANCTIONS", "COMPLIANCE"]
    decision: Decision
    reason: Reason


@app.post("/staff/escrows/<escrow_id>/hold", status_code=202, summary="Decide about a hold", tags=["escrows"])
def decide_hold(escrow_id: str, body: DecideHold, actor: KeyedActor) -> HoldDecided:
    return deciding.decide(escrow_id, Option(Hold(body.hold), body.decision), body.reason, actor)


lambda_handler = entrypoint(app)
