"""POST /contracts/{contract_id}/sign: a party agrees to one sha256; the second signature opens the escrow."""

from typing import Literal

from bloxtr8 import signing
from bloxtr8.entities import SignMethod
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Sha256
from bloxtr8.views.contract import SignedView

app = http_app()


class SignContract(Body):
    sha256: Sha256
    consent: Literal["I AGREE"]


@app.post("/contracts/<contract_id>/sign", status_code=201, summary="Sign", tags=["contracts"])
def sign_contract(contract_id: str, body: SignContract, actor: CurrentActor) -> SignedView:
    return signing.sign(contract_id, "sign_contract", sha256=body.sha256, method=SignMethod.API, actor=actor)


lambda_handler = entrypoint(app)
