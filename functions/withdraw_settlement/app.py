"""POST /escrows/{escrow_id}/settlements/{proposal_id}/withdraw: its proposer takes it back (M46)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import escrows, settlement_proposals
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.settlement_proposal import ProposalView

app = http_app()


@app.post("/escrows/<escrow_id>/settlements/<proposal_id>/withdraw", summary="Withdraw a settlement", tags=["escrows"])
def withdraw_settlement(escrow_id: str, proposal_id: str, actor: CurrentActor) -> ProposalView:
    file = reads.escrow(escrow_id)
    role = escrows.party(file.escrow, actor)
    actor.expects(file.escrow)
    proposal = settlement_proposals.find(file, proposal_id)
    settlement_proposals.end("withdraw_settlement", file, role, proposal, clock.now())
    return table.commit(
        file.escrow,
        proposal,
        action="withdraw_settlement",
        actor=actor,
        details={"proposalId": proposal_id},
        answer=lambda: ProposalView.of(file, proposal, [role]),
    )


lambda_handler = entrypoint(app)
