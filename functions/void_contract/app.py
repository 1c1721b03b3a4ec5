"""POST /contracts/{contract_id}/void: a party steps back before both have signed; the listing is free again."""

from bloxtr8 import clock, reads
from bloxtr8.domain import contracts
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Reason
from bloxtr8.views.contract import ContractView
from bloxtr8.voiding import void

app = http_app()


class VoidContract(Body):
    reason: Reason


@app.post("/contracts/<contract_id>/void", summary="Step back", tags=["contracts"])
def void_contract(contract_id: str, body: VoidContract, actor: CurrentActor) -> ContractView:
    file = reads.contract(contract_id)
    role = contracts.party(file.contract, actor)
    actor.expects(file.contract)
    contracts.void(file.contract, "void_contract", role, body.reason, clock.now())
    return void(file, "void_contract", actor, body.reason, answer=lambda: ContractView.of(file, actor))


lambda_handler = entrypoint(app)
