"""GET /me/contracts: the caller's contracts as buyer or as seller, newest first."""

from typing import Literal

from bloxtr8 import paging, table
from bloxtr8.entities import Contract
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.paging import Cursor, Limit, Listed
from bloxtr8.views.contract import ContractSummary

app = http_app()
SHELVES = {"buyer": "gsi1", "seller": "gsi2"}


@app.get("/me/contracts", summary="My contracts", tags=["contracts"])
def list_my_contracts(
    actor: CurrentActor, role: Literal["buyer", "seller"] = "buyer", limit: Limit = 20, cursor: Cursor = None
) -> Listed[ContractSummary]:
    scope = f"list_my_contracts {actor.id} {role}"
    start = paging.opened(cursor, scope)
    page = table.page(Contract, SHELVES[role], f"USER#{actor.id}#CONTRACT", limit=limit, start=start)
    return paging.listed(page, ContractSummary.summary, scope)


lambda_handler = entrypoint(app)
