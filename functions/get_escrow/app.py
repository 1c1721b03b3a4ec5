"""GET /escrows/{escrow_id}: status, money, deliveries and deadlines, for its parties and the staff who decide."""

from bloxtr8 import clock, reads, voters
from bloxtr8.actors import Actor
from bloxtr8.domain import kyc, manual_payments
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.manual_payments import Asker
from bloxtr8.entities import PlatformRole
from bloxtr8.errors import Forbidden
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.escrow import EscrowView

app = http_app()
PAY = "start_payment"
STAFF = (PlatformRole.ARBITER, PlatformRole.COMPLIANCE, PlatformRole.PADMIN)  # the last sees to what was parked


@app.get("/escrows/<escrow_id>", summary="An escrow", tags=["escrows"])
def get_escrow(escrow_id: str, actor: CurrentActor) -> EscrowView:
    file, roles = reads.escrow_seen(escrow_id, actor, *STAFF)
    view = EscrowView.of(file, roles, _asker(file, actor) if Role.PADMIN in roles else None)
    if PAY in view.allowed_actions and not _may_pay(file):
        view.allowed_actions.remove(PAY)
    return view


def _may_pay(file: EscrowFile) -> bool:
    """What the buyer's own rows say of it, which no other escrow's view needs."""
    try:
        kyc.check_pays(file.escrow, *reads.sides(file.escrow), clock.now())
    except Forbidden:
        return False
    return True


def _asker(file: EscrowFile, actor: Actor) -> Asker:
    others = manual_payments.voters(file) - {actor.id}
    return Asker(actor.id, {actor.id, *voters.among(others, PlatformRole.PADMIN)})


lambda_handler = entrypoint(app)
