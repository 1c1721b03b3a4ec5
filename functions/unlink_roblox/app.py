"""DELETE /me/roblox: the Roblox account is forgotten and free for anybody; the caller is tier 0 (M03, D29)."""

from bloxtr8 import table
from bloxtr8.domain import people
from bloxtr8.entities import Deals, Identity, User
from bloxtr8.errors import StaleWrite
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app

app = http_app()


@app.delete("/me/roblox", status_code=204, summary="Unlink the Roblox account", tags=["people"])
def unlink_roblox(actor: CurrentActor) -> None:
    user, deals = table.load(table.ref(User, id=actor.id), table.ref(Deals, user_id=actor.id))
    actor.expects(user)
    if user.roblox_id is None:
        return
    mark = table.find(Identity, provider=people.ROBLOX, value=user.roblox_id)
    if mark is None:  # gone since the profile was read
        raise StaleWrite("unlink_roblox")
    people.unlink_roblox(user, deals)
    table.commit(user, action="unlink_roblox", actor=actor, checks=[deals], deletes=[mark])  # an accept saves `deals`


lambda_handler = entrypoint(app)
