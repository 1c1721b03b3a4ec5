"""POST /staff/escrows/{escrow_id}/manual-payments: what the card's provider refuses for good was paid outside of it;
above $10,000 two different administrators say so."""

from bloxtr8 import manual_payments
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.manual_payments import Given
from bloxtr8.shapes import Body, Cents, LegNumber, PaymentId, Reason, Word
from bloxtr8.views.manual_payment import PaymentRecorded

app = http_app()


class RecordManualPayment(Body):
    settlement_id: Word
    leg: LegNumber
    amount: Cents
    payment_id: PaymentId
    reason: Reason


@app.post(
    "/staff/escrows/<escrow_id>/manual-payments",
    status_code=202,
    summary="Record what was paid outside",
    tags=["escrows"],
)
def record_manual_payment(escrow_id: str, body: RecordManualPayment, actor: KeyedActor) -> PaymentRecorded:
    given = Given(body.settlement_id, body.leg, body.amount, body.payment_id)
    return manual_payments.record(escrow_id, given, body.reason, actor)


lambda_handler = entrypoint(app)
