"""`mock_aws` for a client that is not botocore's: what it would have sent over the network, moto answers."""

from collections.abc import Mapping
from typing import NamedTuple

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber


class Answer(NamedTuple):
    """Status, headers and body, as over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def answer(url: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
    """Moto's answer to a POST, or None outside of `mock_aws`."""
    asked = HTTPHeaders()
    for name, value in headers.items():
        asked[name] = value
    request = AWSPreparedRequest("POST", url, asked, body, stream_output=False)
    found = botocore_stubber("before-send", request)
    return None if found is None else Answer(found.status_code, found.headers, found.content)
