"""What every part of the double shares: time, ids, objects, money and events."""

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from local.doubles.stripe import schema
from local.doubles.stripe.errors import missing
from local.doubles.stripe.ledger import FEES, OUTSIDE, PLATFORM, Ledger, Line
from local.doubles.stripe.messages import Object

DAY = 86_400
CURRENCY = "usd"


@dataclass(frozen=True, slots=True)
class Rules:
    """How fast money moves and what Stripe takes.

    settle_seconds: from a charge to its money being available (0: at once). refund_seconds: from a refund to its
    success. fee_bps and fee_fixed: of a charge, in basis points and cents. dispute_fee: cents.
    """

    settle_seconds: int = 2 * DAY
    refund_seconds: int = 5
    bank_debit_seconds: int = 4 * DAY
    fee_bps: int = 290
    fee_fixed: int = 30
    dispute_fee: int = 1_500

    def fee(self, amount: int) -> int:
        """Stripe's fee of a charge, in cents, half a cent rounded up."""
        return (amount * self.fee_bps + 5_000) // 10_000 + self.fee_fixed


class EventSink(Protocol):
    """Whoever keeps the events until they are delivered."""

    def add(self, event: Object) -> None: ...

    def endpoint_count(self) -> int: ...


class World:
    """The state of the pretended Stripe. Not thread-safe: the api holds one lock around every use."""

    def __init__(self, clock: Callable[[], datetime], api_version: str, rules: Rules, seed: int) -> None:
        self.api_version, self.rules, self.ledger = api_version, rules, Ledger()
        self._objects: dict[str, dict[str, Object]] = {kind: {} for kind in schema.RESOURCES}
        self._unsettled: list[Object] = []
        self.owners: dict[str, str] = {}  # a balance transaction belongs to the platform or to a connected account
        self.sink: EventSink | None = None
        self.request_id: str | None = None
        self.idempotency_key: str | None = None
        self.base_url = ""
        self._clock, self._ahead_seconds, self._count = clock, 0.0, 0
        self._random = random.Random(seed)
        self._stem = self._letters(6)

    # --- time and names

    def now(self) -> int:
        """Unix seconds: the clock, and how far `advance` moved the double ahead of it."""
        return int(self._clock().timestamp() + self._ahead_seconds)

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("time goes forward only")
        self._ahead_seconds += seconds

    def name(self, prefix: str) -> str:
        """A fresh id, the same in every run with the same seed and calls."""
        self._count += 1
        return f"{prefix}_{self._stem}{self._count:010d}"

    def secret(self, identifier: str) -> str:
        return f"{identifier}_secret_{self._letters(16)}"

    def _letters(self, count: int) -> str:
        return "".join(self._random.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", k=count))

    # --- objects

    def new(self, kind: str, prefix: str, **fields: Any) -> Object:
        """A stored object: its optional fields null, the given ones set."""
        shape = schema.definitions()[kind]["properties"]
        made: Object = {"id": self.name(prefix), "object": kind, **schema.blank(kind)}
        if "created" in shape:
            made["created"] = self.now()
        if "livemode" in shape:
            made["livemode"] = False
        made.update(fields)
        self._objects[kind][made["id"]] = made
        return made

    def get(self, kind: str, identifier: str, param: str | None = None, label: str | None = None) -> Object:
        """The stored object. Raises ApiError: 404 where the path names it, 400 where the parameter `param` does."""
        found = self._objects[kind].get(identifier)
        if found is None:
            raise missing(label or kind.rpartition(".")[2], identifier, param, status=404 if param is None else 400)
        return found

    def all(self, kind: str) -> Iterator[Object]:
        """Every object of a kind, oldest first."""
        return iter(list(self._objects[kind].values()))

    def find(self, identifier: str) -> Object | None:
        """The object of any kind with this id."""
        return next((kept[identifier] for kept in self._objects.values() if identifier in kept), None)

    # --- money

    def move(
        self, account: str, amount: int, kind: str, source: str, against: str = OUTSIDE, fee: int = 0,
        available_on: int = 0, description: str | None = None, category: str | None = None,
    ) -> str:  # fmt: skip
        """Book `amount` cents (negative: out) to an account against another, Stripe's fee going to Stripe.

        The balance transaction's id. `available_on` 0: at once.
        """
        on = available_on or self.now()
        self.ledger.post(Line(account, amount - fee, on), Line(FEES, fee, on), Line(against, -amount, on))
        details = {"amount": fee, "application": None, "currency": CURRENCY, "type": "stripe_fee"}
        transaction = self.new(
            "balance_transaction", "txn", amount=amount, available_on=on, currency=CURRENCY, fee=fee,
            fee_details=[{**details, "description": "Stripe processing fees"}] if fee else [], net=amount - fee,
            reporting_category=category or kind, source=source, balance_type="payments", description=description,
            type=kind, status="available" if on <= self.now() else "pending",
        )  # fmt: skip
        self.owners[transaction["id"]] = account
        if transaction["status"] == "pending":
            self._unsettled.append(transaction)
        return str(transaction["id"])

    def settle(self) -> None:
        """Balance transactions whose day has come are available."""
        for transaction in [waiting for waiting in self._unsettled if waiting["available_on"] <= self.now()]:
            transaction["status"] = "available"
            self._unsettled.remove(transaction)

    def available(self, account: str = PLATFORM) -> int:
        return self.ledger.balance(account, self.now()).available

    # --- events

    def emit(self, kind: str, about: Object, previous: Object | None = None, account: str | None = None) -> None:
        """An event with a snapshot of the object; `account` marks events of connected accounts."""
        data: Object = {"object": copy.deepcopy(self.checked(about))}
        if previous:
            data["previous_attributes"] = previous
        event = self.new(
            "event", "evt", api_version=self.api_version, data=data, type=kind,
            pending_webhooks=self.sink.endpoint_count() if self.sink else 0,
            request={"id": self.request_id, "idempotency_key": self.idempotency_key},
        )  # fmt: skip
        for unset in ("account", "context"):
            event.pop(unset)
        if account is not None:
            event["account"] = account
        if self.sink is not None:
            self.sink.add(copy.deepcopy(self.checked(event)))

    @staticmethod
    def checked(about: Object) -> Object:
        """The object, if Stripe could have sent it. Raises AssertionError: then the double is wrong."""
        found = schema.problems(about)
        if found:
            raise AssertionError("the double would answer what Stripe cannot: " + "; ".join(found[:5]))
        return about
