"""Rules that several resources share: metadata, amounts, lists."""

from typing import Any

from local.doubles.stripe.errors import invalid, malformed
from local.doubles.stripe.messages import Object
from local.doubles.stripe.world import CURRENCY

MIN_AMOUNT, MAX_AMOUNT = 50, 99_999_999
_MAX_KEYS, _MAX_KEY, _MAX_VALUE = 50, 40, 500


def merged(kept: Object, given: Object | str | None) -> dict[str, str]:
    """Metadata after an update: an empty value unsets its key, an empty hash unsets all. Raises ApiError (400)."""
    if given is None:
        return dict(kept)
    if isinstance(given, str):
        return {}
    result = {**kept, **given}
    result = {key: value for key, value in result.items() if value != ""}
    if len(result) > _MAX_KEYS:
        raise malformed(f"Metadata can have at most {_MAX_KEYS} keys.", param="metadata")
    for key, value in result.items():
        if len(key) > _MAX_KEY:
            raise malformed(
                f"Metadata keys must have at most {_MAX_KEY} characters: {key[:50]}", "parameter_invalid_string_length"
            )
        if len(value) > _MAX_VALUE:
            raise malformed(f"Metadata values can have at most {_MAX_VALUE} characters.", param=f"metadata[{key}]")
    return result


def currency(given: str) -> str:
    """The one currency the double books. Raises ApiError (400) for others."""
    if given.lower() != CURRENCY:
        raise malformed(f"Invalid currency: {given.lower()}. The double books {CURRENCY} alone.", param="currency")
    return CURRENCY


def chargeable(amount: int) -> int:
    """An amount that a card can be charged, in cents. Raises ApiError (400) outside Stripe's bounds."""
    if amount < MIN_AMOUNT:
        raise invalid(f"Amount must be at least ${MIN_AMOUNT / 100:.2f} usd", "amount_too_small", "amount")
    if amount > MAX_AMOUNT:
        raise invalid(f"Amount must be no more than ${MAX_AMOUNT / 100:,.2f} usd", "amount_too_large", "amount")
    return amount


def positive(amount: int) -> int:
    """An amount above zero. Raises ApiError (400)."""
    if amount < 1:
        raise malformed("This value must be greater than or equal to 1.", "parameter_invalid_integer", "amount")
    return amount


def dollars(amount: int) -> str:
    return f"${amount / 100:,.2f}"


def listed(url: str, data: list[Any], has_more: bool = False) -> Object:
    return {"object": "list", "url": url, "has_more": has_more, "data": data}
