"""POST /me/roblox/finish: Roblox proved the account; it becomes the caller's, and TIER_0 becomes TIER_1 (M03)."""

from bloxtr8 import clock, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import again
from bloxtr8.domain import people
from bloxtr8.entities import Identity, OAuthState, User
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.outside import roblox
from bloxtr8.shapes import Body, OAuthCode, StateText
from bloxtr8.views.people import LinkedRoblox

app = http_app()


class FinishRobloxLink(Body):
    code: OAuthCode
    state: StateText


@app.post("/me/roblox/finish", summary="Link the account that Roblox proved", tags=["people"])
def finish_roblox_link(body: FinishRobloxLink, actor: CurrentActor) -> LinkedRoblox:
    state = people.check_link(table.take(OAuthState, state=body.state), actor.id, clock.now())
    found = roblox.exchange(body.code, state.verifier, state.redirect_uri)
    return again(lambda: _link(found, actor))  # the state is spent: a lost race is run again here


def _link(found: roblox.RobloxUser, actor: Actor) -> LinkedRoblox:
    user, mark = table.load(table.ref(User, id=actor.id), table.ref(Identity, provider=people.ROBLOX, value=found.id))
    link = people.link_roblox(user, mark, found.id, found.username, clock.now())
    return table.commit(user, link, action="finish_roblox_link", actor=actor, answer=lambda: LinkedRoblox.of(user))


lambda_handler = entrypoint(app)
