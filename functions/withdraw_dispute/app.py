"""POST /escrows/{escrow_id}/disputes/{dispute_id}/withdraw: who opened it takes it back, and the clocks go on (M67)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import disputes, escrows
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.dispute import DisputeDetail

app = http_app()


@app.post("/escrows/<escrow_id>/disputes/<dispute_id>/withdraw", summary="Withdraw a dispute", tags=["escrows"])
def withdraw_dispute(escrow_id: str, dispute_id: str, actor: CurrentActor) -> DisputeDetail:
    file = reads.escrow(escrow_id)
    role = escrows.party(file.escrow, actor)
    dispute = disputes.find(file, dispute_id)
    actor.expects(dispute)
    now = clock.now()
    disputes.check("withdraw_dispute", file, dispute, role, actor.id, now)
    changed = disputes.withdraw(file, dispute, role, now)
    return table.commit(
        file.escrow,
        dispute,
        *changed,
        action="withdraw_dispute",
        actor=actor,
        answer=lambda: DisputeDetail.of(file, dispute, [role], actor.id),
    )


lambda_handler = entrypoint(app)
