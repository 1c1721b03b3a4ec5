"""Disputes, early fraud warnings and reviews: what the banks and Stripe's own guard do to a charge."""

import copy

from local.doubles.stripe import schema
from local.doubles.stripe.errors import invalid
from local.doubles.stripe.ledger import PLATFORM
from local.doubles.stripe.messages import Object
from local.doubles.stripe.values import merged
from local.doubles.stripe.world import DAY, World

_LIVE = ("needs_response", "under_review")
_RESPONSE_SECONDS = 7 * DAY


class Disputes:
    """A dispute takes its amount and Stripe's fee from the platform at once; winning brings the amount back."""

    def __init__(self, world: World) -> None:
        self._world = world

    def open(self, charge_id: str, reason: str = "fraudulent") -> Object:
        """The buyer's bank takes the money back (not an API call)."""
        world = self._world
        charge = world.get("charge", charge_id)
        evidence = schema.blank("dispute", "evidence")
        dispute = world.new(
            "dispute",
            "du",
            amount=charge["amount_captured"] - charge["amount_refunded"],
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
            is_charge_refundable=False,
            metadata={},
            payment_intent=charge["payment_intent"],
            reason=reason,
            status="needs_response",
        )
        charge["disputed"] = True
        self._book(dispute, -dispute["amount"], fee=world.rules.dispute_fee)
        world.emit("charge.dispute.created", dispute)
        world.emit("charge.dispute.funds_withdrawn", dispute)
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
        if dispute["status"] != "needs_response":
            raise invalid("This dispute can no longer be updated.", "dispute_not_open")
        dispute["evidence"].update(evidence)
        dispute["evidence_details"]["has_evidence"] = True
        if not submit:
            return dispute
        details = dispute["evidence_details"]
        details.update(submission_count=details["submission_count"] + 1, submission_method="manual")
        dispute["status"] = "under_review"
        self._world.emit("charge.dispute.updated", dispute, {"status": "needs_response"})
        verdict = {"winning_evidence": "won", "losing_evidence": "lost"}.get(evidence.get("uncategorized_text", ""))
        return self.close(dispute_id, verdict) if verdict else dispute

    def accept(self, dispute_id: str) -> Object:
        """POST /v1/disputes/{id}/close: the platform gives in."""
        return self.close(dispute_id, "lost")

    def close(self, dispute_id: str, verdict: str) -> Object:
        """The bank decides: `won` (for the platform) or `lost`. Stripe's fee is not given back."""
        if verdict not in ("won", "lost"):
            raise ValueError("a dispute is won or lost")
        dispute = self._world.get("dispute", dispute_id)
        if dispute["status"] not in _LIVE:
            raise invalid("This dispute is already closed.", "dispute_already_closed")
        before, dispute["status"] = dispute["status"], verdict
        if verdict == "won":
            self._book(dispute, dispute["amount"])
            dispute["is_charge_refundable"] = True
            self._world.emit("charge.dispute.funds_reinstated", dispute)
        self._world.emit("charge.dispute.closed", dispute, {"status": before})
        return dispute

    def blocks_refund(self, charge: Object) -> bool:
        """Whether a dispute forbids to refund the charge."""
        against = [dispute for dispute in self._world.all("dispute") if dispute["charge"] == charge["id"]]
        return any(not dispute["is_charge_refundable"] for dispute in against)

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

    def _book(self, dispute: Object, amount: int, fee: int = 0) -> None:
        transaction = self._world.move(PLATFORM, amount, "adjustment", dispute["id"], fee=fee)
        dispute["balance_transactions"].append(copy.deepcopy(self._world.get("balance_transaction", transaction)))
