"""POST /escrows/{escrow_id}/disputes/{dispute_id}/assign: an arbiter who is no party takes it; an administrator may
give it to another (M63, D10)."""

from bloxtr8 import clock, disputing, table
from bloxtr8.domain import disputes, dossier
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Word
from bloxtr8.views.dispute import DisputeDetail

app = http_app()


class AssignDispute(Body):
    """Without an assignee: the caller's own."""

    assignee_id: Word | None = None


@app.post("/escrows/<escrow_id>/disputes/<dispute_id>/assign", summary="Take a dispute", tags=["escrows"])
def assign_dispute(
    escrow_id: str, dispute_id: str, actor: CurrentActor, body: AssignDispute | None = None
) -> DisputeDetail:
    file, roles, assignee = disputing.deciders(escrow_id, actor, body.assignee_id if body else None)
    dispute = disputes.find(file, dispute_id)
    actor.expects(dispute)
    role = disputes.assign(file, dispute, roles, actor.id, assignee, clock.now())
    seen = disputing.look(file.escrow)  # whoever decides reads whose the asset is now
    dossier.keep(file, seen)
    return table.commit(
        file.escrow,
        dispute,
        *([seen] if seen else []),
        action="assign_dispute",
        actor=actor.acting_as(role),
        details={"assignee": assignee.id},
        answer=lambda: DisputeDetail.of(file, dispute, roles, actor.id),
    )


lambda_handler = entrypoint(app)
