"""POST /escrows/{escrow_id}/deliveries/{delivery_id}/verify: a party asks Roblox now; proven is delivered."""

from bloxtr8 import clock, delivering, reads
from bloxtr8.domain import deliveries, escrow_moves, escrows
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import View

app = http_app()


class Verified(View):
    """`observedOwner` is a Roblox user id, or null where nobody owns the asset."""

    verified: bool
    observed_owner: str | None
    snapshot_id: str


@app.post("/escrows/<escrow_id>/deliveries/<delivery_id>/verify", summary="Ask Roblox now", tags=["escrows"])
def verify_delivery(escrow_id: str, delivery_id: str, actor: CurrentActor) -> Verified:
    file = reads.escrow(escrow_id)
    role = escrows.party(file.escrow, actor)
    actor.expects(file.escrow)
    deliveries.named(file, delivery_id)
    escrow_moves.check("verify_delivery", file, role, clock.now())
    return delivering.verify(
        file,
        actor,
        answer=lambda proof: Verified(verified=proof.verified, observed_owner=proof.owner_id, snapshot_id=proof.id),
    )


lambda_handler = entrypoint(app)
