"""`mock_aws` for a client that is not botocore's: what it would have sent over the network, moto answers."""

from collections.abc import Mapping
from typing import NamedTuple

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.exceptions import HTTPException
from moto.core.models import botocore_stubber
from moto.core.request import Request
from moto.dynamodb.responses import DynamoHandler

_TABLE = "https://dynamodb."


class Answer(NamedTuple):
    """Status, headers and body, as over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def answer(url: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
    """Moto's answer to a POST, or None outside of `mock_aws`. DynamoDB's, which are most, go there without a look at
    the addresses of all services."""
    if url.startswith(_TABLE) and botocore_stubber.enabled:
        return _of_the_table(Request.from_primitives("POST", url, headers, body))
    asked = HTTPHeaders()
    for name, value in headers.items():
        asked[name] = value
    request = AWSPreparedRequest("POST", url, asked, body, stream_output=False)
    found = botocore_stubber("before-send", request)
    return None if found is None else Answer(found.status_code, found.headers, found.content)


def _of_the_table(request: Request) -> Answer:
    try:
        status, headers, said = DynamoHandler.dispatch(request, request.raw_url, request.headers)
    except HTTPException as refusal:
        status, headers, said = refusal.code, refusal.get_headers(), refusal.get_body()
    return Answer(status, HTTPHeaders.from_dict(dict(headers)), said.encode() if isinstance(said, str) else said)
