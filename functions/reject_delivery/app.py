"""POST /escrows/{escrow_id}/deliveries/{delivery_id}/reject: the buyer refuses what was delivered; the rejection opens
the dispute in the same commit (M56, D19)."""

from bloxtr8 import clock, disputing, reads, table
from bloxtr8.domain import deliveries, dispute_opening, escrows
from bloxtr8.domain.dispute_opening import Claim
from bloxtr8.domain.transitions import DELIVERY
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Description, DisputeReason, EvidenceIds
from bloxtr8.views.dispute import DisputeDetail

app = http_app()


class RejectDelivery(Body):
    reason_code: DisputeReason
    description: Description
    evidence_ids: EvidenceIds | None = None


@app.post("/escrows/<escrow_id>/deliveries/<delivery_id>/reject", summary="I do not accept it", tags=["escrows"])
def reject_delivery(escrow_id: str, delivery_id: str, body: RejectDelivery, actor: CurrentActor) -> DisputeDetail:
    file = reads.escrow(escrow_id)
    role = escrows.party(file.escrow, actor)
    actor.expects(file.escrow)
    delivery = deliveries.named(file, delivery_id)
    claim = Claim(body.reason_code, None, body.description, tuple(body.evidence_ids or ()))
    dispute_opening.check_may_open("reject_delivery", file, role)
    DELIVERY.check("reject_delivery", delivery, role)
    dispute_opening.check_evidence(file, claim.evidence_ids)
    seen = disputing.look(file.escrow)
    dispute = dispute_opening.begin(
        "reject_delivery", file, role, claim, opener_id=actor.id, seen=seen, now=clock.now(), delivery=delivery
    )
    return table.commit(
        file.escrow,
        *deliveries.reject(file, role, delivery),
        dispute,
        *([seen] if seen else []),
        action="reject_delivery",
        actor=actor,
        details=dispute_opening.noted(dispute),
        answer=lambda: DisputeDetail.of(file, dispute, [role], actor.id),
    )


lambda_handler = entrypoint(app)
