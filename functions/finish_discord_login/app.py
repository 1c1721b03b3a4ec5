"""POST /auth/discord/finish: Discord proved who it is; a session opens, and the first time a user is made (M01)."""

from bloxtr8 import clock, sessions, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import again
from bloxtr8.domain import people
from bloxtr8.entities import Identity, OAuthState, Session, User
from bloxtr8.lambdas import entrypoint, http_app
from bloxtr8.outside import discord
from bloxtr8.shapes import Body, OAuthCode, StateText, Verifier
from bloxtr8.views.people import SignedIn, SignedInUser

app = http_app()


class FinishDiscordLogin(Body):
    code: OAuthCode
    state: StateText
    verifier: Verifier


@app.post("/auth/discord/finish", summary="Sign in with what Discord sent back", tags=["people"])
def finish_discord_login(body: FinishDiscordLogin) -> SignedIn:
    state = people.check_login(table.take(OAuthState, state=body.state), body.verifier, clock.now())
    found = discord.exchange(body.code, state.redirect_uri)
    session = again(lambda: _sign_in(found))  # the state is spent: the loser of a race reads the winner's user here
    user = SignedInUser(id=session.user_id, discord_id=found.id, username=found.username, avatar=found.avatar)
    return SignedIn.of(sessions.tokens_for(session), user)


def _sign_in(found: discord.DiscordUser) -> Session:
    """A session of the user behind a Discord account: found, renamed where Discord shows another name, or made."""
    mark = table.find(Identity, provider=people.DISCORD, value=found.id)
    if mark is not None and mark.seen_as == people.seen_as(found.username, found.avatar):
        session = sessions.open_session(mark.user_id)
        table.remember(session)
        return session
    if mark is None:
        user, *rows = people.newcomer(found.id, found.username, found.avatar, clock.now())
    else:
        user, rows = table.get(User, id=mark.user_id), [mark]
        people.rename(user, mark, found.username, found.avatar)
    session = sessions.open_session(user.id)
    table.commit(user, *rows, session, action="finish_discord_login", actor=Actor(user.id))
    return session


lambda_handler = entrypoint(app)
