"""POST /escrows/{escrow_id}/deliveries/{delivery_id}/confirm: the buyer has it; the seller is paid (M44)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import deliveries, escrows
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.shapes import Body, Yes
from bloxtr8.views.escrow import Started

app = http_app()


class ConfirmDelivery(Body):
    acknowledge: Yes


@app.post(
    "/escrows/<escrow_id>/deliveries/<delivery_id>/confirm", status_code=202, summary="I have it", tags=["escrows"]
)
def confirm_delivery(escrow_id: str, delivery_id: str, body: ConfirmDelivery, actor: KeyedActor) -> Started:
    file = reads.escrow(escrow_id)
    role, now = escrows.party(file.escrow, actor), clock.now()
    actor.expects(file.escrow)
    deliveries.named(file, delivery_id)
    rows = deliveries.accept(
        file, "confirm_delivery", role, by="BUYER", actor=actor, reason="CONFIRMED_BY_BUYER", now=now
    )
    return table.commit(file.escrow, *rows, action="confirm_delivery", actor=actor, answer=lambda: Started.of(file))


lambda_handler = entrypoint(app)
