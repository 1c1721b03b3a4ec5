"""PUT /me/wallet: a wallet that is proven and screened becomes the caller's, in place of an earlier one (M06, M07)."""

from bloxtr8 import clock, table
from bloxtr8.domain import wallets
from bloxtr8.entities import Deals, Identity, User, WalletNonce
from bloxtr8.errors import Unauthenticated
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
    user, deals, asked, mark = table.load(
        table.ref(User, id=actor.id),
        table.ref(Deals, user_id=actor.id),
        table.ref(WalletNonce, nonce=body.nonce),
        table.ref(Identity, provider=wallets.WALLET, value=body.address.lower()),
    )
    actor.expects(user)
    wallets.check_linkable(user, deals, clock.now())
    challenge = wallets.check_challenge(asked, actor.id, body.address, clock.now())
    _check_signature(challenge, body.signature)
    found = screening.screen(challenge.address).evidence
    other = user.wallet not in {None, challenge.address}
    old = table.find(Identity, provider=wallets.WALLET, value=user.wallet) if other else None
    new = wallets.link(user, deals, mark, challenge.address, found, clock.now())
    return table.commit(
        user,
        *([new] if new else []),
        action="link_wallet",
        actor=actor,
        details=found,
        checks=[deals],  # an accept saves it
        deletes=[challenge, *([old] if old else [])],  # of two uses of one message one is committed
        answer=lambda: LinkedWallet.of(user),
    )


def _check_signature(challenge: WalletNonce, signature: str) -> None:
    """A message is spent by a wrong signature as well."""
    try:
        signatures.check(challenge.address, challenge.message, bytes.fromhex(signature[2:]))
    except Unauthenticated:
        table.take(WalletNonce, nonce=challenge.nonce)
        raise


lambda_handler = entrypoint(app)
