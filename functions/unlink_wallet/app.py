"""DELETE /me/wallet: the wallet is forgotten and free for anybody (M06, D29)."""

from bloxtr8 import table
from bloxtr8.domain import wallets
from bloxtr8.entities import Deals, Identity, User
from bloxtr8.errors import StaleWrite
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app

app = http_app()


@app.delete("/me/wallet", status_code=204, summary="Unlink the wallet", tags=["people"])
def unlink_wallet(actor: CurrentActor) -> None:
    user, deals = table.load(table.ref(User, id=actor.id), table.ref(Deals, user_id=actor.id))
    actor.expects(user)
    if user.wallet is None:
        return
    mark = table.find(Identity, provider=wallets.WALLET, value=user.wallet)
    if mark is None:  # gone since the profile was read
        raise StaleWrite("unlink_wallet")
    wallets.unlink(user, deals)
    table.commit(user, action="unlink_wallet", actor=actor, checks=[deals], deletes=[mark])  # an accept saves `deals`


lambda_handler = entrypoint(app)
