"""POST /webhooks/stripe: verify over the raw bytes, store, answer. It never acts: the stream hands the row on."""

import base64

from bloxtr8 import clock, config, receiving
from bloxtr8.lambdas import entrypoint, http_app
from bloxtr8.rails import stripe_webhooks
from bloxtr8.shapes import View

app = http_app()


class Received(View):
    received: bool
    duplicate: bool


@app.post("/webhooks/stripe", summary="Stripe's events", tags=["webhooks"])
def receive_stripe_event() -> Received:
    request = app.current_event
    body = request.body or ""
    raw = base64.b64decode(body) if request.is_base64_encoded else body.encode()
    secrets = config.secret("stripe")["webhookSecrets"]
    event = stripe_webhooks.verify(raw, request.headers.get("stripe-signature"), secrets, clock.now())
    return Received(received=True, duplicate=not receiving.store(event, raw))


lambda_handler = entrypoint(app)
