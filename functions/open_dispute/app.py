"""POST /escrows/{escrow_id}/disputes: a party says what is wrong; no clock runs until it is settled (M61, D9)."""

from bloxtr8 import clock, disputing, reads, table
from bloxtr8.domain import dispute_opening, escrows
from bloxtr8.domain.dispute_opening import Claim
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Description, DisputeReason, EvidenceIds, Title
from bloxtr8.views.dispute import DisputeDetail

app = http_app()


class OpenDispute(Body):
    title: Title
    description: Description
    reason_code: DisputeReason
    evidence_ids: EvidenceIds | None = None


@app.post("/escrows/<escrow_id>/disputes", status_code=201, summary="Open a dispute", tags=["escrows"])
def open_dispute(escrow_id: str, body: OpenDispute, actor: CurrentActor) -> DisputeDetail:
    file = reads.escrow(escrow_id)
    role = escrows.party(file.escrow, actor)
    actor.expects(file.escrow)
    claim = Claim(body.reason_code, body.title, body.description, tuple(body.evidence_ids or ()))
    dispute_opening.check_may_open("open_dispute", file, role)
    dispute_opening.check_evidence(file, claim.evidence_ids)
    disputing.check_not_too_often(actor)
    seen = disputing.look(file.escrow)
    dispute = dispute_opening.begin("open_dispute", file, role, claim, opener_id=actor.id, seen=seen, now=clock.now())
    return table.commit(
        file.escrow,
        dispute,
        *([seen] if seen else []),
        action="open_dispute",
        actor=actor,
        details=dispute_opening.noted(dispute),
        answer=lambda: DisputeDetail.of(file, dispute, [role], actor.id),
    )


lambda_handler = entrypoint(app)
