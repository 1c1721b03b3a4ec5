"""POST /auth/logout: the caller's session ends, or with `all` every session of the caller."""

from pydantic import StrictBool

from bloxtr8 import sessions
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body

app = http_app()


class EndSession(Body):
    all: StrictBool = False


@app.post("/auth/logout", status_code=204, summary="Sign out", tags=["people"])
def end_session(actor: CurrentActor, body: EndSession | None = None) -> None:
    if body and body.all:
        sessions.end_all(actor)
    elif actor.session_id:
        sessions.end(actor.id, actor.session_id)


lambda_handler = entrypoint(app)
