"""POST /contracts/{contract_id}/sign-link: a party makes a link to sign with, for itself alone (M35)."""

from bloxtr8 import clock, reads, sign_links
from bloxtr8.domain import contracts
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Moment, View

app = http_app()


class SignLink(View):
    """The token is shown once; only its hash is kept."""

    token: str
    expires_at: Moment


@app.post("/contracts/<contract_id>/sign-link", status_code=201, summary="A link to sign with", tags=["contracts"])
def create_sign_link(contract_id: str, actor: CurrentActor) -> SignLink:
    file = reads.contract(contract_id)
    role = contracts.party(file.contract, actor)
    contracts.check_signing(file, "create_sign_link", role, actor, clock.now())
    token, expires_at = sign_links.create(contract_id, actor.id)
    return SignLink(token=token, expires_at=expires_at)


lambda_handler = entrypoint(app)
