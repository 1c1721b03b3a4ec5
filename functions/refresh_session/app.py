"""POST /auth/refresh: a new pair of tokens; the old refresh token is spent, and coming back it ends the session."""

from bloxtr8 import sessions
from bloxtr8.lambdas import entrypoint, http_app
from bloxtr8.shapes import Body, TokenText
from bloxtr8.views.people import TokenPair

app = http_app()


class RefreshSession(Body):
    refresh_token: TokenText


@app.post("/auth/refresh", summary="New tokens for a refresh token", tags=["people"])
def refresh_session(body: RefreshSession) -> TokenPair:
    return TokenPair.model_validate(sessions.refresh(body.refresh_token))


lambda_handler = entrypoint(app)
