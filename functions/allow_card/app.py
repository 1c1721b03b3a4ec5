"""POST /staff/users/{user_id}/card: COMPLIANCE lets somebody pay by card again whose bank has taken a payment back."""

from bloxtr8 import table
from bloxtr8.domain import kyc, people
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Deals, PlatformRole, User
from bloxtr8.errors import Forbidden, NotFound
from bloxtr8.ids import is_id
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.shapes import Body, Reason
from bloxtr8.views.people import CardAllowed

app = http_app()


class AllowCard(Body):
    reason: Reason


@app.post("/staff/users/<user_id>/card", summary="Let somebody pay by card again", tags=["people"])
def allow_card(user_id: str, body: AllowCard, actor: KeyedActor) -> CardAllowed:
    people.check_role(table.get(User, id=actor.id), PlatformRole.COMPLIANCE)
    if user_id == actor.id:
        raise Forbidden("Nobody decides about himself.", "CONFLICT_OF_INTEREST")
    if not is_id(user_id, "usr"):
        raise NotFound("There is no such user.")
    user, deals = table.load(table.ref(User, id=user_id), table.ref(Deals, user_id=user_id))
    if user is None:
        raise NotFound("There is no such user.")
    actor.expects(user)
    causes = kyc.allow_card(deals)
    if not causes:
        return CardAllowed.of(user)
    return table.commit(
        user,
        deals,
        action="allow_card",
        actor=actor.acting_as(Role.COMPLIANCE),
        details={"reason": body.reason, "chargebacks": causes},
        answer=lambda: CardAllowed.of(user),
    )


lambda_handler = entrypoint(app)
