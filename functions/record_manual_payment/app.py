"""POST /staff/escrows/{escrow_id}/manual-payments: what the card's provider refuses for good, or what is set aside, was
paid outside of it; above $10,000 two different administrators say so."""

from bloxtr8 import manual_payments
from bloxtr8.domain.manual_payments import Payment
from bloxtr8.entities import Side
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.shapes import Body, Cents, LegNumber, PaymentId, Reason, Word
from bloxtr8.views.manual_payment import PaymentRecorded

app = http_app()


class RecordManualPayment(Body):
    """Of a refused payment its `settlementId` and `leg`, and all of it; or of what is set aside whom it `pays`, and all
    or a part."""

    settlement_id: Word | None = None
    leg: LegNumber | None = None
    pays: Side | None = None
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
    payment = Payment(body.amount, body.payment_id, body.settlement_id, body.leg, body.pays)
    return manual_payments.record(escrow_id, payment, body.reason, actor)


lambda_handler = entrypoint(app)
