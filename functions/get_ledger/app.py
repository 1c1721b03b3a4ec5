"""GET /escrows/{escrow_id}/ledger: every line, the sum of every account, and whether it all agrees."""

from bloxtr8 import reads
from bloxtr8.domain import ledger
from bloxtr8.entities import PlatformRole
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.ledger import LedgerView

app = http_app()


@app.get("/escrows/<escrow_id>/ledger", summary="The ledger of an escrow", tags=["escrows"])
def get_ledger(escrow_id: str, actor: CurrentActor) -> LedgerView:
    file = reads.escrow_for(escrow_id, actor, *PlatformRole)
    return LedgerView.of(file, ledger.balance(file.escrow, file.ledger))


lambda_handler = entrypoint(app)
