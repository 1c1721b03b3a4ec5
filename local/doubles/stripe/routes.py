"""Stripe's paths: which function answers, and which parameters Stripe declares for it."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local.doubles.stripe import form, schema
from local.doubles.stripe.accounts import Accounts, Customers
from local.doubles.stripe.disputes import Disputes
from local.doubles.stripe.errors import malformed, missing, no_access
from local.doubles.stripe.identity import Identity
from local.doubles.stripe.ledger import PLATFORM
from local.doubles.stripe.listing import Lists
from local.doubles.stripe.messages import Object
from local.doubles.stripe.payments import Payments
from local.doubles.stripe.refunds import Refunds
from local.doubles.stripe.transfers import Transfers
from local.doubles.stripe.values import merged
from local.doubles.stripe.world import CURRENCY, World

Handler = Callable[..., Object]

_RETRIEVED = {
    "/v1/accounts": ("account", "account"),
    "/v1/balance_transactions": ("balance_transaction", "balance_transaction"),
    "/v1/charges": ("charge", "charge"),
    "/v1/customers": ("customer", "customer"),
    "/v1/disputes": ("dispute", "dispute"),
    "/v1/events": ("event", "event"),
    "/v1/identity/verification_sessions": ("identity.verification_session", "identity/verification_session"),
    "/v1/payment_intents": ("payment_intent", "payment_intent"),
    "/v1/radar/early_fraud_warnings": ("radar.early_fraud_warning", "radar/early_fraud_warning"),
    "/v1/refunds": ("refund", "refund"),
    "/v1/reviews": ("review", "review"),
    "/v1/transfers": ("transfer", "transfer"),
}


class Parts:
    """The resources of one double, wired to each other."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.accounts, self.customers, self.identity = Accounts(world), Customers(world), Identity(world)
        self.disputes = Disputes(world)
        self.payments = Payments(world, self.disputes)
        self.refunds = Refunds(world, self.payments, self.disputes)
        self.transfers = Transfers(world)
        self.lists = Lists(world)

    def tick(self) -> None:
        """Everything whose time has come happens."""
        self.world.settle()
        self.payments.clear()
        self.refunds.work()

    def balance(self, account: str = PLATFORM) -> Object:
        """GET /v1/balance."""
        now = self.world.ledger.balance(account, self.world.now())

        def row(amount: int) -> list[Object]:
            return [{"amount": amount, "currency": CURRENCY, "source_types": {"card": amount}}]

        held: list[Object] = [{"amount": 0, "currency": CURRENCY}]
        made = {"object": "balance", "available": row(now.available), "pending": row(now.pending), "livemode": False}
        return {**made, "connect_reserved": held} if account == PLATFORM else made


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `params` names Stripe's declaration of its parameters (schema.parameters)."""

    method: str
    path: str
    params: str
    handler: Handler

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """The ids in the path, where this is the route."""
        found = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", self.path), path)
        return tuple(found.groups()) if found and method.upper() == self.method else None

    def arguments(self, given: Object) -> Object:
        """The parameters in their types. Raises ApiError (400) for what Stripe refuses, and for what Stripe takes but
        the double does not model: a parameter is never ignored in silence."""
        if "payment_method_types" in given and self.params.startswith("payment_intent_"):
            message = (
                "The `payment_method_types` parameter is no longer supported. Use `allowed_payment_method_types` or "
                "`excluded_payment_method_types`, or manage payment methods in the Dashboard."
            )
            raise malformed(message, "payment_method_types_no_longer_supported", "payment_method_types")
        fitted: Object = form.fit(schema.parameters(self.params), given)
        fitted.pop("expand", None)
        known = inspect.signature(self.handler).parameters
        if not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values()):
            for name in fitted:
                if name not in known:
                    raise malformed(f"Stripe knows '{name}'; the double does not model it.", "not_modelled", name)
        return fitted


def routes(parts: Parts) -> list[Route]:
    """Every operation that the double answers."""
    return [*_own(parts), *_common(parts)]


def _own(parts: Parts) -> Iterator[Route]:
    payments, transfers, disputes, identity = parts.payments, parts.transfers, parts.disputes, parts.identity
    yield Route("POST", "/v1/customers", "customer_create", parts.customers.create)
    yield Route("POST", "/v1/customers/{id}", "customer_update", parts.customers.update)
    yield Route("POST", "/v1/payment_intents", "payment_intent_create", payments.create)
    yield Route("POST", "/v1/payment_intents/{id}", "payment_intent_update", payments.update)
    yield Route("POST", "/v1/payment_intents/{id}/confirm", "payment_intent_confirm", payments.confirm)
    yield Route("POST", "/v1/payment_intents/{id}/cancel", "payment_intent_cancel", payments.cancel)
    yield Route("POST", "/v1/charges/{id}", "charge_update", _describe(parts.world, "charge"))
    yield Route("POST", "/v1/refunds", "refund_create", parts.refunds.create)
    yield Route("POST", "/v1/refunds/{id}", "refund_update", _describe(parts.world, "refund"))
    yield Route("POST", "/v1/transfers", "transfer_create", transfers.create)
    yield Route("POST", "/v1/transfers/{id}", "transfer_update", _describe(parts.world, "transfer"))
    yield Route("POST", "/v1/transfers/{id}/reversals", "transfer_reversal_create", transfers.reverse)
    yield Route("GET", "/v1/transfers/{id}/reversals", "transfer_reversal_list", parts.lists.reversals)
    yield Route("GET", "/v1/transfers/{id}/reversals/{reversal}", "transfer_reversal_retrieve", parts.lists.reversal)
    yield Route("POST", "/v1/accounts", "account_create", parts.accounts.create)
    yield Route("POST", "/v1/accounts/{id}", "account_update", parts.accounts.update)
    yield Route("POST", "/v1/account_links", "account_link_create", parts.accounts.link)
    yield Route("GET", "/v1/balance", "balance_retrieve", parts.balance)
    yield Route("POST", "/v1/disputes/{id}", "dispute_update", disputes.update)
    yield Route("POST", "/v1/disputes/{id}/close", "dispute_close", disputes.accept)
    yield Route("GET", "/v1/payment_methods/{id}", "payment_method_retrieve", _retrieve(parts.world, "payment_method"))
    sessions = "/v1/identity/verification_sessions"
    yield Route("POST", sessions, "identity/verification_session_create", identity.create)
    yield Route("POST", sessions + "/{id}/cancel", "identity/verification_session_cancel", identity.cancel)


def _common(parts: Parts) -> Iterator[Route]:
    for url, (kind, params) in _RETRIEVED.items():
        yield Route("GET", url, f"{params}_list", parts.lists.of(kind, url))
        yield Route("GET", url + "/{id}", f"{params}_retrieve", _retrieve(parts.world, kind))


def _retrieve(world: World, kind: str) -> Handler:
    def retrieve(identifier: str) -> Object:
        if kind == "account" and world.find(identifier) is None:
            raise no_access(identifier)
        found = world.get(kind, identifier)
        if world.owners.get(identifier, PLATFORM) != PLATFORM:
            raise missing(kind, identifier)
        return found

    return retrieve


def _describe(world: World, kind: str) -> Handler:
    def describe(identifier: str, *, description: str | None = None, metadata: Any = None) -> Object:
        found = world.get(kind, identifier)
        if description is not None:
            found["description"] = description or None
        found["metadata"] = merged(found["metadata"], metadata)
        world.emit(f"{kind}.updated", found)
        return found

    return describe
