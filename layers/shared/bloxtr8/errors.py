"""What can go wrong, as the caller sees it: one exception per status, the code says which rule (api.md,
Conventions)."""

from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal. Nothing was written. `details` are shown to the caller: ids, amounts and states only."""

    status: ClassVar[int]
    code: str

    def __init__(self, detail: str, code: str | None = None, **details: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.details = details


class Invalid(DomainError):
    """400: the request itself is wrong."""

    status, code = 400, "VALIDATION_ERROR"


class Unauthenticated(DomainError):
    """401: no proof, or a wrong one, of who is calling."""

    status, code = 401, "UNAUTHENTICATED"


class Forbidden(DomainError):
    """403: the caller may see this, but not do that."""

    status, code = 403, "FORBIDDEN"


class NotFound(DomainError):
    """404: it does not exist, or the caller may not know that it does."""

    status, code = 404, "NOT_FOUND"


class InvalidState(DomainError):
    """409: not a move of this lifecycle from the state the object is in."""

    status, code = 409, "INVALID_STATE"


class Conflict(DomainError):
    """409: somebody else was faster, or something in the way must go first."""

    status, code = 409, "CONFLICT"


class Expired(DomainError):
    """410: the time for this has passed."""

    status, code = 410, "EXPIRED"


class VersionMismatch(DomainError):
    """412: the object is not the version the caller saw."""

    status, code = 412, "VERSION_MISMATCH"


class TooLarge(DomainError):
    """413: the body is over the limit."""

    status, code = 413, "BODY_TOO_LARGE"


class UnsupportedMedia(DomainError):
    """415: not a content type this route takes."""

    status, code = 415, "UNSUPPORTED_MEDIA_TYPE"


class Unprocessable(DomainError):
    """422: well-formed, but against a rule of the business."""

    status, code = 422, "UNPROCESSABLE"


class RateLimited(DomainError):
    """429: ask again in `retry_after` seconds."""

    status, code = 429, "RATE_LIMITED"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class UpstreamFailed(DomainError):
    """502: an outside service gave no usable answer; what it would have said is unknown."""

    status, code = 502, "UPSTREAM_FAILED"


class Unavailable(DomainError):
    """503: the platform itself cannot answer now."""

    status, code = 503, "UNAVAILABLE"


class StaleWrite(Exception):  # noqa: N818  (not a refusal: a lost race, run again)
    """A row changed between read and write, so nothing was written. Handlers are run again; see lambdas.py."""
