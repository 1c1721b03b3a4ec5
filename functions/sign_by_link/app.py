"""POST /contracts/sign-by-link: sign with a link's token. The token is spent by this, whatever comes of it."""

from dataclasses import replace
from typing import Literal

from bloxtr8 import sign_links, signing
from bloxtr8.entities import SignMethod
from bloxtr8.errors import Conflict, StaleWrite
from bloxtr8.lambdas import PublicActor, again, entrypoint, http_app
from bloxtr8.shapes import Body, Sha256, TokenText
from bloxtr8.views.contract import SignedView

app = http_app()


class SignByLink(Body):
    token: TokenText
    sha256: Sha256
    consent: Literal["I AGREE"]


@app.post("/contracts/sign-by-link", status_code=201, summary="Sign with a link", tags=["contracts"])
def sign_by_link(body: SignByLink, visitor: PublicActor) -> SignedView:
    link = sign_links.burn(body.token)
    signer = replace(visitor, id=link.user_id)

    def sign() -> SignedView:
        return signing.sign(link.contract_id, "sign_by_link", sha256=body.sha256, method=SignMethod.LINK, actor=signer)

    try:
        return again(sign)
    except StaleWrite:  # not run again from the top: the token is spent
        raise Conflict("Somebody else was faster. Ask for a new link.") from None


lambda_handler = entrypoint(app)
