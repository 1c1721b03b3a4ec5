"""What crosses the boundary: request bodies, views and the types of their fields (api.md, Conventions)."""

import datetime as dt
import re
import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints
from pydantic.alias_generators import to_camel

from bloxtr8 import clock, money

_KEPT = "\n\r\t"
_BREAKS = "\u2028\u2029"  # Unicode's own line and paragraph separators
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # Hangul fillers and the empty Braille pattern: letters, yet blank
_NUMBER = re.compile(r"[+-]?[0-9.]+")
_STRIPES = re.compile(r"(RE|PYR|TRR?|PY|CH|PI|PO|TXN|DP|DU)-?(?=[0-9]+[A-Z])[0-9A-Z]{14,}")  # whose ids have no hyphens


class Body(BaseModel):
    """A request's JSON: camelCase, nothing unknown, nothing coerced."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=False)


class View(BaseModel):
    """A response's JSON, camelCase; made from keyword arguments or straight off an entity's attributes."""

    model_config = ConfigDict(
        from_attributes=True, alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True
    )


def _printable(text: str) -> str:
    """Refuse NUL, control characters and lone surrogates; any other Unicode is kept (api.md, Conventions)."""
    for character in text:
        if character not in _KEPT and unicodedata.category(character) in {"Cc", "Cs"}:
            raise ValueError("contains a control character")
    return text


def _one_line(text: str) -> str:
    if any(character in _KEPT + _BREAKS for character in text):
        raise ValueError("contains a line break or tab")
    return text


def _filled(text: str) -> str:
    """Refuse text of which nothing would be seen: on a shelf or in a contract it would stand for nothing."""
    if not any(map(_seen, text)):
        raise ValueError("is empty")
    return text


def _seen(character: str) -> bool:
    """Neither a space, nor a mark or direction that changes other characters, nor drawn as nothing."""
    return not (character.isspace() or character in _BLANK or unicodedata.category(character) in {"Cf", "Mn", "Me"})


def _safe_text(text: str) -> str:
    return _filled(_printable(text))


def _safe_line(text: str) -> str:
    return _filled(_one_line(_printable(text)))


def _not_stripes(text: str) -> str:
    """Refuse what the card's provider calls something: a refund made in its Dashboard is booked by itself."""
    if _STRIPES.fullmatch(text):
        raise ValueError("is a name of Stripe's: withdraw this, what was paid in its Dashboard is booked by itself")
    return text


Title = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_safe_line)]
Category = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_safe_line)]
Summary = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_safe_text)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=127), AfterValidator(_safe_line)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_safe_text)]
Conditions = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_safe_text)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=5000), AfterValidator(_safe_text)]
Message = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_safe_text)]
Resolution = Annotated[str, StringConstraints(min_length=20, max_length=5000), AfterValidator(_safe_text)]
Cents = Annotated[int, Field(strict=True, ge=1, le=money.MAX_CENTS)]
ShareCents = Annotated[int, Field(strict=True, ge=0, le=money.MAX_CENTS)]
Version = Annotated[int, Field(strict=True, ge=1)]
LegNumber = Annotated[int, Field(strict=True, ge=1, le=99)]
Days = Annotated[int, Field(strict=True, ge=1, le=30)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Digits = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,18}$")]
# what a bank calls a payment, in one spelling, so that it is one
PaymentId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9-]{4,62}[A-Z0-9]$"),
    AfterValidator(_not_stripes),
    Field(description="The bank's reference: capitals and digits, a hyphen for any other sign; 6 to 64 in all."),
]
Moment = Annotated[dt.datetime, PlainSerializer(clock.iso, return_type=str, when_used="json")]


def _written(moment: object) -> object:
    """A number is no moment here: nobody could tell seconds from milliseconds."""
    if not isinstance(moment, (str, dt.date)) or (isinstance(moment, str) and _NUMBER.fullmatch(moment)):
        raise ValueError("is an ISO-8601 text")
    return moment


def _aware(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ValueError("needs an offset, for example Z")
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("is outside of time") from None


Deadline = Annotated[dt.datetime, BeforeValidator(_written), AfterValidator(_aware)]
Day = Annotated[dt.date, BeforeValidator(_written)]


def _true(value: object) -> object:
    """To a Literal 1 is True; to someone who releases money it is a mistake."""
    if value is not True:
        raise ValueError("is true")
    return value


Yes = Annotated[Literal[True], BeforeValidator(_true)]

EvidenceIds = Annotated[list[Word], Field(min_length=1, max_length=20)]
DisputeReason = Literal["NOT_DELIVERED", "NOT_AS_DESCRIBED", "REVERSED", "BUYER_UNRESPONSIVE", "OTHER"]

MAX_MILESTONES = 20  # D22


class Milestone(Body):
    """A part of the price that is released on its own. One of them hands the asset over: the last, unless another says
    so."""

    title: Title
    amount_cents: Cents
    transfers_asset: Annotated[bool, Field(strict=True)] = False


Milestones = Annotated[list[Milestone], Field(min_length=1, max_length=MAX_MILESTONES)]

# contact data: the form only, since nothing is sent there
Email = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^@\s]{1,64}@[^@\s]+\.[^@\s]+$"), AfterValidator(_safe_line)
]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]

# OAuth (RFC 6749, RFC 7636)
URL_LIMIT = 2048
CHALLENGE = r"^[A-Za-z0-9_-]{43}$"
RedirectUri = Annotated[str, StringConstraints(min_length=1, max_length=URL_LIMIT), AfterValidator(_safe_line)]
OAuthCode = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,2048}$")]
StateText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
Verifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{43,128}$")]
TokenText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,2048}$")]

# wallets (EIP-55, EIP-4361): an address is judged by its rule; a contract's signature may carry its own deployment
AddressText = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_safe_line)]
NonceText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{8,64}$")]
SignatureText = Annotated[str, StringConstraints(max_length=2 + 2 * 8192, pattern=r"^0x(?:[0-9a-fA-F]{2})+$")]
