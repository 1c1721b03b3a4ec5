"""S3: a conditional PUT is atomic. Moto looks, then stores, so that two writers at a time both come first."""

import functools
import threading
from typing import Any

from moto.s3.responses import S3Response

_LOCK = threading.RLock()


def apply() -> None:
    """Let one PUT of an object happen at a time."""
    plain = S3Response.put_object

    @functools.wraps(plain)
    def put_object(self: S3Response) -> Any:
        with _LOCK:
            return plain(self)

    S3Response.put_object = put_object  # type: ignore[method-assign]
