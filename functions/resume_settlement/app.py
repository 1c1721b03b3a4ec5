"""POST /staff/escrows/{escrow_id}/resume: an administrator lets parked settlements go on, as their next run; what a
hold or a finding about a wallet stopped is COMPLIANCE's alone (decide_hold)."""

from bloxtr8 import clock, sagas, table, voters
from bloxtr8.domain import compliance, manual_payments, resuming, settlements
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.manual_payments import Asker
from bloxtr8.entities import PlatformRole
from bloxtr8.lambdas import KeyedActor, entrypoint, http_app
from bloxtr8.shapes import Body, Reason
from bloxtr8.views.escrow import EscrowView

app = http_app()


class ResumeSettlement(Body):
    reason: Reason


@app.post("/staff/escrows/<escrow_id>/resume", status_code=202, summary="Resume what was parked", tags=["escrows"])
def resume_settlement(escrow_id: str, body: ResumeSettlement, actor: KeyedActor) -> EscrowView:
    file, eligible, _ = voters.read(escrow_id, actor, PlatformRole.PADMIN, voted=manual_payments.voters)
    compliance.check_no_party(file.escrow, actor)
    actor.expects(file.escrow)
    acting = actor.acting_as(Role.PADMIN)
    resumed = resuming.resume_all(file, acting, clock.now())
    view = table.commit(
        file.escrow,
        *resumed,
        action="resume_settlement",
        actor=acting,
        details={"reason": body.reason},
        answer=lambda: EscrowView.of(file, [Role.PADMIN], Asker(actor.id, eligible)),
    )
    with sagas.after_commit():
        for settlement in settlements.live(file):
            sagas.react(settlement, actor)
    return view


lambda_handler = entrypoint(app)
