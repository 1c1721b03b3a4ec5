"""PUT /me/wallet: a wallet that is proven and screened becomes the caller's, in place of an earlier one (M06, M07)."""

from typing import Any

from bloxtr8 import clock, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import again
from bloxtr8.domain import wallets
from bloxtr8.entities import Deals, Identity, User, WalletNonce
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.outside import screening, signatures
from bloxtr8.shapes import AddressText, Body, NonceText, SignatureText
from bloxtr8.views.people import LinkedWallet

app = http_app()


class LinkWallet(Body):
    address: AddressText
    signature: SignatureText
    nonce: NonceText


@app.put("/me/wallet", summary="Link the wallet that signed the message", tags=["people"])
def link_wallet(body: LinkWallet, actor: CurrentActor) -> LinkedWallet:
    user, deals = _person(actor)
    actor.expects(user)
    wallets.check_linkable(user, deals, clock.now())
    spent = table.take(WalletNonce, nonce=body.nonce)
    challenge = wallets.check_challenge(spent, actor.id, body.address, clock.now())
    signatures.check(challenge.address, challenge.message, bytes.fromhex(body.signature[2:]))
    found = screening.screen(challenge.address).evidence
    return again(lambda: _link(challenge.address, found, actor))  # the nonce is spent: a lost race is run again here


def _link(address: str, found: dict[str, Any], actor: Actor) -> LinkedWallet:
    user, deals = _person(actor)
    mark, old = table.load(_place(address), _place(user.wallet or address))
    new = wallets.link(user, deals, mark, address, found, clock.now())
    return table.commit(
        user,
        *([new] if new else []),
        action="link_wallet",
        actor=actor,
        details=found,
        checks=[deals],  # an accept saves it
        deletes=[old] if old and old is not mark else [],
        answer=lambda: LinkedWallet.of(user),
    )


def _person(actor: Actor) -> tuple[User, Deals]:
    return table.load(table.ref(User, id=actor.id), table.ref(Deals, user_id=actor.id))


def _place(address: str) -> table.Ref[Identity]:
    return table.ref(Identity, provider=wallets.WALLET, value=address)


lambda_handler = entrypoint(app)
