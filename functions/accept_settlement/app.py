"""POST /escrows/{escrow_id}/settlements/{proposal_id}/accept: both sides agree, and are paid so (M46)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import escrows, settlement_proposals
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.views.escrow import Started

app = http_app()


@app.post(
    "/escrows/<escrow_id>/settlements/<proposal_id>/accept",
    status_code=202,
    summary="Accept a settlement",
    tags=["escrows"],
)
def accept_settlement(escrow_id: str, proposal_id: str, actor: KeyedActor) -> Started:
    file = reads.escrow(escrow_id)
    role = escrows.party(file.escrow, actor)
    actor.expects(file.escrow)
    proposal = settlement_proposals.find(file, proposal_id)
    changed = settlement_proposals.accept(file, role, proposal, actor=actor, now=clock.now())
    return table.commit(
        file.escrow,
        *changed,
        action="accept_settlement",
        actor=actor,
        details={"proposalId": proposal_id},
        answer=lambda: Started.of(file),
    )


lambda_handler = entrypoint(app)
