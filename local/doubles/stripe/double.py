"""The double: one pretended Stripe, driven in process or over HTTP."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bloxtr8 import clock as house
from local.doubles.stripe.api import Api
from local.doubles.stripe.control import Control
from local.doubles.stripe.faults import Faults, of_kind
from local.doubles.stripe.ledger import PLATFORM
from local.doubles.stripe.messages import Call, Object
from local.doubles.stripe.routes import Parts
from local.doubles.stripe.transports import InProcess, Wsgi
from local.doubles.stripe.webhooks import Send, Webhooks
from local.doubles.stripe.world import DAY, Rules, World


def now() -> datetime:
    """The house's clock: who replaces it moves the double too."""
    return house.now()


class StripeDouble:
    """Stripe as the card rail uses it: Connect, separate charges and transfers, refunds, disputes, webhooks.

    `clock` is the receiver's clock: it dates everything and signs the webhooks. `opening_balance` (cents) is money the
    platform already had, which its refunds can draw on. `rules` see world.Rules; each of them is also a keyword here
    (`settle_seconds=0` makes charges available at once). The same `seed` and the same calls give the same ids.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = now,
        api_version: str = "2026-10-28.endive",
        *,
        seed: int = 0,
        opening_balance: int = 0,
        sleep: Callable[[float], None] = time.sleep,
        **rules: int,
    ) -> None:
        self._lock = threading.RLock()
        self._world = World(clock, api_version, Rules(**rules), seed)
        self._webhooks = Webhooks(self._world.now, lambda: int(clock().timestamp()), seed)
        self._world.sink = self._webhooks
        self._parts = Parts(self._world)
        self._api = Api(self._parts, Faults(), self._lock, sleep)
        self._control = Control(self._api, self._webhooks, self._advance)
        self.wsgi = Wsgi(self._api, self._control)
        if opening_balance:
            self.top_up(opening_balance)

    def http_client(self) -> InProcess:
        """For `StripeClient("sk_test_…", http_client=…)`."""
        return InProcess(self._api)

    # --- what was asked, what happened

    @property
    def requests(self) -> list[Call]:
        """Every call, in order."""
        return self._api.calls

    @property
    def events(self) -> list[Object]:
        """Every event, in order, delivered or not."""
        return self._webhooks.events

    @property
    def outbox(self) -> list[Object]:
        """The events that an endpoint has yet to acknowledge: id, type, attempts, lastStatus, object."""
        return self._webhooks.outbox()

    def balance(self, account: str = PLATFORM) -> dict[str, int]:
        """{"available", "pending"} of an account, in cents."""
        with self._lock:
            self._parts.tick()
            balance = self._world.ledger.balance(account, self._world.now())
            return {"available": balance.available, "pending": balance.pending}

    def ledger(self) -> Object:
        """{"accounts": {name: {"available", "pending"}}, "sum": 0}."""
        with self._lock:
            self._parts.tick()
            return self._control.ledger()

    def ledger_sum(self) -> int:
        """The sum over all accounts, the outside world included: zero."""
        with self._lock:
            return self._world.ledger.total()

    # --- the world moves

    def advance(self, seconds: float = 0, days: float = 0) -> None:
        """Move the double's time ahead of its clock; what becomes due happens."""
        self._advance(seconds + days * DAY)

    def onboard(self, account_id: str, succeeds: bool = True) -> Object:
        """The account's owner finishes Stripe's questions, or Stripe finds fault with them."""
        with self._lock:
            return self._parts.accounts.onboard(account_id, succeeds)

    def authenticate(self, intent_id: str, succeeds: bool = True) -> Object:
        """The buyer answers his bank's question about a PaymentIntent that requires_action."""
        with self._lock:
            return self._parts.payments.authenticate(intent_id, succeeds)

    def pay_slowly(self, intent_id: str, payment_method: str = "pm_card_visa") -> Object:
        """The buyer pays; the PaymentIntent is `processing` until `bank_debit_seconds` have passed."""
        with self._lock:
            return self._parts.payments.pay_slowly(intent_id, payment_method)

    def fail_refund(self, refund_id: str) -> Object:
        """The buyer's bank sends a refund back."""
        with self._lock:
            return self._parts.refunds.fail(refund_id)

    def refund_due_in(self) -> int:
        """In how many seconds the next refund takes its next step; 0 where none will by itself."""
        with self._lock:
            return self._parts.refunds.due_in()

    def open_dispute(
        self, charge_id: str, reason: str = "fraudulent", *, amount: int | None = None, inquiry: bool = False
    ) -> Object:
        """The buyer's bank takes the money back, or only asks about it (disputes.Disputes.open)."""
        with self._lock:
            return self._parts.disputes.open(charge_id, reason, amount=amount, inquiry=inquiry)

    def escalate_dispute(self, dispute_id: str) -> Object:
        """The bank makes a dispute of its inquiry."""
        with self._lock:
            return self._parts.disputes.escalate(dispute_id)

    def close_dispute(self, dispute_id: str, verdict: str) -> Object:
        """`won` or `lost`, as the platform sees it; an inquiry is `warning_closed`."""
        with self._lock:
            return self._parts.disputes.close(dispute_id, verdict)

    def reopen_dispute(self, dispute_id: str) -> Object:
        """One that was won is decided anew."""
        with self._lock:
            return self._parts.disputes.reopen(dispute_id)

    def reinstate_dispute(self, dispute_id: str) -> Object:
        """One that was lost is won after an appeal."""
        with self._lock:
            return self._parts.disputes.reinstate(dispute_id)

    def warn(self, charge_id: str) -> Object:
        """The card's issuer suspects fraud."""
        with self._lock:
            return self._parts.disputes.warn(charge_id)

    def review(self, charge_id: str) -> Object:
        """Stripe's guard wants a person to look at a payment."""
        with self._lock:
            return self._parts.disputes.review(charge_id)

    def end_review(self, review_id: str, reason: str = "approved") -> Object:
        """Somebody looked at a payment under review."""
        with self._lock:
            return self._parts.disputes.end_review(review_id, reason)

    def decide_identity(self, session_id: str, succeeds: bool = True) -> Object:
        with self._lock:
            return self._parts.identity.decide(session_id, succeeds)

    def top_up(self, amount: int) -> None:
        """The platform pays cents into its own balance."""
        with self._lock:
            self._world.move(PLATFORM, amount, "topup", self._world.name("tu"))

    def pay_out(self, account_id: str, amount: int) -> None:
        """Cents leave a connected account for its owner's bank, available or not."""
        with self._lock:
            self._world.move(account_id, -amount, "payout", self._world.name("po"))

    # --- bad luck

    def fault(
        self, kind: str, method: str = "post", path: str = "", times: int | None = 1, seconds: float | None = None
    ) -> None:
        """The next `times` requests whose path the regular expression finds go wrong (faults.KINDS)."""
        self._api.faults.add(of_kind(kind, method, path, times, seconds))

    def clear_faults(self) -> None:
        self._api.faults.clear()

    # --- webhooks

    def deliver_to(self, endpoint: str | Send, secrets: list[str]) -> None:
        """Register an endpoint: an address, or a function (body, headers) that returns a status."""
        self._webhooks.register(endpoint, secrets)

    def webhook_policy(self, **changes: Any) -> None:
        """duplicate, shuffle, drop, delay_seconds, paused (webhooks.Policy)."""
        self._webhooks.travel(**changes)

    def deliver(self, duplicate: int = 1, shuffle: bool = False) -> list[str]:
        """Send every event that is due, once (or `duplicate` times): the ids of those that were not taken."""
        self._tick()
        return self._webhooks.deliver(duplicate, shuffle)

    def start_delivery(self) -> None:
        """Deliver in the background, with retries, and let due things happen (the local stack)."""
        self._webhooks.start(self._tick)

    def stop(self) -> None:
        """End the background delivery."""
        self._webhooks.stop()

    def _tick(self) -> None:
        with self._lock:
            self._parts.tick()

    def _advance(self, seconds: float) -> None:
        with self._lock:
            self._world.advance(seconds)
            self._parts.tick()
