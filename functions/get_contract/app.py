"""GET /contracts/{contract_id}: the frozen terms, the signatures, and what may be done next."""

from bloxtr8 import reads
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.contract import ContractView

app = http_app()


@app.get("/contracts/<contract_id>", summary="A contract", tags=["contracts"])
def get_contract(contract_id: str, actor: CurrentActor) -> ContractView:
    return ContractView.of(reads.contract_for(contract_id, actor), actor)


lambda_handler = entrypoint(app)
