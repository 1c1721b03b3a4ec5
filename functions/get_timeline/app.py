"""GET /escrows/{escrow_id}/timeline: the audit path of the trade, from the first offer to the end, in order."""

from bloxtr8 import reads
from bloxtr8.entities import PlatformRole
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.audit import TimelineView

app = http_app()


@app.get("/escrows/<escrow_id>/timeline", summary="The story of a trade", tags=["escrows"])
def get_timeline(escrow_id: str, actor: CurrentActor) -> TimelineView:
    file = reads.escrow_for(escrow_id, actor, *PlatformRole)
    return TimelineView.of(reads.trade_audit(file.escrow), file.escrow)


lambda_handler = entrypoint(app)
