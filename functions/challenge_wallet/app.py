"""POST /me/wallet/challenge: a message for the caller's wallet to sign, good once and for ten minutes (M06)."""

from bloxtr8 import clock, table
from bloxtr8.domain import wallets
from bloxtr8.entities import User
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import AddressText, Body
from bloxtr8.views.people import WalletChallenge

app = http_app()


class ChallengeWallet(Body):
    address: AddressText


@app.post("/me/wallet/challenge", summary="A message that proves a wallet, to be signed", tags=["people"])
def challenge_wallet(body: ChallengeWallet, actor: CurrentActor) -> WalletChallenge:
    challenge = wallets.challenge(table.get(User, id=actor.id), body.address, clock.now())
    table.remember(challenge)
    return WalletChallenge.of(challenge)


lambda_handler = entrypoint(app)
