"""GET /disputes: what waits for an arbiter, the oldest first."""

from typing import Literal

from bloxtr8 import paging, table
from bloxtr8.domain import people
from bloxtr8.entities import Dispute, PlatformRole, User
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.paging import Cursor, Limit, Listed
from bloxtr8.views.dispute import DisputeSummary

app = http_app()


@app.get("/disputes", summary="Disputes", tags=["escrows"])
def list_disputes(
    actor: CurrentActor,
    status: Literal["OPEN", "IN_REVIEW", "RESOLVED", "CLOSED"] = "OPEN",
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Listed[DisputeSummary]:
    people.check_role(table.get(User, id=actor.id), PlatformRole.ARBITER, PlatformRole.SUPPORT)
    scope = f"list_disputes {actor.id} {status}"
    start = paging.opened(cursor, scope)
    page = table.page(Dispute, "gsi3", f"QUEUE#DISPUTE#{status}", limit=limit, start=start, newest_first=False)
    return paging.listed(page, DisputeSummary.model_validate, scope)


lambda_handler = entrypoint(app)
