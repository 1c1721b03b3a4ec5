"""Stripe's errors in the rails' words: the only place that does it (rail-stripe.md, Errors)."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import stripe

from bloxtr8 import clock
from bloxtr8.rails import base

FUNDS_RETRY = dt.timedelta(hours=1)
SPARE_KEYS = ("", ":2", ":3")


@contextmanager
def translated(*, usable_at: dt.datetime | None = None) -> Iterator[None]:
    """Around every call: what Stripe raises leaves as a RailError.

    `usable_at` is when the charge behind the call becomes available: what RailFundsPending says. The error of Stripe is
    not chained to ours: it carries the body of the answer, which can name a person.
    """
    try:
        yield
    except stripe.StripeError as error:
        raise _ours(error, usable_at) from None


def code_of(error: stripe.StripeError) -> str:
    """Stripe's error code, or an empty text. stripe-python leaves `error.code` empty on some classes; the body has
    it."""
    body = error.json_body
    inner = body.get("error") if isinstance(body, dict) else None
    code = inner.get("code") if isinstance(inner, dict) else None
    return str(code or error.code or "")


def refuse(reason: str) -> NoReturn:
    """Raises RailBug: what Stripe has, or what we ask, is not what it must be."""
    raise base.RailBug(reason)


def past_stored_failure[T](create: Callable[[str], T], key: str) -> T:
    """`create(key)`; where Stripe only replays a stored 5xx under the key, `create` with a spare key.

    A 5xx is stored with its key and answered for a day, although the object may exist (rail-stripe.md, fact 3). Only
    for what does no harm when it exists twice: a customer, a PaymentIntent nobody was shown, an account.
    Never for a leg.
    """
    for spare in SPARE_KEYS[:-1]:
        try:
            return create(key + spare)
        except stripe.APIError as error:
            if not _replayed(error):
                raise
    return create(key + SPARE_KEYS[-1])


def _replayed(error: stripe.APIError) -> bool:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return headers.get("idempotent-replayed") == "true"


def _ours(error: stripe.StripeError, usable_at: dt.datetime | None) -> base.RailError:
    code = code_of(error)
    text = f"{type(error).__name__} {error.http_status} {code} {error.request_id}"
    match error:
        case stripe.RateLimitError():
            return base.RailThrottled(text)
        case stripe.APIError() if error.http_status == 409:  # lock_timeout, idempotency_key_in_use
            return base.RailThrottled(text)
        case stripe.APIConnectionError() | stripe.APIError():
            return base.RailOutcomeUnknown(text)
        case stripe.CardError():
            return base.RailDeclined(text, code=_decline_code(error) or code)
        case stripe.InvalidRequestError() | stripe.PermissionError():
            return _refusal(code, text, usable_at)
        case _:
            return base.RailBug(text)


def _refusal(code: str, text: str, usable_at: dt.datetime | None) -> base.RailError:
    if code == "balance_insufficient":
        soonest = clock.now() + FUNDS_RETRY
        return base.RailFundsPending(text, available_at=max(usable_at or soonest, soonest))
    if code == "insufficient_capabilities_for_transfer" or code.startswith("account_"):
        return base.SellerNotReady(text)
    if code == "charge_disputed":
        return base.RailFrozen(text)
    return base.RailBug(text)


def _decline_code(error: stripe.CardError) -> str:
    body = error.json_body
    inner = body.get("error") if isinstance(body, dict) else None
    return str(inner.get("decline_code") or "") if isinstance(inner, dict) else ""
