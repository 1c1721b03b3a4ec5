"""GET /escrows/{escrow_id}/timeline: the audit path of the trade, from the first offer to the end, in order."""

from bloxtr8 import paging, reads, timelines
from bloxtr8.entities import PlatformRole
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.paging import Cursor, Limit
from bloxtr8.views.audit import EntryView, TimelineView

app = http_app()


@app.get("/escrows/<escrow_id>/timeline", summary="The story of a trade", tags=["escrows"])
def get_timeline(escrow_id: str, actor: CurrentActor, limit: Limit = 50, cursor: Cursor = None) -> TimelineView:
    file = reads.escrow_for(escrow_id, actor, *PlatformRole)
    scope = f"get_timeline {actor.id} {escrow_id}"
    found = timelines.stretch(file.escrow, limit, paging.opened(cursor, scope))
    return TimelineView(
        items=[EntryView.model_validate(entry) for entry in found.entries],
        next_cursor=paging.sealed(found.after, scope),
        verified=found.verified,
    )


lambda_handler = entrypoint(app)
