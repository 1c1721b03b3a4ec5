"""POST /escrows/{escrow_id}/settlements: a party proposes how the escrow ends, to the cent (M46)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import escrows, settlement_proposals
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Reason, ShareCents
from bloxtr8.views.settlement_proposal import ProposalView

app = http_app()


class ProposeSettlement(Body):
    seller_amount: ShareCents
    buyer_amount: ShareCents
    reason: Reason


@app.post("/escrows/<escrow_id>/settlements", status_code=201, summary="Propose a settlement", tags=["escrows"])
def propose_settlement(escrow_id: str, body: ProposeSettlement, actor: CurrentActor) -> ProposalView:
    file = reads.escrow(escrow_id)
    role = escrows.party(file.escrow, actor)
    actor.expects(file.escrow)
    proposal, *expired = settlement_proposals.propose(
        file, role, to_seller=body.seller_amount, to_buyer=body.buyer_amount, reason=body.reason, now=clock.now()
    )
    return table.commit(
        file.escrow,
        proposal,
        *expired,
        action="propose_settlement",
        actor=actor,
        details={"proposalId": proposal.id},
        answer=lambda: ProposalView.of(file, proposal, [role]),
    )


lambda_handler = entrypoint(app)
