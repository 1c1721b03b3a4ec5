"""POST /escrows/{escrow_id}/extend: the party that a deadline protects gives the other more time (M60)."""

from typing import Literal

from bloxtr8 import clock, reads, table
from bloxtr8.domain import escrows, extensions
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Deadline
from bloxtr8.views.escrow import EscrowView

app = http_app()


class ExtendDeadline(Body):
    deadline: Literal["fundBy", "deliverBy", "inspectBy"]
    until: Deadline


@app.post("/escrows/<escrow_id>/extend", summary="Give more time", tags=["escrows"])
def extend_deadline(escrow_id: str, body: ExtendDeadline, actor: CurrentActor) -> EscrowView:
    file = reads.escrow(escrow_id)
    role = escrows.party(file.escrow, actor)
    actor.expects(file.escrow)
    extensions.extend(file, role, body.deadline, body.until, clock.now())
    return table.commit(
        file.escrow,
        action="extend_deadline",
        actor=actor,
        details={"deadline": body.deadline, "until": clock.iso(body.until)},
        answer=lambda: EscrowView.of(file, [role]),
    )


lambda_handler = entrypoint(app)
