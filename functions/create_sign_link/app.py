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
    contract, user = reads.signing(contract_id, actor)
    role = contracts.party(contract, actor)
    contracts.check_signer(contract, "create_sign_link", role, user, clock.now())
    token, expires_at = sign_links.create(contract_id, actor.id)
    return SignLink(token=token, expires_at=expires_at)


lambda_handler = entrypoint(app)
