"""The money inside the double of Stripe: what is available when, who can have it, and that it sums to zero."""

from contextlib import suppress
from typing import Any

import pytest
import stripe
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from local.doubles.stripe import StripeDouble
from local.doubles.stripe.cards import CARDS
from local.doubles.stripe.errors import ApiError
from local.doubles.stripe.ledger import Ledger, Line
from tests.local.stripe_platform import Platform, in_process


@pytest.fixture
def double() -> StripeDouble:
    return StripeDouble()


@pytest.fixture
def platform(double: StripeDouble) -> Platform:
    return in_process(double)


def ready_seller(double: StripeDouble, platform: Platform) -> str:
    seller = platform.seller()
    double.onboard(seller)
    return seller


def types(double: StripeDouble, about: str) -> list[str]:
    """The events about one object, in order."""
    return [event["type"] for event in double.events if event["data"]["object"].get("id") == about]


def code_of(caught: pytest.ExceptionInfo[stripe.InvalidRequestError]) -> str | None:
    return caught.value.code


def test_a_charge_becomes_available_after_two_days(double: StripeDouble, platform: Platform) -> None:
    platform.pay()
    assert double.balance() == {"available": 0, "pending": 9_680}
    double.advance(days=2)
    assert double.balance() == {"available": 9_680, "pending": 0}
    balance = platform.client.v1.balance.retrieve()
    assert [(row.amount, row.currency) for row in balance.available] == [(9_680, "usd")]


@pytest.mark.parametrize(("card", "settle_seconds"), [("pm_card_bypassPending", 172_800), ("pm_card_visa", 0)])
def test_a_charge_can_be_available_at_once(card: str, settle_seconds: int) -> None:
    double = StripeDouble(settle_seconds=settle_seconds)
    in_process(double).pay(card)
    assert double.balance() == {"available": 9_680, "pending": 0}


def test_a_transfer_waits_with_its_charge(double: StripeDouble, platform: Platform) -> None:
    seller, paid = ready_seller(double, platform), platform.pay()
    transfer = platform.transfer(str(paid.latest_charge), seller, 9_500)
    assert (transfer.amount, transfer.destination, transfer.reversed) == (9_500, seller, False)
    assert double.balance(seller) == {"available": 0, "pending": 9_500}
    double.advance(days=2)
    assert double.balance(seller) == {"available": 9_500, "pending": 0}
    assert double.balance() == {"available": 180, "pending": 0}


def test_transfers_never_exceed_the_charge(double: StripeDouble, platform: Platform) -> None:
    seller, paid = ready_seller(double, platform), platform.pay()
    for amount in (4_000, 5_500):
        platform.transfer(str(paid.latest_charge), seller, amount)
    with pytest.raises(stripe.InvalidRequestError, match="must not exceed the source amount"):
        platform.transfer(str(paid.latest_charge), seller, 501)
    platform.transfer(str(paid.latest_charge), seller, 500)


def test_what_was_refunded_cannot_be_transferred(double: StripeDouble, platform: Platform) -> None:
    seller, paid = ready_seller(double, platform), platform.pay()
    platform.refund(paid, amount=6_000)
    with pytest.raises(stripe.InvalidRequestError, match="must not exceed"):
        platform.transfer(str(paid.latest_charge), seller, 4_001)
    platform.transfer(str(paid.latest_charge), seller, 4_000)


def test_a_transfer_belongs_to_the_group_of_its_charge(double: StripeDouble, platform: Platform) -> None:
    seller, paid = ready_seller(double, platform), platform.pay()
    with pytest.raises(stripe.InvalidRequestError, match="transfer_group"):
        Platform(platform.client, "esc_other").transfer(str(paid.latest_charge), seller, 100)


def test_without_a_source_only_available_money_moves(double: StripeDouble, platform: Platform) -> None:
    seller = ready_seller(double, platform)
    platform.pay()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        platform.transfer(None, seller, 9_000)
    assert code_of(caught) == "balance_insufficient"
    double.advance(days=2)
    assert platform.transfer(None, seller, 9_000).source_transaction is None


def test_a_settled_charge_needs_its_money_still_there(platform: Platform, double: StripeDouble) -> None:
    seller, paid = ready_seller(double, platform), platform.pay()
    double.advance(days=2)
    platform.transfer(None, seller, 9_000)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        platform.transfer(str(paid.latest_charge), seller, 9_000)
    assert code_of(caught) == "balance_insufficient"
    double.top_up(9_000)
    platform.transfer(str(paid.latest_charge), seller, 9_000)


def test_only_some_countries_have_accounts(platform: Platform) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        platform.client.v1.accounts.create({"country": "KP"})
    assert (code_of(caught), caught.value.param) == ("country_unsupported", "country")


@pytest.mark.parametrize(
    "params",
    [
        {"type": "express", "controller": {"stripe_dashboard": {"type": "express"}}},
        {"controller": {"losses": {"payments": "application"}, "fees": {"payer": "account"}}},
        {"type": "golden"},
    ],
)
def test_a_controller_has_to_make_sense(platform: Platform, params: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        platform.client.v1.accounts.create(params)


def test_a_seller_who_lost_his_capability_cannot_be_paid(double: StripeDouble, platform: Platform) -> None:
    seller, paid = ready_seller(double, platform), platform.pay()
    double.onboard(seller, succeeds=False)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        platform.transfer(str(paid.latest_charge), seller, 100)
    assert code_of(caught) == "insufficient_capabilities_for_transfer"
    account = platform.client.v1.accounts.retrieve(seller)
    assert account.requirements is not None
    assert account.requirements.currently_due == ["individual.verification.document"]


def test_reversals_bring_the_money_back(double: StripeDouble, platform: Platform) -> None:
    seller, paid = ready_seller(double, platform), platform.pay()
    transfer = platform.transfer(str(paid.latest_charge), seller, 8_000)
    part = platform.client.v1.transfers.reversals.create(transfer.id, {"amount": 3_000, "metadata": {"opId": "op_1"}})
    assert (part.amount, part.transfer) == (3_000, transfer.id)
    platform.client.v1.transfers.reversals.create(transfer.id)
    now = platform.client.v1.transfers.retrieve(transfer.id)
    assert (now.amount_reversed, now.reversed) == (8_000, True)
    assert [reversal.amount for reversal in now.reversals.data] == [5_000, 3_000]
    found = platform.client.v1.transfers.reversals.retrieve(transfer.id, part.id)
    assert found.metadata is not None
    assert found.metadata.to_dict() == {"opId": "op_1"}
    assert [one.amount for one in platform.client.v1.transfers.reversals.list(transfer.id)] == [5_000, 3_000]
    assert double.balance(seller) == {"available": 0, "pending": 0}
    assert types(double, transfer.id) == ["transfer.created", "transfer.reversed", "transfer.reversed"]
    with pytest.raises(stripe.InvalidRequestError, match="already fully reversed"):
        platform.client.v1.transfers.reversals.create(transfer.id)


def test_a_reversal_needs_the_seller_to_have_the_money(double: StripeDouble, platform: Platform) -> None:
    seller, paid = ready_seller(double, platform), platform.pay()
    transfer = platform.transfer(str(paid.latest_charge), seller, 8_000)
    double.pay_out(seller, 7_000)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        platform.client.v1.transfers.reversals.create(transfer.id, {"amount": 2_000})
    assert code_of(caught) == "balance_insufficient"
    assert platform.client.v1.transfers.retrieve(transfer.id).amount_reversed == 0


def test_a_refund_is_pending_first(double: StripeDouble, platform: Platform) -> None:
    paid = platform.pay("pm_card_bypassPending")
    refund = platform.refund(paid, amount=4_000)
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert platform.client.v1.refunds.retrieve(refund.id).status == "pending"
    double.advance(seconds=5)
    assert platform.client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert types(double, refund.id) == ["refund.created", "refund.updated", "charge.refund.updated"]
    assert double.balance() == {"available": 9_680 - 4_000, "pending": 0}


def test_a_refund_waits_for_available_money(double: StripeDouble, platform: Platform) -> None:
    paid = platform.pay()
    refund = platform.refund(paid, amount=4_000)
    assert (refund.status, refund.pending_reason, refund.balance_transaction) == ("pending", "insufficient_funds", None)
    double.advance(days=1)
    assert platform.client.v1.refunds.retrieve(refund.id).status == "pending"
    double.advance(days=1)
    assert platform.client.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_a_whole_refund_costs_the_platform_the_fee(double: StripeDouble, platform: Platform) -> None:
    paid = platform.pay("pm_card_bypassPending")
    refund = platform.refund(paid)
    double.advance(days=30)
    assert platform.client.v1.refunds.retrieve(refund.id).status == "pending"
    double.top_up(320)
    double.advance(seconds=1)
    assert platform.client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert double.balance() == {"available": 0, "pending": 0}


def test_an_opening_balance_pays_refunds_at_once() -> None:
    double = StripeDouble(opening_balance=50_000)
    platform = in_process(double)
    assert platform.refund(platform.pay()).pending_reason == "processing"
    assert double.balance() == {"available": 40_000, "pending": 9_680}


def test_a_failed_refund_gives_the_money_back(double: StripeDouble, platform: Platform) -> None:
    paid = platform.pay("pm_card_bypassPending")
    refund = platform.refund(paid, amount=4_000)
    double.fail_refund(refund.id)
    failed = platform.client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert double.balance() == {"available": 9_680, "pending": 0}
    assert platform.client.v1.charges.retrieve(str(paid.latest_charge)).amount_refunded == 0
    assert types(double, refund.id) == ["refund.created", "refund.failed", "refund.updated", "charge.refund.updated"]


def test_a_refund_can_fail_after_it_succeeded(double: StripeDouble, platform: Platform) -> None:
    refund = platform.refund(platform.pay("pm_card_refundFail"), amount=100)
    double.advance(days=2)
    double.advance(seconds=600)
    assert platform.client.v1.refunds.retrieve(refund.id).status == "failed"
    assert types(double, refund.id)[1:4] == ["refund.updated", "charge.refund.updated", "refund.failed"]


def test_a_refund_can_be_slow(double: StripeDouble, platform: Platform) -> None:
    refund = platform.refund(platform.pay("pm_card_pendingRefund"), amount=100)
    double.top_up(1_000)
    double.advance(seconds=599)
    assert platform.client.v1.refunds.retrieve(refund.id).status == "pending"
    assert double.refund_due_in() == 1
    double.advance(seconds=1)
    assert platform.client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert double.refund_due_in() == 0


def test_the_bank_asks_its_customer(double: StripeDouble, platform: Platform) -> None:
    asked = platform.pay("pm_card_authenticationRequired")
    assert asked.status == "requires_action"
    assert asked.next_action is not None
    double.authenticate(asked.id, succeeds=False)
    assert platform.client.v1.payment_intents.retrieve(asked.id).status == "requires_payment_method"
    again = platform.client.v1.payment_intents.confirm(
        asked.id, {"payment_method": "pm_card_authenticationRequired", "return_url": "https://bloxtr8.example"}
    )
    assert again.next_action is not None
    assert again.next_action.type == "redirect_to_url"
    double.authenticate(asked.id)
    assert platform.client.v1.payment_intents.retrieve(asked.id).status == "succeeded"


@pytest.mark.parametrize(
    ("method", "ends"),
    [("pm_usBankAccount_success", "succeeded"), ("pm_usBankAccount_accountClosed", "requires_payment_method")],
)
def test_a_bank_debit_is_under_way_for_days(double: StripeDouble, platform: Platform, method: str, ends: str) -> None:
    intent = platform.open(allowed_payment_method_types=["card", "us_bank_account"])
    paying = platform.client.v1.payment_intents.confirm(intent.id, {"payment_method": method})
    assert (paying.status, paying.amount_received) == ("processing", 0)
    with pytest.raises(stripe.InvalidRequestError):
        platform.client.v1.payment_intents.cancel(intent.id)
    double.advance(days=4)
    assert platform.client.v1.payment_intents.retrieve(intent.id).status == ends


def test_any_payment_can_be_slow(double: StripeDouble, platform: Platform) -> None:
    intent = platform.open()
    double.pay_slowly(intent.id)
    assert platform.client.v1.payment_intents.retrieve(intent.id).status == "processing"
    assert types(double, intent.id) == ["payment_intent.created", "payment_intent.processing"]
    double.advance(days=4)
    assert platform.client.v1.payment_intents.retrieve(intent.id).amount_received == 10_000


@pytest.mark.parametrize("name", CARDS)
def test_every_declared_card_does_what_stripe_could_do(double: StripeDouble, platform: Platform, name: str) -> None:
    intent = platform.open(allowed_payment_method_types=["card", "us_bank_account"])
    with suppress(stripe.CardError):
        platform.client.v1.payment_intents.confirm(intent.id, {"payment_method": name})
    assert platform.client.v1.payment_intents.retrieve(intent.id).status != "requires_confirmation"
    double.advance(days=5)
    assert double.ledger_sum() == 0


def test_only_allowed_methods_pay(platform: Platform) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        platform.pay("pm_usBankAccount_success")
    assert code_of(caught) == "payment_intent_incompatible_payment_method"


def test_only_declared_test_cards_exist(platform: Platform) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        platform.pay("pm_card_madeUp")
    assert (code_of(caught), caught.value.http_status) == ("resource_missing", 404)


def test_a_dispute_takes_the_money_and_a_fee(double: StripeDouble, platform: Platform) -> None:
    paid = platform.pay("pm_card_createDispute")
    double.advance(days=2)
    assert double.balance() == {"available": -320 - 1_500, "pending": 0}
    (dispute,) = platform.client.v1.disputes.list({"payment_intent": paid.id}).data
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 10_000)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        platform.refund(paid)
    assert code_of(caught) == "charge_disputed"
    double.close_dispute(dispute.id, "won")
    assert double.balance() == {"available": 10_000 - 320 - 1_500, "pending": 0}
    assert types(double, dispute.id)[-2:] == ["charge.dispute.funds_reinstated", "charge.dispute.closed"]
    assert platform.refund(paid, amount=100).status == "pending"


@pytest.mark.parametrize(("evidence", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_evidence_decides_a_dispute(platform: Platform, evidence: str, status: str) -> None:
    paid = platform.pay("pm_card_createDisputeProductNotReceived")
    (dispute,) = platform.client.v1.disputes.list({"charge": str(paid.latest_charge)}).data
    platform.client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}})
    assert platform.client.v1.disputes.retrieve(dispute.id).status == status
    with pytest.raises(stripe.InvalidRequestError):
        platform.client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}})


def test_a_dispute_can_be_given_up(double: StripeDouble, platform: Platform) -> None:
    paid = platform.pay()
    dispute = double.open_dispute(str(paid.latest_charge), "duplicate")
    assert platform.client.v1.disputes.close(dispute["id"]).status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        platform.client.v1.disputes.close(dispute["id"])


def test_an_inquiry_takes_nothing_until_the_bank_makes_a_dispute_of_it(
    double: StripeDouble, platform: Platform
) -> None:
    paid = platform.pay("pm_card_createDisputeInquiry")
    double.advance(days=2)
    (inquiry,) = platform.client.v1.disputes.list({"payment_intent": paid.id}).data
    assert (inquiry.status, inquiry.is_charge_refundable) == ("warning_needs_response", True)
    assert (inquiry.balance_transactions, double.balance()["available"]) == ([], 10_000 - 320)
    answered = platform.client.v1.disputes.update(inquiry.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert answered.status == "warning_under_review"
    with pytest.raises(ValueError, match="warning_closed"):
        double.close_dispute(inquiry.id, "lost")
    double.escalate_dispute(inquiry.id)
    assert double.balance()["available"] == -320 - 1_500
    double.close_dispute(inquiry.id, "lost")
    told = ["created", "updated", "updated", "funds_withdrawn", "closed"]
    assert types(double, inquiry.id) == [f"charge.dispute.{name}" for name in told]
    with pytest.raises(stripe.InvalidRequestError):
        platform.refund(paid)


def test_a_full_refund_answers_an_inquiry(double: StripeDouble, platform: Platform) -> None:
    paid = platform.pay()
    inquiry = double.open_dispute(str(paid.latest_charge), inquiry=True)["id"]
    platform.refund(paid, amount=4_000)
    assert platform.client.v1.disputes.retrieve(inquiry).status == "warning_needs_response"
    platform.refund(paid)
    assert platform.client.v1.disputes.retrieve(inquiry).status == "warning_closed"
    with pytest.raises(ApiError):
        double.escalate_dispute(inquiry)


def test_parts_of_a_charge_are_disputed_one_by_one(double: StripeDouble, platform: Platform) -> None:
    charge = str(platform.pay().latest_charge)
    parts = [double.open_dispute(charge, amount=amount)["id"] for amount in (3_000, 2_000)]
    double.close_dispute(parts[0], "won")
    double.advance(days=2)
    assert double.balance()["available"] == 10_000 - 320 - 2 * 1_500 - 2_000
    (taken, back) = platform.client.v1.disputes.retrieve(parts[0]).balance_transactions
    assert (taken.amount, taken.fee, taken.reporting_category) == (-3_000, 1_500, "dispute")
    assert (back.amount, back.fee, back.reporting_category) == (3_000, 0, "dispute_reversal")


@pytest.mark.parametrize(
    ("card", "event"),
    [
        ("pm_card_createIssuerFraudWarning", "radar.early_fraud_warning.created"),
        ("pm_card_riskLevelElevated", "review.opened"),
    ],
)
def test_suspicious_payments_are_told(double: StripeDouble, platform: Platform, card: str, event: str) -> None:
    paid = platform.pay(card)
    (told,) = [one["data"]["object"] for one in double.events if one["type"] == event]
    assert told["payment_intent"] == paid.id


def test_identity_is_verified_from_outside(double: StripeDouble, platform: Platform) -> None:
    session = platform.client.v1.identity.verification_sessions.create(
        {
            "type": "document",
            "metadata": {"userId": "usr_1"},
            "options": {"document": {"require_matching_selfie": True}},
        }
    )
    double.decide_identity(session.id, succeeds=False)
    asked = platform.client.v1.identity.verification_sessions.retrieve(session.id)
    assert asked.last_error is not None
    assert (asked.status, asked.last_error.code) == ("requires_input", "document_expired")
    double.decide_identity(session.id)
    assert platform.client.v1.identity.verification_sessions.retrieve(session.id).status == "verified"
    assert types(double, session.id) == [
        f"identity.verification_session.{name}" for name in ("created", "requires_input", "verified")
    ]


def test_an_unbalanced_movement_cannot_be_booked() -> None:
    with pytest.raises(ValueError, match="does not balance"):
        Ledger().post(Line("platform", 100, 0), Line("outside", -99, 0))


class AnyOrder(RuleBasedStateMachine):
    """Whatever is done in whatever order: no cent appears, no seller gets more than was paid."""

    @initialize(settle_seconds=st.sampled_from([0, 172_800]), opening_balance=st.sampled_from([0, 100_000]))
    def start(self, settle_seconds: int, opening_balance: int) -> None:
        self.double = StripeDouble(settle_seconds=settle_seconds, opening_balance=opening_balance)
        self.platform = in_process(self.double)
        self.seller = ready_seller(self.double, self.platform)
        self.paid: list[stripe.PaymentIntent] = []

    @rule(amount=st.integers(50, 20_000), card=st.sampled_from(["pm_card_visa", "pm_card_refundFail"]))
    def pay(self, amount: int, card: str) -> None:
        self.paid.append(self.platform.pay(card, amount=amount))

    @precondition(lambda self: self.paid)
    @rule(data=st.data(), amount=st.integers(1, 20_000), what=st.sampled_from(["transfer", "refund", "dispute"]))
    def move(self, data: Any, amount: int, what: str) -> None:
        intent = data.draw(st.sampled_from(self.paid))
        with suppress(stripe.InvalidRequestError):
            if what == "transfer":
                self.platform.transfer(str(intent.latest_charge), self.seller, amount)
            elif what == "refund":
                self.platform.refund(intent, amount=amount)
            else:
                self.double.open_dispute(str(intent.latest_charge))

    @rule(amount=st.integers(1, 20_000))
    def reverse(self, amount: int) -> None:
        for transfer in self.platform.client.v1.transfers.list({"limit": 1}):
            with suppress(stripe.InvalidRequestError):
                self.platform.client.v1.transfers.reversals.create(transfer.id, {"amount": amount})

    @rule(seconds=st.sampled_from([1, 10, 86_400, 259_200]))
    def wait(self, seconds: int) -> None:
        self.double.advance(seconds=seconds)

    @invariant()
    def sums_to_zero(self) -> None:
        if hasattr(self, "double"):
            assert self.double.ledger_sum() == 0

    @invariant()
    def nobody_gets_more_than_was_paid(self) -> None:
        for intent in getattr(self, "paid", []):
            charge = self.platform.client.v1.charges.retrieve(str(intent.latest_charge))
            sent = self.platform.client.v1.transfers.list({"transfer_group": self.platform.group, "limit": 100})
            drawn = sum(transfer.amount for transfer in sent if transfer.source_transaction == charge.id)
            assert charge.amount_refunded <= charge.amount_captured
            assert drawn <= charge.amount_captured

    @invariant()
    def what_the_seller_has_was_transferred(self) -> None:
        if hasattr(self, "double"):
            sent = self.platform.client.v1.transfers.list({"destination": self.seller, "limit": 100})
            balance = self.double.balance(self.seller)
            assert balance["available"] + balance["pending"] == sum(one.amount - one.amount_reversed for one in sent)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=20, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
