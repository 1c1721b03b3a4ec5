"""The buyer's card payment: one PaymentIntent of the platform for each escrow (rail-stripe.md, Flow)."""

import datetime as dt

import stripe
from stripe import Charge, PaymentIntent, StripeClient

from bloxtr8.rails import stripe_accounts
from bloxtr8.rails.base import DepositSeen, Funding, FundingStatus, Look, Opened, PaymentInstructions
from bloxtr8.rails.stripe_client import OPERATION, PAYMENT, metadata_of
from bloxtr8.rails.stripe_errors import code_of, past_stored_failure, refuse, translated

CURRENCIES = frozenset({"USD"})
LEAST_CENTS = 50
MOST_CENTS = 99_999_999
PAGE = 100
CHARGE = ["latest_charge"]

STATUSES = {
    "requires_payment_method": FundingStatus.UNPAID,
    "requires_confirmation": FundingStatus.UNPAID,
    "requires_action": FundingStatus.UNPAID,
    "processing": FundingStatus.PROCESSING,
    "succeeded": FundingStatus.PAID,
    "canceled": FundingStatus.CANCELED,
}


def open_intent(client: StripeClient, funding: Funding) -> Opened:
    """The PaymentIntent of this attempt, made once, whatever was lost on the way. RailBug: out of bounds (50 to 99 999
    999 cents, USD)."""
    if funding.external_id:
        return Opened(external_id=funding.external_id, customer_id=funding.customer_id)
    if funding.currency not in CURRENCIES or not LEAST_CENTS <= funding.amount <= MOST_CENTS:
        refuse(f"{funding.escrow_id}: {funding.amount} {funding.currency} is not for cards")
    customer = funding.customer_id or stripe_accounts.ensure_customer(funding.buyer_id, client=client)
    with translated():
        intent = past_stored_failure(
            lambda key: (
                _lost_intent(client, funding, customer)
                or client.v1.payment_intents.create(
                    {
                        "amount": funding.amount,
                        "currency": funding.currency.lower(),
                        "customer": customer,
                        "description": "Protected payment",
                        "transfer_group": funding.escrow_id,
                        "metadata": {PAYMENT: funding.escrow_id, OPERATION: _operation(funding)},
                        "allowed_payment_method_types": ["card"],
                    },
                    {"idempotency_key": key},
                )
            ),
            _operation(funding),
        )
    _check(intent, funding)
    return Opened(external_id=intent.id, customer_id=customer)


def instructions(client: StripeClient, funding: Funding) -> PaymentInstructions:
    """The client secret, fetched for the buyer's request and kept nowhere."""
    if not funding.external_id:
        refuse(f"{funding.escrow_id} has no PaymentIntent yet")
    with translated():
        intent = client.v1.payment_intents.retrieve(funding.external_id)
    return PaymentInstructions(
        external_id=intent.id,
        amount=intent.amount,
        currency=intent.currency.upper(),
        status=_check(intent, funding),
        client_secret=intent.client_secret,
    )


def look(client: StripeClient, funding: Funding) -> Look:
    """What Stripe says of the payment now. Without a stored id it looks for a PaymentIntent whose answer was lost."""
    with translated():
        intent = _current(client, funding)
    return _seen(intent, funding) if intent else Look(status=FundingStatus.UNPAID)


def close(client: StripeClient, funding: Funding) -> Look:
    """Cancels what can be cancelled, then says what is true. Paid or under way stays as it is: the answer says so.

    Stripe is asked first, since a refused cancellation would be replayed under its key for a day.
    """
    with translated():
        intent = _current(client, funding)
        if intent and STATUSES.get(intent.status) is FundingStatus.UNPAID:
            intent = _cancel(client, intent, funding)
    return _seen(intent, funding) if intent else Look(status=FundingStatus.CANCELED)


def _cancel(client: StripeClient, intent: PaymentIntent, funding: Funding) -> PaymentIntent:
    try:
        return client.v1.payment_intents.cancel(
            intent.id,
            {"cancellation_reason": "abandoned", "expand": CHARGE},
            {"idempotency_key": f"{funding.escrow_id}:cancel"},
        )
    except stripe.InvalidRequestError as error:
        if code_of(error) != "payment_intent_unexpected_state":
            raise
    return client.v1.payment_intents.retrieve(intent.id, {"expand": CHARGE})


def _operation(funding: Funding) -> str:
    return f"{funding.escrow_id}:open:{funding.attempt}"


def _current(client: StripeClient, funding: Funding) -> PaymentIntent | None:
    found = funding.external_id
    if not found and funding.customer_id:
        lost = _lost_intent(client, funding, funding.customer_id)
        found = lost.id if lost else None
    return client.v1.payment_intents.retrieve(found, {"expand": CHARGE}) if found else None


def _lost_intent(client: StripeClient, funding: Funding, customer: str) -> PaymentIntent | None:
    """The PaymentIntent of this attempt among the buyer's newest hundred."""
    page = client.v1.payment_intents.list({"customer": customer, "limit": PAGE})
    return next((each for each in page.data if metadata_of(each).get(OPERATION) == _operation(funding)), None)


def _check(intent: PaymentIntent, funding: Funding) -> FundingStatus:
    """RailBug unless it is this escrow's PaymentIntent, in its currency, in a status that a card payment can have."""
    if metadata_of(intent).get(PAYMENT) != funding.escrow_id or intent.transfer_group != funding.escrow_id:
        refuse(f"{intent.id} is not of {funding.escrow_id}")
    if intent.currency.upper() != funding.currency:
        refuse(f"{intent.id} of {funding.escrow_id} is in another currency")
    return STATUSES.get(intent.status) or refuse(f"{intent.id} of {funding.escrow_id} is {intent.status}")


def _seen(intent: PaymentIntent, funding: Funding) -> Look:
    status = _check(intent, funding)
    refused = intent.last_payment_error if status is FundingStatus.UNPAID else None
    return Look(
        status=status,
        external_id=intent.id,
        deposits=(_deposit(intent),) if status is FundingStatus.PAID else (),
        decline_code=(getattr(refused, "decline_code", None) or refused.code) if refused else None,
    )


def _deposit(intent: PaymentIntent) -> DepositSeen:
    """`amount_received`, never `amount`: only the first is money."""
    charge = intent.latest_charge
    if not isinstance(charge, Charge):
        refuse(f"{intent.id} succeeded without a charge")
    return DepositSeen(
        ref=charge.id,
        amount=intent.amount_received,
        currency=intent.currency.upper(),
        at=dt.datetime.fromtimestamp(charge.created, dt.UTC),
        external_ids=(charge.id,),
    )
