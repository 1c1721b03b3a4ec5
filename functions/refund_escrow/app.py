"""POST /escrows/{escrow_id}/refund: the seller gives all that remains back to the buyer (M47)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import disputes, escrows, plans, refused_payouts
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.shapes import Body, Reason
from bloxtr8.views.escrow import Started

app = http_app()


class RefundEscrow(Body):
    reason: Reason


@app.post("/escrows/<escrow_id>/refund", status_code=202, summary="Refund the buyer", tags=["escrows"])
def refund_escrow(escrow_id: str, body: RefundEscrow, actor: KeyedActor) -> Started:
    file = reads.escrow(escrow_id)
    role, now = escrows.party(file.escrow, actor), clock.now()
    actor.expects(file.escrow)
    refused_payouts.check_start("refund_escrow", file, role)
    dropped = refused_payouts.give_way(file, "refund_escrow", role, now)
    planned = plans.start(file, "refund_escrow", role, actor=actor, to_seller=0, reason=body.reason, now=now)
    closed = disputes.close_by_refund(file, role, now)
    return table.commit(
        file.escrow,
        *dropped,
        *planned.rows,
        *closed,
        action="refund_escrow",
        actor=actor,
        details={"reason": body.reason},
        answer=lambda: Started.of(file),
    )


lambda_handler = entrypoint(app)
