"""POST /escrows/{escrow_id}/deliveries/{delivery_id}/delivered: the seller says so, and Roblox must show it (M53)."""

from bloxtr8 import clock, delivering, reads, table
from bloxtr8.domain import deliveries, escrow_moves, escrows
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.escrow import DeliveryAnswer

app = http_app()


@app.post("/escrows/<escrow_id>/deliveries/<delivery_id>/delivered", summary="I handed it over", tags=["escrows"])
def mark_delivered(escrow_id: str, delivery_id: str, actor: CurrentActor) -> DeliveryAnswer:
    file = reads.escrow(escrow_id)
    role = escrows.party(file.escrow, actor)
    actor.expects(file.escrow)
    deliveries.named(file, delivery_id)
    escrow_moves.check("mark_delivered", file, role, clock.now())
    proof = delivering.prove(file, actor)
    snapshot_id = proof[0].id if proof else None
    delivery, *others = deliveries.deliver(file, "mark_delivered", role, snapshot_id=snapshot_id, now=clock.now())
    return table.commit(
        file.escrow,
        delivery,
        *others,
        *proof,
        action="mark_delivered",
        actor=actor,
        answer=lambda: DeliveryAnswer.of(file.delivery, file.escrow),
    )


lambda_handler = entrypoint(app)
