"""POST /escrows/{escrow_id}/payment: how the buyer pays. Reads only: the rail was opened by the funding machine."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from bloxtr8 import payments
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views import payment
from bloxtr8.views.payment import OpeningView, PaymentView, VaultPaymentView

app = http_app()
OPENING: dict[int, OpenAPIResponse] = {
    202: {"description": "RAIL_OPENING: the rail opens it now; ask again after Retry-After seconds"}
}


@app.post("/escrows/<escrow_id>/payment", summary="How to pay", tags=["escrows"], responses=OPENING)
def start_payment(escrow_id: str, actor: CurrentActor) -> Response[PaymentView | VaultPaymentView | OpeningView]:
    file, found = payments.instructions(escrow_id, actor)
    if found is None:
        return Response(202, "application/json", OpeningView(), headers={"Retry-After": "2"})
    return Response(200, "application/json", payment.of(file, found))


lambda_handler = entrypoint(app)
