"""POST /escrows/{escrow_id}/disputes/{dispute_id}/resolve: the arbiter decides who gets what, and why (M64, D20)."""

from typing import Literal

from bloxtr8 import clock, reads, table
from bloxtr8.domain import disputes, plans, refused_payouts
from bloxtr8.entities import PlatformRole
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.shapes import Body, Resolution, ShareCents
from bloxtr8.views.escrow import Started

app = http_app()


class ResolveDispute(Body):
    outcome: Literal["RELEASE", "REFUND", "SPLIT"]
    seller_amount: ShareCents
    buyer_amount: ShareCents
    resolution: Resolution


@app.post(
    "/escrows/<escrow_id>/disputes/<dispute_id>/resolve", status_code=202, summary="Decide a dispute", tags=["escrows"]
)
def resolve_dispute(escrow_id: str, dispute_id: str, body: ResolveDispute, actor: KeyedActor) -> Started:
    file, (role,) = reads.escrow_seen(escrow_id, actor, PlatformRole.ARBITER)
    dispute = disputes.find(file, dispute_id)
    actor.expects(dispute)
    now, acting = clock.now(), actor.acting_as(role)
    disputes.check("resolve_dispute", file, dispute, role, actor.id, now)
    dropped = refused_payouts.give_way(file, "resolve_dispute", role, now)
    planned = plans.plan_split(
        file,
        "resolve_dispute",
        role,
        actor=acting,
        to_seller=body.seller_amount,
        to_buyer=body.buyer_amount,
        reason="DISPUTE_RESOLVED",
        now=now,
    )
    disputes.resolve(dispute, planned, body.outcome, body.resolution, now)
    return table.commit(
        file.escrow,
        dispute,
        *dropped,
        *planned.rows,
        action="resolve_dispute",
        actor=acting,
        details=disputes.decided(dispute),
        answer=lambda: Started.of(file),
    )


lambda_handler = entrypoint(app)
