"""GET /escrows/{escrow_id}: status, money, deliveries and deadlines, for its parties and the staff who decide."""

from bloxtr8 import reads
from bloxtr8.entities import PlatformRole
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.escrow import EscrowView

app = http_app()
STAFF = (PlatformRole.ARBITER, PlatformRole.COMPLIANCE, PlatformRole.PADMIN)  # the last sees to what was parked


@app.get("/escrows/<escrow_id>", summary="An escrow", tags=["escrows"])
def get_escrow(escrow_id: str, actor: CurrentActor) -> EscrowView:
    return EscrowView.of(*reads.escrow_seen(escrow_id, actor, *STAFF))


lambda_handler = entrypoint(app)
