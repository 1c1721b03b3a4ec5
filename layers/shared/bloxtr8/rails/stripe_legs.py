"""Money out of a card escrow: transfer to the seller, refund to the buyer, reversal of a transfer (rail-stripe.md).

What prevents a double payout is the transition committed before `send`; below it stand two more locks: what exists for
the leg is looked up before anything is made, and the key.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import stripe
from stripe import BalanceTransaction, Charge, Refund, StripeClient, Transfer, TransferReversal
from stripe.params import TransferCreateParams

from bloxtr8.rails.base import Claim, LegKind, LegOrder, LegOutcome, LegStatus, RailFrozen
from bloxtr8.rails.stripe_chargebacks import chargebacks
from bloxtr8.rails.stripe_client import OPERATION, PAYMENT, id_of, metadata_of
from bloxtr8.rails.stripe_errors import code_of, refuse, translated

PAGE = 100
OVER = frozenset({Claim.WON})  # any other dispute freezes, unless our books have it: money may be taken back
REFUNDS = {"succeeded": LegStatus.CONFIRMED, "failed": LegStatus.REJECTED, "canceled": LegStatus.REJECTED}


def send(client: StripeClient, order: LegOrder) -> LegOutcome:
    """Finds the leg's movement, or makes it. See `Rail.send`."""
    if order.amount <= 0:
        refuse(f"{order.leg_id} moves nothing")
    found = find(client, order)
    if found:
        return found
    if order.kind is LegKind.REVERSAL:
        return _reverse(client, order)
    charge = _payable(client, order)
    return _transfer(client, order, charge) if order.kind is LegKind.TRANSFER else _refund(client, order, charge)


def find(client: StripeClient, order: LegOrder) -> LegOutcome | None:
    """What exists for the leg, by metadata among the objects of its escrow. RailBug where it is not what was
    ordered."""
    with translated():
        if order.adopted_id is not None:
            return _adopted(client.v1.refunds.retrieve(order.adopted_id), order)
        if order.kind is LegKind.REFUND:
            refunds = client.v1.refunds.list({"payment_intent": order.funding_id, "limit": PAGE})
            return _refunded(refunds.auto_paging_iter(), order)
        if order.kind is LegKind.REVERSAL:
            reversals = client.v1.transfers.reversals.list(_reversed(order), {"limit": PAGE})
            return _moved(reversals.auto_paging_iter(), order)
        transfers = client.v1.transfers.list({"transfer_group": order.escrow_id, "limit": PAGE})
        return _moved(transfers.auto_paging_iter(), order)


def _payable(client: StripeClient, order: LegOrder) -> Charge:
    """The escrow's charge, asked just now. RailFrozen while it is disputed, RailBug where it is not this escrow's."""
    with translated():
        intent = client.v1.payment_intents.retrieve(order.funding_id, {"expand": ["latest_charge.balance_transaction"]})
    if metadata_of(intent).get(PAYMENT) != order.escrow_id or intent.currency.upper() != order.currency:
        refuse(f"{intent.id} is not what {order.leg_id} pays out of")
    charge = intent.latest_charge
    if intent.status != "succeeded" or not isinstance(charge, Charge):
        refuse(f"{intent.id} of {order.leg_id} is {intent.status}")
    for found in chargebacks(client, order.funding_id):
        if found.claim not in OVER and found.external_id not in order.booked:
            raise RailFrozen(f"{order.leg_id}: {found.external_id} is {found.claim}", object_id=found.external_id)
    return charge


def _transfer(client: StripeClient, order: LegOrder, charge: Charge) -> LegOutcome:
    usable_at = _usable_at(charge)
    wish: TransferCreateParams = {
        "amount": order.amount,
        "currency": order.currency.lower(),
        "destination": order.destination or refuse(f"{order.leg_id} has no destination"),
        "transfer_group": order.escrow_id,
        "metadata": _marks(order),
    }
    if not order.from_balance:  # a charge pays what it was for once, even where it was reversed since
        wish["source_transaction"] = charge.id
    with translated(usable_at=usable_at):
        transfer = client.v1.transfers.create(wish, {"idempotency_key": order.operation})
    return LegOutcome(status=LegStatus.CONFIRMED, external_id=transfer.id, available_at=usable_at)


def _refund(client: StripeClient, order: LegOrder, charge: Charge) -> LegOutcome:
    with translated(usable_at=_usable_at(charge)):
        try:
            refund = client.v1.refunds.create(
                {"payment_intent": order.funding_id, "amount": order.amount, "metadata": _marks(order)},
                {"idempotency_key": order.operation},
            )
        except stripe.InvalidRequestError as error:
            found = find(client, order) if code_of(error) == "charge_already_refunded" else None
            if not found:
                raise  # somebody else refunded it, or the request is wrong: RailBug
            return found
    return _refund_outcome(refund)


def _reverse(client: StripeClient, order: LegOrder) -> LegOutcome:
    """A seller who has the money no longer is a refusal for good: REJECTED, never a reason to wait."""
    with translated():
        transfer = client.v1.transfers.retrieve(_reversed(order))
        if transfer.transfer_group != order.escrow_id:
            refuse(f"{transfer.id} is not what {order.leg_id} reverses")
        try:
            reversal = client.v1.transfers.reversals.create(
                transfer.id,
                {"amount": order.amount, "metadata": _marks(order)},
                {"idempotency_key": order.operation},
            )
        except stripe.InvalidRequestError as error:
            if code_of(error) != "balance_insufficient":
                raise
            return LegOutcome(status=LegStatus.REJECTED, external_id="", reason="balance_insufficient")
    return LegOutcome(status=LegStatus.CONFIRMED, external_id=reversal.id)


def _marks(order: LegOrder) -> dict[str, str]:
    return {PAYMENT: order.escrow_id, OPERATION: order.operation}


def _of_leg(thing: Any, order: LegOrder) -> bool:
    """Whether it was made for this leg, by any attempt; RailBug where it is, and is not what was ordered."""
    operation = metadata_of(thing).get(OPERATION, "")
    if operation.rpartition(":")[0] != order.operation.rpartition(":")[0]:
        return False
    if thing.amount != order.amount or thing.currency.upper() != order.currency:
        refuse(f"{thing.id} is not what {order.leg_id} ordered")
    return True


def _moved(things: Iterable[Transfer | TransferReversal], order: LegOrder) -> LegOutcome | None:
    """A transfer or reversal of the leg: it exists, so it is done."""
    for thing in things:
        if _of_leg(thing, order):
            if isinstance(thing, Transfer) and id_of(thing.destination) != order.destination:
                refuse(f"{thing.id} of {order.leg_id} went elsewhere")
            return LegOutcome(status=LegStatus.CONFIRMED, external_id=thing.id)
    return None


def _refunded(refunds: Iterable[Refund], order: LegOrder) -> LegOutcome | None:
    """A live refund of any attempt, else the failed one of this attempt: what an older attempt failed at is over."""
    of_leg = [refund for refund in refunds if _of_leg(refund, order)]
    live = [refund for refund in of_leg if refund_status(refund) is not LegStatus.REJECTED]
    this = [refund for refund in of_leg if metadata_of(refund).get(OPERATION) == order.operation]
    return next((_refund_outcome(refund) for refund in (*live, *this)), None)


def _adopted(refund: Refund, order: LegOrder) -> LegOutcome:
    """A refund made in the Dashboard, which a leg took over by its id; RailBug where it is not what the leg says."""
    same = (id_of(refund.payment_intent), refund.amount, refund.currency.upper())
    if same != (order.funding_id, order.amount, order.currency):
        refuse(f"{refund.id} is not what {order.leg_id} adopted")
    return _refund_outcome(refund)


def _refund_outcome(refund: Refund) -> LegOutcome:
    return LegOutcome(
        status=refund_status(refund),
        external_id=refund.id,
        reason=getattr(refund, "failure_reason", None) or getattr(refund, "pending_reason", None),
    )


def refund_status(refund: Refund) -> LegStatus:
    """What became of a refund; anything that is not over is SENT."""
    return REFUNDS.get(refund.status or "", LegStatus.SENT)


def _reversed(order: LegOrder) -> str:
    return order.reverses or refuse(f"{order.leg_id} names no transfer to reverse")


def _usable_at(charge: Charge) -> dt.datetime | None:
    booked = charge.balance_transaction
    return dt.datetime.fromtimestamp(booked.available_on, dt.UTC) if isinstance(booked, BalanceTransaction) else None
