"""GET /health: the platform answers, and says which version it is."""

from bloxtr8 import config
from bloxtr8.lambdas import entrypoint, http_app
from bloxtr8.shapes import View

app = http_app()


class Health(View):
    ok: bool
    version: str


@app.get("/health", summary="Is the platform up?", tags=["oversight"])
def get_health() -> Health:
    return Health(ok=True, version=config.settings().version)


lambda_handler = entrypoint(app)
