"""Refunds: asynchronous, from the platform's available balance."""

import copy

from local.doubles.stripe import schema
from local.doubles.stripe.disputes import Disputes
from local.doubles.stripe.errors import invalid, malformed
from local.doubles.stripe.ledger import PLATFORM
from local.doubles.stripe.messages import Object
from local.doubles.stripe.payments import Payments
from local.doubles.stripe.values import dollars, merged, positive
from local.doubles.stripe.world import World

_SLOW_SECONDS = 600


class Refunds:
    """A refund is pending first. It succeeds after the rules' `refund_seconds`, once the balance covers it."""

    def __init__(self, world: World, payments: Payments, disputes: Disputes) -> None:
        self._world, self._payments, self._disputes = world, payments, disputes
        self._next: dict[str, int] = {}  # refund id to the moment of its next step

    def create(
        self,
        *,
        payment_intent: str | None = None,
        charge: str | None = None,
        amount: int | None = None,
        reason: str | None = None,
        metadata: Object | None = None,
    ) -> Object:
        """POST /v1/refunds, of the whole rest or a part."""
        paid = self._refundable(payment_intent, charge)
        left = paid["amount_captured"] - paid["amount_refunded"]
        if left == 0:
            raise invalid(f"Charge {paid['id']} has already been refunded.", "charge_already_refunded")
        if self._disputes.blocks_refund(paid):
            message = f"Charge {paid['id']} has been charged back; cannot issue a refund."
            raise invalid(message, "charge_disputed")
        amount = left if amount is None else positive(amount)
        if amount > left:
            message = f"Refund amount ({dollars(amount)}) is greater than unrefunded amount on charge ({dollars(left)})"
            raise invalid(message, param="amount")
        refund = self._world.new(
            "refund",
            "re",
            amount=amount,
            charge=paid["id"],
            currency=paid["currency"],
            customer=paid["customer"],
            destination_details=_to_card(),
            metadata=merged({}, metadata),
            payment_intent=paid["payment_intent"],
            payment_method=paid["payment_method"],
            pending_reason="processing",
            reason=reason,
            status="pending",
        )
        if not self._debit(refund):
            refund["pending_reason"] = "insufficient_funds"
        slow = self._payments.card_of(paid).refund == "slow"
        self._next[refund["id"]] = self._world.now() + (_SLOW_SECONDS if slow else self._world.rules.refund_seconds)
        before = paid["amount_refunded"]
        self._count(paid, amount)
        self._world.emit("refund.created", refund)
        self._world.emit("charge.refunded", paid, {"amount_refunded": before})
        self._disputes.refunded(paid)
        return refund

    def due_in(self) -> int:
        """Seconds until the next refund's next step; 0 where none has one to come."""
        now = self._world.now()
        return min((at - now for at in self._next.values() if at > now), default=0)

    def work(self) -> None:
        """Refunds whose time has come take their next step, oldest first."""
        for refund_id, at in list(self._next.items()):
            if at > self._world.now():
                continue
            refund = self._world.get("refund", refund_id)
            if refund["status"] == "succeeded":
                self.fail(refund_id)
            elif refund["balance_transaction"] is not None or self._debit(refund):
                self._succeed(refund)

    def fail(self, refund_id: str, reason: str = "expired_or_canceled_card") -> Object:
        """The buyer's bank sends the money back: it is the platform's again (not an API call)."""
        refund = self._world.get("refund", refund_id)
        if refund["status"] not in ("pending", "succeeded"):
            raise invalid(f"This refund is {refund['status']}.")
        self._next.pop(refund_id, None)
        before = refund["status"]
        if refund["balance_transaction"] is not None:
            returned = self._world.move(PLATFORM, refund["amount"], "refund_failure", refund_id)
            refund["failure_balance_transaction"] = returned
        refund.update(status="failed", failure_reason=reason, pending_reason=None)
        self._count(self._world.get("charge", refund["charge"]), -refund["amount"])
        self._world.emit("refund.failed", refund, {"status": before})
        self._tell(refund, before)
        return refund

    def _succeed(self, refund: Object) -> None:
        refund_id = refund["id"]
        refund.update(status="succeeded", pending_reason=None)
        refund["destination_details"]["card"].update(reference="5" + refund_id[-10:], reference_status="available")
        del self._next[refund_id]
        if self._payments.card_of(self._world.get("charge", refund["charge"])).refund == "fails":
            self._next[refund_id] = self._world.now() + _SLOW_SECONDS
        self._tell(refund, "pending")

    def _debit(self, refund: Object) -> bool:
        """Take the money from the available balance, where it covers the refund. Stripe's fee is not given back."""
        if self._world.available() < refund["amount"]:
            return False
        refund["balance_transaction"] = self._world.move(PLATFORM, -refund["amount"], "refund", refund["id"])
        return True

    def _refundable(self, intent_id: str | None, charge_id: str | None) -> Object:
        if charge_id is None and intent_id is None:
            raise malformed(
                "One of the following params should be provided for this request: payment_intent or charge."
            )
        if charge_id is None:
            charge_id = self._world.get("payment_intent", str(intent_id), "payment_intent")["latest_charge"]
        if charge_id is not None:
            charge = self._world.get("charge", charge_id, "charge")
            if charge["status"] == "succeeded" and intent_id in (None, charge["payment_intent"]):
                return charge
        message = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
        raise invalid(message, param="payment_intent")

    def _count(self, charge: Object, amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]

    def _tell(self, refund: Object, before: str) -> None:
        self._world.emit("refund.updated", refund, {"status": before})
        self._world.emit("charge.refund.updated", refund, {"status": before})


def _to_card() -> Object:
    card = schema.blank("refund", "destination_details", "card")
    card.update(reference_status="pending", reference_type="acquirer_reference_number", type="refund")
    return {"card": copy.deepcopy(card), "type": "card"}
