"""POST /staff/escrows/{escrow_id}/manual-payments: an administrator is about to pay outside what the card's provider
refuses for good, or what is set aside; from now on nothing else pays it."""

from bloxtr8 import manual_payments
from bloxtr8.domain.manual_payments import Due
from bloxtr8.entities import Side
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.shapes import Body, Cents, LegNumber, Reason, Word
from bloxtr8.views.manual_payment import ManualPaymentView

app = http_app()


class AnnounceManualPayment(Body):
    """Of a refused payment its `settlementId` and `leg`, and all of it; or of what is set aside whom it `pays`, and all
    or a part. Both sides read the `reason`."""

    settlement_id: Word | None = None
    leg: LegNumber | None = None
    pays: Side | None = None
    amount: Cents
    reason: Reason


@app.post(
    "/staff/escrows/<escrow_id>/manual-payments",
    status_code=201,
    summary="Announce a payment outside",
    tags=["escrows"],
)
def announce_manual_payment(escrow_id: str, body: AnnounceManualPayment, actor: KeyedActor) -> ManualPaymentView:
    due = Due(body.amount, body.settlement_id, body.leg, body.pays)
    return manual_payments.announce(escrow_id, due, body.reason, actor)


lambda_handler = entrypoint(app)
