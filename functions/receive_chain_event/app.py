"""POST /webhooks/chain: verify over the raw bytes, store, answer. Only a hint: what is true, the chain is asked."""

import base64

from bloxtr8 import clock, config, receiving
from bloxtr8.lambdas import entrypoint, http_app
from bloxtr8.rails.usdc import hooks
from bloxtr8.shapes import View

app = http_app()


class Hinted(View):
    received: bool
    hints: int
    new: int


@app.post("/webhooks/chain", summary="Deposits on chain, as a provider tells them", tags=["webhooks"])
def receive_chain_event() -> Hinted:
    request = app.current_event
    body = request.body or ""
    raw = base64.b64decode(body) if request.is_base64_encoded else body.encode()
    hints = hooks.read(raw, request.headers, config.secret("chain").get("webhookSigningKeys", []), clock.now())
    return Hinted(received=True, hints=len(hints), new=receiving.store_hints(hints))


lambda_handler = entrypoint(app)
