"""GET /auth/discord: a sign-in begins. The client keeps the verifier of the challenge it gives here (D28)."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from bloxtr8 import clock, table
from bloxtr8.domain import people
from bloxtr8.lambdas import entrypoint, http_app
from bloxtr8.outside import discord
from bloxtr8.shapes import CHALLENGE, URL_LIMIT
from bloxtr8.views.people import OAuthStart

SCOPES = ("identify", "guilds", "guilds.members.read")
app = http_app()

Challenge = Annotated[str, Query(pattern=CHALLENGE, description="S256 of a verifier that stays with the client")]
RedirectUri = Annotated[str, Query(alias="redirectUri", max_length=URL_LIMIT, description="One of the allowed pages")]


@app.get("/auth/discord", summary="Begin to sign in with Discord", tags=["people"])
def start_discord_login(redirect_uri: RedirectUri, challenge: Challenge) -> OAuthStart:
    state = people.open_state(people.DISCORD, redirect_uri, clock.now(), challenge=challenge)
    url = discord.authorize_url(redirect_uri, state.state, SCOPES)
    table.remember(state)
    return OAuthStart.of(state, url)


lambda_handler = entrypoint(app)
