"""POST /me/roblox: the caller begins to link a Roblox account; only he can finish it (D28). The verifier stays here."""

from bloxtr8 import clock, table
from bloxtr8.domain import people
from bloxtr8.entities import User
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.outside import roblox
from bloxtr8.shapes import Body, RedirectUri
from bloxtr8.views.people import OAuthStart

app = http_app()


class StartRobloxLink(Body):
    redirect_uri: RedirectUri


@app.post("/me/roblox", summary="Begin to link a Roblox account", tags=["people"])
def start_roblox_link(body: StartRobloxLink, actor: CurrentActor) -> OAuthStart:
    people.check_linkable(table.get(User, id=actor.id), clock.now())
    state = people.open_state(people.ROBLOX, body.redirect_uri, clock.now(), user_id=actor.id)
    url = roblox.authorize_url(body.redirect_uri, state.state, people.challenge_of(state.verifier))
    table.remember(state)
    return OAuthStart.of(state, url)


lambda_handler = entrypoint(app)
