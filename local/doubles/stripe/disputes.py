"""Disputes, early fraud warnings and reviews: what the banks and Stripe's own guard do to a charge."""

import copy

from local.doubles.stripe import schema
from local.doubles.stripe.errors import invalid
from local.doubles.stripe.ledger import PLATFORM
from local.doubles.stripe.messages import Object
from local.doubles.stripe.values import merged, positive
from local.doubles.stripe.world import DAY, World

_LIVE = {"needs_response": ("won", "lost"), "under_review": ("won", "lost")}
_ASKED = {"warning_needs_response": ("warning_closed",), "warning_under_review": ("warning_closed",)}
_VERDICTS = _LIVE | _ASKED
_RESPONSE_SECONDS = 7 * DAY


class Disputes:
    """A dispute takes its amount and Stripe's fee from the platform at once; winning brings the amount back. An inquiry
    takes nothing and lets the charge be refunded, which ends it; the bank may make a dispute of it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def open(
        self, charge_id: str, reason: str = "fraudulent", *, amount: int | None = None, inquiry: bool = False
    ) -> Object:
        """The buyer's bank takes the money back, all that was not refunded or `amount` of it; or it only asks, as an
        `inquiry` (not an API call). A charge can be disputed more than once."""
        world = self._world
        charge = world.get("charge", charge_id)
        evidence = schema.blank("dispute", "evidence")
        dispute = world.new(
            "dispute",
            "du",
            amount=charge["amount_captured"] - charge["amount_refunded"] if amount is None else positive(amount),
            balance_transactions=[],
            charge=charge_id,
            currency=charge["currency"],
            enhanced_eligibility_types=[],
            evidence={**evidence, "enhanced_evidence": {}},
            evidence_details={
                "due_by": world.now() + _RESPONSE_SECONDS,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            is_charge_refundable=inquiry,
            metadata={},
            payment_intent=charge["payment_intent"],
            reason=reason,
            status="warning_needs_response" if inquiry else "needs_response",
        )
        charge["disputed"] = True
        if not inquiry:
            self._withdraw(dispute)
        world.emit("charge.dispute.created", dispute)
        if not inquiry:
            world.emit("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def escalate(self, dispute_id: str) -> Object:
        """The bank is not content with the answer to its inquiry: now it takes the money (not an API call)."""
        dispute = self._world.get("dispute", dispute_id)
        if dispute["status"] not in _ASKED:
            raise invalid("This dispute is not an inquiry.", "dispute_not_open")
        before = dispute["status"]
        dispute.update(status="needs_response", is_charge_refundable=False)
        self._withdraw(dispute)
        self._world.emit("charge.dispute.updated", dispute, {"status": before})
        self._world.emit("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def update(
        self,
        dispute_id: str,
        *,
        evidence: Object | None = None,
        metadata: Object | str | None = None,
        submit: bool = True,
    ) -> Object:
        """POST /v1/disputes/{id}. Evidence `uncategorized_text` winning_evidence or losing_evidence decides at once,
        as in Stripe's test mode; other evidence puts the dispute under review."""
        dispute = self._world.get("dispute", dispute_id)
        dispute["metadata"] = merged(dispute["metadata"], metadata)
        if evidence is None:
            return dispute
        if not dispute["status"].endswith("needs_response"):
            raise invalid("This dispute can no longer be updated.", "dispute_not_open")
        dispute["evidence"].update(evidence)
        dispute["evidence_details"]["has_evidence"] = True
        if not submit:
            return dispute
        details = dispute["evidence_details"]
        details.update(submission_count=details["submission_count"] + 1, submission_method="manual")
        before = dispute["status"]
        dispute["status"] = before.replace("needs_response", "under_review")
        self._world.emit("charge.dispute.updated", dispute, {"status": before})
        verdict = {"winning_evidence": "won", "losing_evidence": "lost"}.get(evidence.get("uncategorized_text", ""))
        return self.close(dispute_id, verdict) if verdict and before in _LIVE else dispute

    def accept(self, dispute_id: str) -> Object:
        """POST /v1/disputes/{id}/close: the platform gives in."""
        return self.close(dispute_id, "lost")

    def close(self, dispute_id: str, verdict: str) -> Object:
        """The bank decides: `won` (for the platform) or `lost`; an inquiry is `warning_closed`. Stripe's fee is not
        given back."""
        dispute = self._world.get("dispute", dispute_id)
        if dispute["status"] not in _VERDICTS:
            raise invalid("This dispute is already closed.", "dispute_already_closed")
        if verdict not in _VERDICTS[dispute["status"]]:
            raise ValueError("a dispute is won or lost, an inquiry is warning_closed")
        before, dispute["status"] = dispute["status"], verdict
        if verdict == "won":
            self._book(dispute, dispute["amount"], "dispute_reversal")
            dispute["is_charge_refundable"] = True
            self._world.emit("charge.dispute.funds_reinstated", dispute)
        self._world.emit("charge.dispute.closed", dispute, {"status": before})
        return dispute

    def reopen(self, dispute_id: str) -> Object:
        """The bank of one that was won decides anew, and takes the money once more (not an API call)."""
        dispute = self._world.get("dispute", dispute_id)
        before = dispute["status"]
        dispute.update(status="under_review", is_charge_refundable=False)
        self._book(dispute, -dispute["amount"], "dispute")
        self._world.emit("charge.dispute.updated", dispute, {"status": before})
        self._world.emit("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def reinstate(self, dispute_id: str) -> Object:
        """One that was lost is won after an appeal (not an API call)."""
        dispute = self._world.get("dispute", dispute_id)
        before = dispute["status"]
        dispute.update(status="won", is_charge_refundable=True)
        self._book(dispute, dispute["amount"], "dispute_reversal")
        self._world.emit("charge.dispute.updated", dispute, {"status": before})
        self._world.emit("charge.dispute.funds_reinstated", dispute)
        return dispute

    def blocks_refund(self, charge: Object) -> bool:
        """Whether a dispute forbids to refund the charge."""
        against = [dispute for dispute in self._world.all("dispute") if dispute["charge"] == charge["id"]]
        return any(not dispute["is_charge_refundable"] for dispute in against)

    def refunded(self, charge: Object) -> None:
        """Nothing is left of the charge: inquiries about it are answered."""
        for dispute in list(self._world.all("dispute")):
            if charge["refunded"] and dispute["charge"] == charge["id"] and dispute["status"] in _ASKED:
                self.close(dispute["id"], "warning_closed")

    def warn(self, charge_id: str) -> Object:
        """The card's issuer suspects fraud: an early fraud warning."""
        charge = self._world.get("charge", charge_id)
        warning = self._world.new(
            "radar.early_fraud_warning",
            "issfr",
            actionable=True,
            charge=charge_id,
            fraud_type="made_with_stolen_card",
            payment_intent=charge["payment_intent"],
        )
        self._world.emit("radar.early_fraud_warning.created", warning)
        return warning

    def review(self, charge_id: str) -> Object:
        """Stripe's guard wants a person to look at the payment."""
        charge = self._world.get("charge", charge_id)
        review = self._world.new(
            "review",
            "prv",
            charge=charge_id,
            open=True,
            opened_reason="rule",
            payment_intent=charge["payment_intent"],
            reason="rule",
        )
        charge["review"] = review["id"]
        self._world.get("payment_intent", charge["payment_intent"])["review"] = review["id"]
        self._world.emit("review.opened", review)
        return review

    def end_review(self, review_id: str, reason: str = "approved") -> Object:
        """Somebody looked: approved, refunded, refunded_as_fraud, disputed."""
        review = self._world.get("review", review_id)
        review.update(open=False, closed_reason=reason, reason=reason)
        self._world.emit("review.closed", review)
        return review

    def _withdraw(self, dispute: Object) -> None:
        self._book(dispute, -dispute["amount"], "dispute", fee=self._world.rules.dispute_fee)

    def _book(self, dispute: Object, amount: int, category: str, fee: int = 0) -> None:
        transaction = self._world.move(PLATFORM, amount, "adjustment", dispute["id"], fee=fee, category=category)
        dispute["balance_transactions"].append(copy.deepcopy(self._world.get("balance_transaction", transaction)))
