"""What an event of Stripe is about: data for process_webhook_event. An event is a hint; the rail is asked for the
truth.

- FUNDING, of `payment_intent.*` of ours: `look` at the escrow's payment
- LEG, of `refund.*` and `transfer.*` with our opId: `find` the leg
- STRAY, of the same without one: money moved that we did not order, so it is adopted, or an alarm
- REFUNDED, of `charge.refunded`: `refunded`, compared with what we know
- WARNING, of `radar.early_fraud_warning.created`: `warning`, a hold
- REVIEW, of `review.opened` and `review.closed`: `review`, a hold or the end of it
- CHARGEBACK, of `charge.dispute.*`: `chargeback`, a hold, its end, or money that is gone
- ACCOUNT, of `account.updated` and `capability.updated`: `account_status`, then react for the seller's waiting legs
- IGNORED, of anything else, and of what happens inside a connected account: stored, nothing
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PAYMENT = "protectedPayment"  # the metadata fields that stripe_client writes
OPERATION = "opId"
_EVENT = ("id", "type", "account", "api_version", "livemode", "created")
_OBJECT = ("id", "object", "account", "payment_intent", "transfer_group")
_LEG_OPERATION = re.compile(r"(stl_[0-9A-Z]{26}):([0-9]{1,2}):([0-9]{1,3})")


class HintKind(StrEnum):
    """What to ask."""

    FUNDING = "FUNDING"
    LEG = "LEG"
    STRAY = "STRAY"
    REFUNDED = "REFUNDED"
    WARNING = "WARNING"
    REVIEW = "REVIEW"
    CHARGEBACK = "CHARGEBACK"
    ACCOUNT = "ACCOUNT"
    IGNORED = "IGNORED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Which rows an event may concern. Nothing in it is believed but the ids."""

    kind: HintKind
    object_id: str | None = None  # PaymentIntent, charge, refund, transfer, warning, review, dispute
    funding_id: str | None = None  # the PaymentIntent a refund came out of: a stray refund names no escrow
    escrow_id: str | None = None
    settlement_id: str | None = None
    leg: int | None = None
    attempt: int | None = None
    account_id: str | None = None

    @property
    def leg_id(self) -> str | None:
        """`{settlement}-{nn}`, the id of the leg's row."""
        return None if self.leg is None else f"{self.settlement_id}-{self.leg:02}"


def interpret(event: Mapping[str, Any]) -> Hint:
    """The hint of an event that `stripe_webhooks.verify` returned. Never raises: what it does not understand is
    IGNORED."""
    read = READERS.get(event["type"])
    return read(event, event["data"]["object"]) if read else _IGNORED


def essentials(event: Mapping[str, Any]) -> dict[str, Any]:
    """What `interpret` reads of a verified event, and when it was made: all of it that our table keeps.

    The rest is Stripe's to know: names, addresses, cards, and the client secret, which is never stored.
    """
    thing = event["data"]["object"]
    kept = _marked(thing)
    reversals = thing.get("reversals")
    if isinstance(reversals, dict) and isinstance(reversals.get("data"), list):
        kept["reversals"] = {"data": [_marked(one) for one in reversals["data"][:1] if isinstance(one, dict)]}
    return {name: event[name] for name in _EVENT if event.get(name) is not None} | {"data": {"object": kept}}


def _marked(thing: Mapping[str, Any]) -> dict[str, Any]:
    """An object's ids, and of its metadata what we wrote ourselves."""
    kept: dict[str, Any] = {name: thing[name] for name in _OBJECT if _text(thing.get(name))}
    metadata = _metadata(thing)
    ours = {name: metadata[name] for name in (PAYMENT, OPERATION) if _text(metadata.get(name))}
    return kept | {"metadata": ours} if ours else kept


def _funding(event: Mapping[str, Any], thing: Mapping[str, Any]) -> Hint:
    escrow_id = _text(_metadata(thing).get(PAYMENT))
    if event.get("account") or escrow_id is None:
        return _IGNORED
    return Hint(kind=HintKind.FUNDING, object_id=_text(thing.get("id")), escrow_id=escrow_id)


def _leg(event: Mapping[str, Any], thing: Mapping[str, Any]) -> Hint:
    return _IGNORED if event.get("account") else _ordered(thing, thing)


def _reversal(event: Mapping[str, Any], thing: Mapping[str, Any]) -> Hint:
    """The event carries the transfer with its reversals, the newest first."""
    reversals = thing.get("reversals")
    newest = reversals.get("data") if isinstance(reversals, dict) else None
    reversal = newest[0] if isinstance(newest, list) and newest and isinstance(newest[0], dict) else {}
    return _IGNORED if event.get("account") else _ordered(thing, reversal)


def _account(event: Mapping[str, Any], thing: Mapping[str, Any]) -> Hint:
    owner = _text(event.get("account")) or _text(thing.get("account")) or _text(thing.get("id"))
    return Hint(kind=HintKind.ACCOUNT, account_id=owner)


def _concerning(kind: HintKind) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Hint]:
    """Names the object alone: whose payment it is about, the object itself says."""

    def read(event: Mapping[str, Any], thing: Mapping[str, Any]) -> Hint:
        object_id = _text(thing.get("id"))
        if event.get("account") or object_id is None:
            return _IGNORED
        return Hint(kind=kind, object_id=object_id)

    return read


def _ordered(thing: Mapping[str, Any], marked: Mapping[str, Any]) -> Hint:
    """`marked` is what carries the metadata: the object itself, or the reversal in a transfer."""
    metadata = _metadata(marked)
    escrow_id = _text(metadata.get(PAYMENT)) or _text(thing.get("transfer_group"))
    match = _LEG_OPERATION.fullmatch(str(metadata.get(OPERATION))) if escrow_id else None
    return Hint(
        kind=HintKind.LEG if match else HintKind.STRAY,
        object_id=_text(thing.get("id")),
        funding_id=_text(thing.get("payment_intent")),
        escrow_id=escrow_id,
        settlement_id=match[1] if match else None,
        leg=int(match[2]) if match else None,
        attempt=int(match[3]) if match else None,
    )


def _metadata(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    found = thing.get("metadata")
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


_IGNORED = Hint(kind=HintKind.IGNORED)
READERS: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Hint]] = {
    "payment_intent.succeeded": _funding,
    "payment_intent.processing": _funding,
    "payment_intent.payment_failed": _funding,
    "payment_intent.requires_action": _funding,
    "payment_intent.canceled": _funding,
    "refund.created": _leg,
    "refund.updated": _leg,
    "refund.failed": _leg,
    "transfer.created": _leg,
    "transfer.reversed": _reversal,
    "charge.refunded": _concerning(HintKind.REFUNDED),
    "radar.early_fraud_warning.created": _concerning(HintKind.WARNING),
    "review.opened": _concerning(HintKind.REVIEW),
    "review.closed": _concerning(HintKind.REVIEW),
    "charge.dispute.created": _concerning(HintKind.CHARGEBACK),
    "charge.dispute.updated": _concerning(HintKind.CHARGEBACK),
    "charge.dispute.funds_withdrawn": _concerning(HintKind.CHARGEBACK),
    "charge.dispute.funds_reinstated": _concerning(HintKind.CHARGEBACK),
    "charge.dispute.closed": _concerning(HintKind.CHARGEBACK),
    "account.updated": _account,
    "capability.updated": _account,
}
