"""`mock_aws` for a client that is not botocore's: what it would have sent over the network, moto answers."""

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import HTTPException
from moto.core.models import botocore_stubber
from moto.core.responses import ActionResult
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.responses import DynamoHandler

from local.motofix import dynamodb, reads

_TABLE = "https://dynamodb."


class Answer(NamedTuple):
    """Status, headers and body, as over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def answer(url: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
    """Moto's answer to a POST, or None outside of `mock_aws`. DynamoDB's, which are most, go there without a look at
    the addresses of all services, and without an HTTP request around them."""
    if url.startswith(_TABLE) and botocore_stubber.enabled and b'"B"' not in body:
        return _read(url, headers, body) or _of_the_table(_Handler(url, headers, body))
    asked = HTTPHeaders()
    for name, value in headers.items():
        asked[name] = value
    request = AWSPreparedRequest("POST", url, asked, body, stream_output=False)
    found = botocore_stubber("before-send", request)
    return None if found is None else Answer(found.status_code, found.headers, found.content)


class _Handler(DynamoHandler):
    """Moto's handler of one request, whose arguments and results are JSON as they are: no bytes are among them."""

    def __init__(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__()
        self.region, self.current_account = url.split(".")[1], DEFAULT_ACCOUNT_ID
        self.headers, self.querystring = HTTPHeaders.from_dict(dict(headers)), {}
        self.params = json.loads(body or b"{}")
        self.response_headers = {}

    def serialized(self, action_result: ActionResult) -> Any:
        """Moto walks through a result by its model; an error needs that to become one of the service's."""
        result = action_result.result
        if not isinstance(result, dict):
            return super().serialized(action_result)
        told = {name: value for name, value in result.items() if value is not None}
        return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(told, default=_plain)

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        return headers, body


def _read(url: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
    """Its rows, where it is asked for them as the platform does."""
    tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][url.split(".")[1]].tables
    with dynamodb.LOCK:
        said = reads.answer(tables, headers["x-amz-target"].partition(".")[2], body)
    return None if said is None else Answer(200, {"x-amz-crc32": str(zlib.crc32(said))}, said)


def _of_the_table(handler: _Handler) -> Answer:
    try:
        status, headers, said = handler.call_action()
    except HTTPException as refusal:
        status, headers, said = refusal.code, refusal.get_headers(), refusal.get_body()
    return Answer(status, HTTPHeaders.from_dict(dict(headers)), said.encode() if isinstance(said, str) else said)


def _plain(value: Any) -> Any:
    return value.to_json() if isinstance(value, DynamoType) else base64.b64encode(value).decode()
