"""PATCH /me: the caller's contact data, unverified; null forgets it."""

from bloxtr8 import table
from bloxtr8.entities import Deals, User
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Email, Phone
from bloxtr8.views.people import Profile

app = http_app()


class UpdateMe(Body):
    email: Email | None = None
    phone: Phone | None = None


@app.patch("/me", summary="Change the own contact data", tags=["people"])
def update_me(body: UpdateMe, actor: CurrentActor) -> Profile:
    user, deals = table.load(table.ref(User, id=actor.id), table.ref(Deals, user_id=actor.id))
    actor.expects(user)
    changed = sorted(name for name in body.model_fields_set if getattr(user, name) != getattr(body, name))
    if not changed:
        return Profile.of(user, deals)
    for name in changed:
        setattr(user, name, getattr(body, name))
    return table.commit(
        user,
        action="update_me",
        actor=actor,
        details={"fields": changed},  # which, never what: an audit entry is forever
        answer=lambda: Profile.of(user, deals),
    )


lambda_handler = entrypoint(app)
