"""The PaymentIntent: bounds, parameters, keys, and the states that only cards have."""

from dataclasses import replace

import pytest

from bloxtr8.rails import stripe_accounts, stripe_funding
from bloxtr8.rails.base import Funding, FundingStatus, RailBug, RailOutcomeUnknown
from tests.rails.bench import BUYER, ESCROW, GROSS, funding, opened, paid
from tests.rails.bench_stripe import StripeBench

INTENTS = "/v1/payment_intents"


@pytest.mark.parametrize("amount", [50, 99_999_999])
def test_takes_the_bounds(cards: StripeBench, amount: int) -> None:
    assert cards.rail.look(paid(cards, amount=amount)).deposits[0].amount == amount


@pytest.mark.parametrize("wrong", [{"amount": 49}, {"amount": 100_000_000}, {"amount": -50}, {"currency": "EUR"}])
def test_refuses_what_is_not_for_cards_without_asking_stripe(cards: StripeBench, wrong: dict[str, object]) -> None:
    with pytest.raises(RailBug):
        cards.rail.open(funding(**wrong))
    assert cards.double.requests == []


def test_makes_a_card_payment_of_the_platform_for_the_escrow(cards: StripeBench) -> None:
    place = opened(cards)
    assert place.external_id
    intent = cards.client.v1.payment_intents.retrieve(place.external_id)
    assert (intent.amount, intent.currency, intent.customer) == (GROSS, "usd", place.customer_id)
    assert intent.transfer_group == ESCROW
    assert intent.payment_method_types == ["card"]
    assert intent.metadata.to_dict() == {"protectedPayment": ESCROW, "opId": f"{ESCROW}:open:1"}


def test_uses_the_natural_keys(cards: StripeBench) -> None:
    cards.rail.close(opened(cards, attempt=2))
    assert cards.calls("POST", "/v1/customers") == [f"user:{BUYER}:customer"]
    assert cards.calls("POST", INTENTS) == [f"{ESCROW}:open:2"]
    (cancelled,) = (call for call in cards.double.requests if call.path.endswith("/cancel"))
    assert cancelled.idempotency_key == f"{ESCROW}:cancel"


def test_reuses_the_customer(cards: StripeBench) -> None:
    known = stripe_accounts.ensure_customer(BUYER, client=cards.client)
    assert stripe_accounts.ensure_customer(BUYER, client=cards.client) == known
    assert opened(cards, customer_id=known).customer_id == known
    assert len(cards.client.v1.customers.list().data) == 1


def test_a_stored_failure_of_the_customer_does_not_stop_the_trade(cards: StripeBench) -> None:
    cards.misfortune("failed after", "customer", 1)
    with pytest.raises(RailOutcomeUnknown):
        cards.rail.open(funding())
    first = cards.rail.open(funding())
    assert cards.rail.open(funding()) == first
    assert cards.places() == 1


def test_the_client_secret_is_fetched_and_never_shown_in_a_log(cards: StripeBench) -> None:
    place = opened(cards)
    shown = cards.rail.payment(place)
    assert place.external_id
    assert shown.client_secret
    assert shown.client_secret.startswith(place.external_id)
    assert shown.client_secret not in repr(shown)


def test_money_is_what_was_received_not_what_was_asked(cards: StripeBench) -> None:
    place = paid(cards)
    assert place.external_id
    cards.double._world.get("payment_intent", place.external_id)["amount_received"] = GROSS - 1
    (deposit,) = cards.rail.look(place).deposits
    assert deposit.amount == GROSS - 1


def test_a_deposit_is_named_by_its_charge(cards: StripeBench) -> None:
    place = paid(cards)
    (deposit,) = cards.rail.look(place).deposits
    assert deposit.ref == cards.charge_of(place)
    assert deposit.external_ids == (deposit.ref,)
    assert abs((deposit.at - cards.now()).total_seconds()) < 2


def test_a_question_of_the_buyers_bank_is_not_money(cards: StripeBench) -> None:
    place = opened(cards)
    assert place.external_id
    cards.pay(place, "pm_card_threeDSecure2Required")
    assert cards.rail.look(place).status is FundingStatus.UNPAID
    cards.double.authenticate(place.external_id)
    assert cards.rail.look(place).status is FundingStatus.PAID


def test_a_failed_question_is_a_refusal_with_a_code(cards: StripeBench) -> None:
    place = opened(cards)
    assert place.external_id
    cards.pay(place, "pm_card_threeDSecure2Required")
    cards.double.authenticate(place.external_id, succeeds=False)
    assert cards.rail.look(place).decline_code == "payment_intent_authentication_failure"


def test_a_payment_that_wins_against_the_cancellation_is_late_money(
    cards: StripeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = opened(cards)
    unpaid = stripe_funding._current(cards.client, place)
    cards.pay(place)
    monkeypatch.setattr(stripe_funding, "_current", lambda *_: unpaid)
    look = cards.rail.close(place)
    assert look.status is FundingStatus.PAID
    assert look.deposits[0].amount == GROSS


def test_a_payment_that_could_not_be_stopped_is_cancelled_once_it_failed(cards: StripeBench) -> None:
    """A refused cancellation would be replayed under its key: none is sent while it must be refused."""
    place = cards.pay_slowly(funding(), "pm_usBankAccount_accountClosed")
    assert cards.rail.close(place).status is FundingStatus.PROCESSING
    for _ in range(5):
        cards.wait(20 * 3_600)
        if cards.rail.look(place).status is FundingStatus.UNPAID:
            break
        assert cards.rail.close(place).status is FundingStatus.PROCESSING
    assert cards.rail.close(place).status is FundingStatus.CANCELED


@pytest.mark.parametrize(
    "spoiled", [{"status": "requires_capture"}, {"latest_charge": None}, {"transfer_group": "esc_x"}, {"metadata": {}}]
)
def test_refuses_a_payment_intent_that_is_not_as_we_made_it(cards: StripeBench, spoiled: dict[str, object]) -> None:
    place = paid(cards)
    assert place.external_id
    cards.double._world.get("payment_intent", place.external_id).update(spoiled)
    with pytest.raises(RailBug):
        cards.rail.look(place)


def test_refuses_a_payment_intent_that_stripe_does_not_know(cards: StripeBench) -> None:
    with pytest.raises(RailBug):
        cards.rail.look(funding(external_id="pi_unknown"))


def test_an_older_payment_of_the_buyer_is_not_taken_for_this_attempt(cards: StripeBench) -> None:
    first = opened(cards)
    second: Funding = replace(first, external_id=None, attempt=2)
    assert cards.rail.open(second).external_id != first.external_id


def test_stripe_reads_neither_the_word_escrow_nor_a_person(cards: StripeBench) -> None:
    cards.rail.close(opened(cards))
    cards.payee(ready=True)
    told = [f"{name}={value}" for call in cards.double.requests for name, value in call.params.items()]
    assert not [text for text in told if "escrow" in text.lower()]
    assert not [text for text in told if text.startswith(("email", "name", "phone", "individual"))]
