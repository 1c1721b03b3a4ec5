"""S3: a conditional PUT is atomic, and its sha256 is checked and kept.

Moto looks, then stores, so that two writers at a time both come first. It overlooks `x-amz-checksum-sha256` where the
SDK's own header is not beside it, as with a presigned link, and never compares it with the bytes.
"""

import base64
import functools
import hashlib
import threading
from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response

_LOCK = threading.RLock()
_SHA256 = "x-amz-checksum-sha256"


def apply() -> None:
    """Let one PUT of an object happen at a time, and refuse other bytes than those that were named."""
    plain = S3Response.put_object
    plain_checksum = S3Response._get_checksum

    @functools.wraps(plain)
    def put_object(self: S3Response) -> Any:
        with _LOCK:
            return plain(self)

    @functools.wraps(plain_checksum)
    def _get_checksum(self: S3Response, response_headers: dict[str, Any]) -> tuple[str, str | None]:
        named = self.headers.get(_SHA256)
        if not named:
            return plain_checksum(self, response_headers)
        if base64.b64encode(hashlib.sha256(self.body or b"").digest()).decode() != named:
            raise S3ClientError("BadDigest", "The SHA256 you specified did not match the calculated checksum.")
        response_headers[_SHA256] = named
        return "SHA256", named

    S3Response.put_object = put_object  # type: ignore[method-assign]
    S3Response._get_checksum = _get_checksum  # type: ignore[method-assign]
