"""POST /escrows/{escrow_id}/cancel: a party gives up before anything was paid; the listing is free again."""

from bloxtr8 import clock, funding, reads, returning, sagas, table
from bloxtr8.domain import escrow_moves, escrows, milestones
from bloxtr8.domain.deals import fall_through
from bloxtr8.entities import MilestoneStatus
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Reason
from bloxtr8.views.escrow import EscrowView

app = http_app()


class CancelEscrow(Body):
    reason: Reason


@app.post("/escrows/<escrow_id>/cancel", summary="Cancel before payment", tags=["escrows"])
def cancel_escrow(escrow_id: str, body: CancelEscrow, actor: CurrentActor) -> EscrowView:
    file = reads.escrow(escrow_id)
    escrow, role, now = file.escrow, escrows.party(file.escrow, actor), clock.now()
    actor.expects(escrow)
    escrow_moves.check("cancel_escrow", file, role, now)
    around = reads.around(escrow)
    escrows.cancel(escrow, "cancel_escrow", role, body.reason, now)
    fall_through(around, amount=escrow.amount, accepted_at=funding.accepted_at(escrow), reason="ESCROW_CANCELLED")
    dust = returning.set_free(file, escrow.held, "paid too little", actor)
    closed = milestones.end(file, MilestoneStatus.CANCELLED, now)
    view = table.commit(
        escrow,
        *around.saves,
        *dust,
        *closed,
        deletes=around.freed(),
        action="cancel_escrow",
        actor=actor,
        details={"reason": body.reason},
        answer=lambda: EscrowView.of(file, [role]),
    )
    with sagas.after_commit():
        sagas.answer(file.rail, "CANCELLED")
    return view


lambda_handler = entrypoint(app)
