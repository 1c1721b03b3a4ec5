"""POST /contracts/sign-by-link: sign with a link's token. The token is spent by this, whatever comes of it."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import StringConstraints

from bloxtr8 import sign_links, signing
from bloxtr8.entities import SignMethod
from bloxtr8.lambdas import PublicActor, entrypoint, http_app
from bloxtr8.shapes import Body, Sha256
from bloxtr8.views.contract import SignedView

app = http_app()


class SignByLink(Body):
    token: Annotated[str, StringConstraints(min_length=20, max_length=100)]
    sha256: Sha256
    consent: Literal["I AGREE"]


@app.post("/contracts/sign-by-link", status_code=201, summary="Sign with a link", tags=["contracts"])
def sign_by_link(body: SignByLink, visitor: PublicActor) -> SignedView:
    link = sign_links.burn(body.token)
    signer = replace(visitor, id=link.user_id)
    return signing.sign(link.contract_id, "sign_by_link", sha256=body.sha256, method=SignMethod.LINK, actor=signer)


lambda_handler = entrypoint(app)
