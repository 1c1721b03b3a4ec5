"""KMS: MessageType=DIGEST signs the digest as it is; moto hashes it once more, and nobody can verify it (PR 10202)."""

import functools
import threading
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from moto.kms import utils
from moto.kms.responses import KmsResponse

_request = threading.local()


class _CurvesOfRequest:
    """`cryptography`'s ec module, whose ECDSA takes the message for a digest while such a request is served."""

    def __getattr__(self, name: str) -> Any:
        return getattr(ec, name)

    def ECDSA(self, algorithm: Any) -> ec.ECDSA:  # noqa: N802 (the name moto calls)
        return ec.ECDSA(Prehashed(algorithm) if getattr(_request, "is_digest", False) else algorithm)


def _of_kind(method: Callable[[KmsResponse], Any]) -> Callable[[KmsResponse], Any]:
    @functools.wraps(method)
    def wrapped(self: KmsResponse) -> Any:
        _request.is_digest = self._get_param("MessageType") == "DIGEST"
        try:
            return method(self)
        finally:
            _request.is_digest = False

    return wrapped


def apply() -> None:
    """Let Sign and Verify respect MessageType."""
    KmsResponse.sign = _of_kind(KmsResponse.sign)  # type: ignore[method-assign, assignment]
    KmsResponse.verify = _of_kind(KmsResponse.verify)  # type: ignore[method-assign, assignment]
    utils.ec = _CurvesOfRequest()  # type: ignore[attr-defined, assignment]
