"""GET /users/{user_id}: what everybody who signed in may know of a person."""

from bloxtr8 import table
from bloxtr8.entities import Deals, User
from bloxtr8.errors import NotFound
from bloxtr8.ids import is_id
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.people import Card

app = http_app()


@app.get("/users/<user_id>", summary="The public card of a person", tags=["people"])
def get_user(user_id: str, _: CurrentActor) -> Card:
    if not is_id(user_id, "usr"):
        raise NotFound("There is no such user.")
    user, deals = table.load(table.ref(User, id=user_id), table.ref(Deals, user_id=user_id))
    if user is None:
        raise NotFound("There is no such user.")
    return Card.of(user, deals)


lambda_handler = entrypoint(app)
