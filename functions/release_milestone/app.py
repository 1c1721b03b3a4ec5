"""POST /escrows/{escrow_id}/milestones/{milestone_id}/release: the buyer has the seller paid for one milestone; of the
last that is left, for all of the rest (M43)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import escrows, milestones
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.shapes import Body, Yes
from bloxtr8.views.escrow import Started

app = http_app()


class ReleaseMilestone(Body):
    acknowledge: Yes


@app.post(
    "/escrows/<escrow_id>/milestones/<milestone_id>/release",
    status_code=202,
    summary="Release a milestone",
    tags=["escrows"],
)
def release_milestone(escrow_id: str, milestone_id: str, body: ReleaseMilestone, actor: KeyedActor) -> Started:
    file = reads.escrow(escrow_id)
    role, now = escrows.party(file.escrow, actor), clock.now()
    actor.expects(file.escrow)
    milestone = milestones.find(file, milestone_id)
    rows = milestones.release_early(file, milestone, role, actor=actor, now=now)
    return table.commit(
        file.escrow,
        *rows,
        action="release_milestone",
        actor=actor,
        details={"milestoneId": milestone.id},
        answer=lambda: Started.of(file),
    )


lambda_handler = entrypoint(app)
