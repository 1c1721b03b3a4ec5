"""GET /me/escrows: the caller's escrows as buyer or as seller, newest first."""

from typing import Literal

from bloxtr8 import paging, table
from bloxtr8.entities import Escrow
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.paging import Cursor, Limit, Listed
from bloxtr8.views.escrow import EscrowSummary

app = http_app()
SHELVES = {"buyer": "gsi1", "seller": "gsi2"}


@app.get("/me/escrows", summary="My escrows", tags=["escrows"])
def list_my_escrows(
    actor: CurrentActor, role: Literal["buyer", "seller"] = "buyer", limit: Limit = 20, cursor: Cursor = None
) -> Listed[EscrowSummary]:
    scope = f"list_my_escrows {actor.id} {role}"
    start = paging.opened(cursor, scope)
    page = table.page(Escrow, SHELVES[role], f"USER#{actor.id}#ESCROW", limit=limit, start=start)
    return paging.listed(page, EscrowSummary.model_validate, scope)


lambda_handler = entrypoint(app)
