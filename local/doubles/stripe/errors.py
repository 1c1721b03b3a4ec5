"""How Stripe says no, and how a connection dies."""

from typing import Any


class ApiError(Exception):
    """An error answer. `stored` says whether an idempotency key keeps it: Stripe keeps every answer of a request
    that began to execute, but not those of parameters that never passed validation."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        code: str | None = None,
        param: str | None = None,
        *,
        stored: bool = True,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        error: dict[str, Any] = {"type": kind, "message": message, **more}
        if code is not None:
            error["code"] = code
            error["doc_url"] = f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}"
        if param is not None:
            error["param"] = param
        self.status, self.body, self.stored, self.headers = status, {"error": error}, stored, headers or {}


class Dropped(Exception):
    """The connection ended without an answer."""


def invalid(message: str, code: str | None = None, param: str | None = None, **more: Any) -> ApiError:
    """400: the request was understood and refused while it executed; the answer is kept under its key."""
    return ApiError(400, "invalid_request_error", message, code, param, **more)


def malformed(message: str, code: str | None = None, param: str | None = None) -> ApiError:
    """400 before anything was executed; the answer is not kept under the key."""
    return ApiError(400, "invalid_request_error", message, code, param, stored=False)


def missing(name: str, identifier: str, param: str | None = None, status: int = 404) -> ApiError:
    """No such object: 404 where the path names it, 400 where a parameter does."""
    return ApiError(
        status, "invalid_request_error", f"No such {name}: '{identifier}'", "resource_missing", param or "id"
    )


def no_access(account_id: str) -> ApiError:
    """403: a connected account that does not exist, was closed, or is not the platform's."""
    message = (
        f"The provided key does not have access to account '{account_id}' (or that account does not exist). "
        "Application access may have been revoked."
    )
    return ApiError(403, "invalid_request_error", message, "account_invalid")


def unexpected_state(verb: str, intent: dict[str, Any]) -> ApiError:
    """A PaymentIntent that cannot be confirmed or canceled any more; carries the PaymentIntent, as Stripe does."""
    message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    return invalid(message, "payment_intent_unexpected_state", payment_intent=dict(intent))
