"""GET /reconciliation/{date}: where the ledger, Stripe and the chain differed on a day."""

import re

from bloxtr8 import table
from bloxtr8.domain import people
from bloxtr8.entities import PlatformRole, Reconciliation, User
from bloxtr8.errors import NotFound
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.reconciliation import ReconciliationView

app = http_app()
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@app.get("/reconciliation/<date>", summary="A day's reconciliation", tags=["oversight"])
def get_reconciliation(date: str, actor: CurrentActor) -> ReconciliationView:
    people.check_role(table.get(User, id=actor.id), PlatformRole.COMPLIANCE)
    if not DAY.fullmatch(date):
        raise NotFound("There is no such day.")
    return ReconciliationView.of(table.get(Reconciliation, day=date))


lambda_handler = entrypoint(app)
