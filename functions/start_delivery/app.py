"""POST /escrows/{escrow_id}/deliveries: the seller begins to hand over, of milestones the one that has its turn. Not to
be done before the money is held."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import deliveries, escrow_moves, escrows
from bloxtr8.domain.transitions import DELIVERY
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Description, Word
from bloxtr8.views.escrow import DeliveryView

app = http_app()


class StartDelivery(Body):
    description: Description | None = None
    milestone_id: Word | None = None


@app.post("/escrows/<escrow_id>/deliveries", summary="Start the delivery", tags=["escrows"])
def start_delivery(escrow_id: str, body: StartDelivery, actor: CurrentActor) -> DeliveryView:
    file = reads.escrow(escrow_id)
    role, now = escrows.party(file.escrow, actor), clock.now()
    actor.expects(file.escrow)
    delivery = deliveries.of_milestone(file, body.milestone_id)
    escrow_moves.check("start_delivery", file, role, now)
    DELIVERY.apply("start_delivery", delivery, role)
    delivery.description, delivery.started_at = body.description, now
    return table.commit(
        file.escrow,
        delivery,
        action="start_delivery",
        actor=actor,
        answer=lambda: DeliveryView.model_validate(delivery),
    )


lambda_handler = entrypoint(app)
