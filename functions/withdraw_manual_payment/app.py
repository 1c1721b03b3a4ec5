"""POST /staff/escrows/{escrow_id}/manual-payments/{manual_payment_id}/withdraw: nobody has paid what was announced, or
it was sent back before it had arrived."""

from bloxtr8 import manual_payments
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.shapes import Body, Reason
from bloxtr8.views.manual_payment import ManualPaymentView

app = http_app()


class WithdrawManualPayment(Body):
    """Both sides read the `reason`."""

    reason: Reason


@app.post(
    "/staff/escrows/<escrow_id>/manual-payments/<manual_payment_id>/withdraw",
    summary="Withdraw an announced payment",
    tags=["escrows"],
)
def withdraw_manual_payment(
    escrow_id: str, manual_payment_id: str, body: WithdrawManualPayment, actor: KeyedActor
) -> ManualPaymentView:
    return manual_payments.withdraw(escrow_id, manual_payment_id, body.reason, actor)


lambda_handler = entrypoint(app)
