"""AWS's Signature Version 4 of a JSON request: a POST to `/` whose query is empty, all of its headers signed.

The algorithm is AWS's "Create a signed AWS API request"; botocore's own signer is the test's oracle.
"""

import functools
import hashlib
import hmac
import os
import time
from collections.abc import Mapping

_ALGORITHM = "AWS4-HMAC-SHA256"


def signed(headers: Mapping[str, str], body: bytes, *, service: str, region: str, host: str) -> dict[str, str]:
    """`headers`, which have lower-case names, with date, token and signature. The keys are read from the environment
    each time, where Lambda puts them. Raises KeyError where there are none."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())  # AWS's time, not the platform's, which tests move
    all_headers = {**headers, "host": host, "x-amz-date": moment}
    token = os.environ.get("AWS_SESSION_TOKEN")
    if token:
        all_headers["x-amz-security-token"] = token
    names = sorted(all_headers)
    listed = ";".join(names)
    lines = "".join(f"{name}:{' '.join(all_headers[name].split())}\n" for name in names)
    request = f"POST\n/\n\n{lines}\n{listed}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    text = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = _key(os.environ["AWS_SECRET_ACCESS_KEY"], moment[:8], region, service)
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    all_headers["authorization"] = f"{_ALGORITHM} {credential}, SignedHeaders={listed}, Signature={signature}"
    return all_headers


@functools.lru_cache(maxsize=8)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key of a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
