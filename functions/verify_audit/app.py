"""GET /audit/verify: is a chain whole and untouched? For compliance, and for a party its own escrow."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from bloxtr8 import auditing
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.audit import VerdictView

app = http_app()


@app.get("/audit/verify", summary="Verify an audit chain", tags=["oversight"])
def verify_audit(actor: CurrentActor, entity: Annotated[str, Query(max_length=64)]) -> VerdictView:
    return VerdictView.of(auditing.verify(entity, actor))


lambda_handler = entrypoint(app)
