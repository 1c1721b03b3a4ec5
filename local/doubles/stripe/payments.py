"""PaymentIntents and the charges they make."""

import copy

from local.doubles.stripe import schema, values, wallet
from local.doubles.stripe.cards import Card
from local.doubles.stripe.disputes import Disputes
from local.doubles.stripe.errors import ApiError, invalid, unexpected_state
from local.doubles.stripe.ledger import PLATFORM
from local.doubles.stripe.messages import Object
from local.doubles.stripe.world import World

_CONFIRMABLE = ("requires_payment_method", "requires_confirmation")
_CANCELABLE = (*_CONFIRMABLE, "requires_action")
_ENABLED = ["card", "us_bank_account"]  # what the pretended platform switched on in its Dashboard


class Payments:
    """A PaymentIntent is confirmed with a declared test payment method; its card says what happens."""

    def __init__(self, world: World, disputes: Disputes) -> None:
        self._world, self._disputes = world, disputes
        self._wallet = wallet.Wallet(world)
        self._clearing: dict[str, int] = {}  # slow payments: PaymentIntent id to the moment they clear

    def card_of(self, charge: Object) -> Card:
        """The test card a charge was paid with."""
        return self._wallet.card(charge["payment_method"])

    def create(
        self,
        *,
        amount: int,
        currency: str,
        customer: str | None = None,
        description: str | None = None,
        metadata: Object | None = None,
        transfer_group: str | None = None,
        allowed_payment_method_types: list[str] | None = None,
        automatic_payment_methods: Object | None = None,
        payment_method: str | None = None,
        confirm: bool = False,
        receipt_email: str | None = None,
        return_url: str | None = None,
        statement_descriptor_suffix: str | None = None,
        application_fee_amount: int | None = None,
    ) -> Object:
        """POST /v1/payment_intents."""
        if application_fee_amount is not None:
            message = (
                "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using "
                "an OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`)."
            )
            raise invalid(message, param="application_fee_amount")
        if customer is not None:
            self._world.get("customer", customer, "customer")
        types = [kind for kind in _ENABLED if kind in (allowed_payment_method_types or _ENABLED)]
        if not types:
            raise invalid("No payment method types are available for this PaymentIntent.")
        intent = self._world.new(
            "payment_intent",
            "pi",
            amount=values.chargeable(amount),
            amount_capturable=0,
            amount_details={"tip": {}},
            amount_received=0,
            allowed_payment_method_types=allowed_payment_method_types,
            automatic_payment_methods={
                "allow_redirects": "always",
                "enabled": True,
                **(automatic_payment_methods or {}),
            },
            capture_method="automatic_async",
            confirmation_method="automatic",
            currency=values.currency(currency),
            customer=customer,
            description=description,
            metadata=values.merged({}, metadata),
            payment_method_types=types,
            receipt_email=receipt_email,
            statement_descriptor_suffix=statement_descriptor_suffix,
            status="requires_payment_method",
            transfer_group=transfer_group,
        )
        intent.pop("source")
        intent["client_secret"] = self._world.secret(intent["id"])
        if payment_method is not None:
            intent.update(payment_method=self._wallet.use(intent, payment_method), status="requires_confirmation")
        self._world.emit("payment_intent.created", intent)
        return self.confirm(intent["id"]) if confirm else intent

    def update(
        self,
        intent_id: str,
        *,
        amount: int | None = None,
        description: str | None = None,
        metadata: Object | str | None = None,
        payment_method: str | None = None,
        receipt_email: str | None = None,
        transfer_group: str | None = None,
    ) -> Object:
        """POST /v1/payment_intents/{id}: the amount and group until it is paid, texts and metadata always."""
        intent = self._world.get("payment_intent", intent_id)
        money = {"amount": amount, "transfer_group": transfer_group, "payment_method": payment_method}
        changes: Object = {name: value for name, value in money.items() if value is not None}
        if changes and intent["status"] not in _CANCELABLE:
            raise unexpected_state("update", intent)
        if amount is not None:
            values.chargeable(amount)
        if payment_method is not None:
            changes.update(payment_method=self._wallet.use(intent, payment_method), status="requires_confirmation")
        texts = {"description": description, "receipt_email": receipt_email}
        changes |= {name: value or None for name, value in texts.items() if value is not None}
        intent.update(changes, metadata=values.merged(intent["metadata"], metadata))
        return intent

    def confirm(
        self,
        intent_id: str,
        *,
        payment_method: str | None = None,
        return_url: str | None = None,
        receipt_email: str | None = None,
        use_stripe_sdk: bool = False,
    ) -> Object:
        """POST /v1/payment_intents/{id}/confirm. Raises ApiError: 402 where the card is declined."""
        intent = self._world.get("payment_intent", intent_id)
        if intent["status"] not in _CONFIRMABLE:
            raise unexpected_state("confirm", intent)
        method = self._wallet.use(intent, payment_method) if payment_method else intent["payment_method"]
        if method is None:
            message = (
                "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update "
                "the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with "
                "a payment method or ConfirmationToken."
            )
            raise invalid(message, "payment_intent_unexpected_state", payment_intent=copy.deepcopy(intent))
        intent.update(payment_method=method, last_payment_error=None)
        if receipt_email:
            intent["receipt_email"] = receipt_email
        if self._wallet.card(method).authenticates:
            intent.update(status="requires_action", next_action=_authenticate(return_url))
            self._world.emit("payment_intent.requires_action", intent)
            return intent
        return self._charge(intent)

    def pay_slowly(self, intent_id: str, payment_method: str = "pm_card_visa") -> Object:
        """The buyer pays, and the payment is `processing` for the rules' `bank_debit_seconds` (not an API call: cards
        do this in few countries, and the platform must live with it)."""
        intent = self._world.get("payment_intent", intent_id)
        if intent["status"] not in _CONFIRMABLE:
            raise unexpected_state("confirm", intent)
        intent.update(payment_method=self._wallet.use(intent, payment_method), last_payment_error=None)
        return self._charge(intent, slowly=True)

    def authenticate(self, intent_id: str, succeeds: bool = True) -> Object:
        """The buyer answered his bank's question (not an API call: the buyer's browser)."""
        intent = self._world.get("payment_intent", intent_id)
        if intent["status"] != "requires_action":
            raise unexpected_state("authenticate", intent)
        intent["next_action"] = None
        if succeeds:
            return self._charge(intent)
        error = {
            "code": "payment_intent_authentication_failure",
            "message": "The provided PaymentMethod has failed authentication.",
            "type": "invalid_request_error",
        }
        intent.update(status="requires_payment_method", payment_method=None, last_payment_error=error)
        self._world.emit("payment_intent.payment_failed", intent)
        return intent

    def cancel(self, intent_id: str, *, cancellation_reason: str | None = None) -> Object:
        """POST /v1/payment_intents/{id}/cancel."""
        intent = self._world.get("payment_intent", intent_id)
        if intent["status"] not in _CANCELABLE:
            raise unexpected_state("cancel", intent)
        intent.update(
            status="canceled",
            canceled_at=self._world.now(),
            cancellation_reason=cancellation_reason,
            next_action=None,
        )
        self._world.emit("payment_intent.canceled", intent)
        return intent

    def clear(self) -> None:
        """Slow payments whose time has come succeed or fail."""
        for intent_id, at in list(self._clearing.items()):
            if at > self._world.now():
                continue
            del self._clearing[intent_id]
            intent = self._world.get("payment_intent", intent_id)
            charge = self._world.get("charge", intent["latest_charge"])
            if self.card_of(charge).debit_fails:
                self._fail(intent, charge, "account_closed", None, "The customer's bank account has been closed.")
            else:
                self._succeed(intent, charge)

    def _charge(self, intent: Object, slowly: bool = False) -> Object:
        card = self._wallet.card(intent["payment_method"])
        slowly = slowly or card.kind != "card"
        charge = self._world.new(
            "charge",
            "ch" if card.kind == "card" else "py",
            amount=intent["amount"],
            amount_captured=0,
            amount_refunded=0,
            billing_details=schema.blank("charge", "billing_details"),
            captured=False,
            currency=intent["currency"],
            customer=intent["customer"],
            description=intent["description"],
            disputed=False,
            metadata=dict(intent["metadata"]),
            paid=False,
            payment_intent=intent["id"],
            payment_method=intent["payment_method"],
            payment_method_details={"type": card.kind, card.kind: wallet.details("charge", card)},
            receipt_email=intent["receipt_email"],
            refunded=False,
            statement_descriptor_suffix=intent["statement_descriptor_suffix"],
            status="pending",
            transfer_group=intent["transfer_group"],
        )
        charge.pop("source")
        intent["latest_charge"] = charge["id"]
        if card.declined is not None:
            code, decline_code = card.declined
            self._fail(intent, charge, code, decline_code, card.message)
            told = {"decline_code": decline_code, "charge": charge["id"], "payment_intent": copy.deepcopy(intent)}
            raise ApiError(402, "card_error", card.message, code, **told)
        if slowly:
            intent["status"] = "processing"
            self._clearing[intent["id"]] = self._world.now() + self._world.rules.bank_debit_seconds
            self._world.emit("charge.pending", charge)
            self._world.emit("payment_intent.processing", intent)
            return intent
        return self._succeed(intent, charge)

    def _succeed(self, intent: Object, charge: Object) -> Object:
        world, card, amount = self._world, self.card_of(charge), intent["amount"]
        wait = 0 if card.available_at_once else world.rules.settle_seconds
        fee = world.rules.fee(amount)
        transaction = world.move(
            PLATFORM, amount, "charge", charge["id"], fee=fee, available_on=world.now() + wait if wait else 0
        )
        charge.update(
            amount_captured=amount,
            balance_transaction=transaction,
            captured=True,
            outcome=wallet.outcome("authorized", risk="elevated" if card.reviewed else "normal"),
            paid=True,
            status="succeeded",
        )
        intent.update(amount_received=amount, status="succeeded")
        world.emit("charge.succeeded", charge)
        world.emit("payment_intent.succeeded", intent)
        if card.disputed is not None:
            self._disputes.open(charge["id"], card.disputed, inquiry=card.inquiry)
        if card.warned:
            self._disputes.warn(charge["id"])
        if card.reviewed:
            self._disputes.review(charge["id"])
        return intent

    def _fail(self, intent: Object, charge: Object, code: str, decline_code: str | None, message: str) -> None:
        blocked = self.card_of(charge).blocked
        charge.update(
            failure_code=code,
            failure_message=message,
            outcome=wallet.outcome(
                "blocked" if blocked else "issuer_declined", "highest" if blocked else "normal", decline_code
            ),
            status="failed",
        )
        error = {"charge": charge["id"], "code": code, "message": message, "type": "card_error"}
        if decline_code is not None:
            error["decline_code"] = decline_code
        intent.update(status="requires_payment_method", payment_method=None, last_payment_error=error)
        self._world.emit("charge.failed", charge)
        self._world.emit("payment_intent.payment_failed", intent)


def _authenticate(return_url: str | None) -> Object:
    if return_url is None:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    return {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": return_url, "url": "https://hooks.stripe.com/3ds"},
    }
