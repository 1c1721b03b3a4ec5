"""GET /me/payout-account: whether the seller can be paid, asked of Stripe now."""

from bloxtr8 import payouts
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.payouts import PayoutStatus

app = http_app()


@app.get("/me/payout-account", summary="Whether the account can be paid out to", tags=["people"])
def get_payout_account(actor: CurrentActor) -> PayoutStatus:
    user, status = payouts.look(actor)
    return PayoutStatus.of(user, status)


lambda_handler = entrypoint(app)
