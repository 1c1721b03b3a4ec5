"""POST /me/payout-account: the seller's account at Stripe, and a link to finish it. Safe to repeat, key or no key."""

from bloxtr8 import payouts
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Country
from bloxtr8.views.payouts import OpenedAccount

app = http_app()


class OpenPayoutAccount(Body):
    country: Country


@app.post("/me/payout-account", summary="Open the account that is paid out to", tags=["people"])
def open_payout_account(body: OpenPayoutAccount, actor: CurrentActor) -> OpenedAccount:
    account_id, link = payouts.open_account(actor, body.country)
    return OpenedAccount.of(account_id, link)


lambda_handler = entrypoint(app)
