"""GET /openapi.json: what the API takes and answers; GET /docs renders it."""

from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import Response

from bloxtr8.lambdas import entrypoint, http_app

app = http_app()
DOCUMENT = Path(__file__).with_name("openapi.json")


@app.get("/openapi.json", summary="This document", tags=["oversight"])
def get_openapi() -> Response[Any]:
    return Response(200, "application/json", DOCUMENT.read_text())


@app.get("/docs", include_in_schema=False)
def docs_page() -> Response[Any]:
    from bloxtr8.docs_page import page  # the renderer's script is large: only a person who looks pays for it

    return Response(200, "text/html; charset=utf-8", page(DOCUMENT.read_text()))


lambda_handler = entrypoint(app)
