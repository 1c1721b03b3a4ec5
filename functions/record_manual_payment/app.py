"""POST /staff/escrows/{escrow_id}/manual-payments/{manual_payment_id}/record: what was announced is paid; above $1,000
two different administrators say so."""

from bloxtr8 import manual_payments
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.shapes import Body, PaymentId, Reason
from bloxtr8.views.manual_payment import PaymentRecorded

app = http_app()


class RecordManualPayment(Body):
    """Once it has arrived. `paymentId` is for administrators; both sides read the `reason`."""

    payment_id: PaymentId
    reason: Reason


@app.post(
    "/staff/escrows/<escrow_id>/manual-payments/<manual_payment_id>/record",
    status_code=202,
    summary="Record what was paid outside",
    tags=["escrows"],
)
def record_manual_payment(
    escrow_id: str, manual_payment_id: str, body: RecordManualPayment, actor: KeyedActor
) -> PaymentRecorded:
    return manual_payments.record(escrow_id, manual_payment_id, body.payment_id, body.reason, actor)


lambda_handler = entrypoint(app)
