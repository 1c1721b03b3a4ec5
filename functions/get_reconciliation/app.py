"""GET /reconciliation/{date}: where the ledger, Stripe and the chain differed on a day."""

from bloxtr8 import table
from bloxtr8.domain import people
from bloxtr8.entities import PlatformRole, Reconciliation, User
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Day
from bloxtr8.views.reconciliation import ReconciliationView

app = http_app()


@app.get("/reconciliation/<date>", summary="A day's reconciliation", tags=["oversight"])
def get_reconciliation(date: Day, actor: CurrentActor) -> ReconciliationView:
    people.check_role(table.get(User, id=actor.id), PlatformRole.COMPLIANCE)
    return ReconciliationView.of(table.get(Reconciliation, day=date.isoformat()))


lambda_handler = entrypoint(app)
