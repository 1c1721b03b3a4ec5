"""GET /me: everything the platform knows about the caller."""

from bloxtr8 import table
from bloxtr8.entities import Deals, User
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.people import Profile

app = http_app()


@app.get("/me", summary="The caller's own profile", tags=["people"])
def get_me(actor: CurrentActor) -> Profile:
    user, deals = table.load(table.ref(User, id=actor.id), table.ref(Deals, user_id=actor.id))
    return Profile.of(user, deals)


lambda_handler = entrypoint(app)
