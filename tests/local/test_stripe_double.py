"""What the double and Stripe must both do. `pytest -m live` runs the same tests against Stripe's sandbox
(STRIPE_TEST_KEY), so that an operator can prove the double wrong."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from local.doubles.stripe import StripeDouble
from tests.local.stripe_platform import Platform, in_process, over_http, sandbox


@pytest.fixture(params=["in process", "http", pytest.param("sandbox", marks=pytest.mark.live)])
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    if request.param == "sandbox":
        yield sandbox()
        return
    double = StripeDouble()
    if request.param == "in process":
        yield in_process(double)
    else:
        with over_http(double) as served:
            yield served
    assert double.ledger_sum() == 0


def refused(call: Any) -> tuple[str | None, int | None]:
    """The code and status of the refusal."""
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call()
    return caught.value.code, caught.value.http_status


def test_a_payment_intent_is_what_was_asked(platform: Platform) -> None:
    intent = platform.open()
    assert (intent.status, intent.amount, intent.amount_received) == ("requires_payment_method", 10_000, 0)
    assert (intent.currency, intent.transfer_group, intent.livemode) == ("usd", platform.group, False)
    assert intent.metadata["escrowId"] == platform.group
    assert intent.payment_method_types == ["card"]
    assert intent.client_secret is not None
    assert intent.client_secret.startswith(intent.id + "_secret_")


def test_payment_method_types_is_gone(platform: Platform) -> None:
    code, status = refused(lambda: platform.open(payment_method_types=["card"]))
    assert (code, status) == ("payment_method_types_no_longer_supported", 400)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"escrow_id": "x"}, "parameter_unknown"),
        ({"amount": 49}, "amount_too_small"),
        ({"amount": 100_000_000}, "amount_too_large"),
        ({"amount": "ten"}, "parameter_invalid_integer"),
        ({"description": ""}, "parameter_invalid_empty"),
        ({"customer": "cus_nobody"}, "resource_missing"),
    ],
)
def test_wrong_parameters_are_refused(platform: Platform, changes: dict[str, Any], code: str) -> None:
    assert refused(lambda: platform.open(**changes)) == (code, 400)


def test_a_missing_parameter_is_refused(platform: Platform) -> None:
    params: Any = {"currency": "usd"}
    assert refused(lambda: platform.client.v1.payment_intents.create(params)) == ("parameter_missing", 400)


def test_a_card_pays(platform: Platform) -> None:
    paid = platform.pay()
    assert (paid.status, paid.amount_received) == ("succeeded", 10_000)
    charge = platform.client.v1.charges.retrieve(str(paid.latest_charge), {"expand": ["balance_transaction"]})
    assert (charge.status, charge.paid, charge.transfer_group) == ("succeeded", True, platform.group)
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert charge.balance_transaction.net == 10_000 - charge.balance_transaction.fee
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert charge.payment_method_details.card.last4 == "4242"


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ],
)
def test_a_declined_card_leaves_the_payment_open(platform: Platform, card: str, code: str, decline_code: str) -> None:
    intent = platform.open()
    with pytest.raises(stripe.CardError) as caught:
        platform.client.v1.payment_intents.confirm(intent.id, {"payment_method": card})
    assert (caught.value.http_status, caught.value.code) == (402, code)
    now = platform.client.v1.payment_intents.retrieve(intent.id)
    assert (now.status, now.payment_method, now.amount_received) == ("requires_payment_method", None, 0)
    assert now.last_payment_error is not None
    assert now.last_payment_error.decline_code == decline_code
    paid = platform.client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)


def test_a_canceled_payment_stays_canceled(platform: Platform) -> None:
    intent = platform.open()
    canceled = platform.client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    again = refused(lambda: platform.client.v1.payment_intents.cancel(intent.id))
    late = refused(lambda: platform.client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}))
    assert again == late == ("payment_intent_unexpected_state", 400)


def test_a_paid_payment_cannot_be_canceled(platform: Platform) -> None:
    paid = platform.pay()
    assert refused(lambda: platform.client.v1.payment_intents.cancel(paid.id))[0] == "payment_intent_unexpected_state"


def test_a_refund_never_exceeds_the_charge(platform: Platform) -> None:
    paid = platform.pay("pm_card_bypassPending")
    part = platform.refund(paid, amount=4_000, metadata={"opId": "op_1"})
    assert (part.amount, part.charge, part.payment_intent) == (4_000, paid.latest_charge, paid.id)
    assert refused(lambda: platform.refund(paid, amount=6_001))[1] == 400
    assert platform.refund(paid).amount == 6_000
    assert refused(lambda: platform.refund(paid)) == ("charge_already_refunded", 400)
    found = platform.client.v1.refunds.list({"payment_intent": paid.id})
    assert [refund.amount for refund in found] == [6_000, 4_000]
    assert found.data[1].metadata is not None
    assert found.data[1].metadata["opId"] == "op_1"


def test_what_does_not_exist_is_404(platform: Platform) -> None:
    assert refused(lambda: platform.client.v1.payment_intents.retrieve("pi_none")) == ("resource_missing", 404)
    assert refused(lambda: platform.client.v1.refunds.retrieve("re_none")) == ("resource_missing", 404)
    with pytest.raises(stripe.PermissionError) as caught:
        platform.client.v1.accounts.retrieve("acct_none")
    assert caught.value.error is not None
    assert caught.value.error.code == "account_invalid"


def test_a_new_seller_cannot_be_paid(platform: Platform) -> None:
    seller, paid = platform.seller(), platform.pay()
    account = platform.client.v1.accounts.retrieve(seller)
    assert (account.payouts_enabled, account.details_submitted) == (False, False)
    assert account.controller is not None
    assert account.controller.stripe_dashboard is not None
    assert account.controller.stripe_dashboard.type == "express"
    code, status = refused(lambda: platform.transfer(str(paid.latest_charge), seller, 1_000))
    assert (code, status) == ("insufficient_capabilities_for_transfer", 400)


def test_an_account_link_leads_to_onboarding(platform: Platform) -> None:
    link = platform.client.v1.account_links.create(
        {
            "account": platform.seller(),
            "type": "account_onboarding",
            "refresh_url": "https://bloxtr8.example/again",
            "return_url": "https://bloxtr8.example/done",
        }
    )
    assert link.url.startswith("http")
    assert 0 < link.expires_at - link.created <= 3_600


def test_a_key_answers_once(platform: Platform) -> None:
    key = f"open:{uuid.uuid4()}"
    first, again = platform.open(key), platform.open(key)
    assert first.id == again.id
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        platform.open(key, amount=10_001)


def test_a_refusal_is_kept_under_its_key(platform: Platform) -> None:
    intent, key = platform.open(), f"confirm:{uuid.uuid4()}"
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            platform.client.v1.payment_intents.confirm(
                intent.id, {"payment_method": "pm_card_chargeDeclined"}, {"idempotency_key": key}
            )
    assert len(platform.client.v1.charges.list({"payment_intent": intent.id}).data) == 1


def test_bad_parameters_do_not_use_up_their_key(platform: Platform) -> None:
    key = f"open:{uuid.uuid4()}"
    assert refused(lambda: platform.open(key, escrow_id="x"))[0] == "parameter_unknown"
    assert platform.open(key).status == "requires_payment_method"


def test_lists_are_newest_first_and_paged(platform: Platform) -> None:
    customer = platform.client.v1.customers.create({"metadata": {"userId": "usr_1"}})
    made = [platform.open(customer=customer.id).id for _ in range(3)]
    page = platform.client.v1.payment_intents.list({"customer": customer.id, "limit": 2})
    assert [intent.id for intent in page] == [made[2], made[1]]
    assert page.has_more
    assert [intent.id for intent in page.auto_paging_iter()] == made[::-1]
    assert platform.client.v1.transfers.list({"transfer_group": platform.group}).data == []


def test_metadata_is_merged_and_unset(platform: Platform) -> None:
    intent = platform.open()
    changes: Any = {"metadata": {"escrowId": "", "opId": "op_1"}}
    assert platform.client.v1.payment_intents.update(intent.id, changes).metadata.to_dict() == {"opId": "op_1"}


def test_a_live_key_is_not_for_tests(platform: Platform) -> None:
    with pytest.raises(stripe.AuthenticationError):
        platform.client.v1.customers.create({}, {"api_key": "sk_live_1"})
