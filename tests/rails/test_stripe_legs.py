"""Transfers, refunds and reversals: what only Stripe does to them."""

import datetime as dt
from dataclasses import replace

import pytest

from bloxtr8.rails import stripe_legs
from bloxtr8.rails.base import LegKind, LegOutcome, LegStatus, RailBug, RailFrozen, RailFundsPending, SellerNotReady
from tests.emulator import Clock
from tests.rails.bench import (
    DAY,
    ESCROW,
    GROSS,
    NET,
    OTHER_ESCROW,
    SETTLEMENT,
    funding,
    leg,
    opened,
    order,
    paid,
)
from tests.rails.bench_stripe import StripeBench


def test_transfers_what_the_charge_brought_before_it_is_available(cards: StripeBench) -> None:
    sent = leg(cards, LegKind.TRANSFER)
    outcome = cards.rail.send(sent)
    transfer = cards.client.v1.transfers.retrieve(outcome.external_id)
    assert (transfer.amount, transfer.destination) == (NET, sent.destination)
    assert transfer.source_transaction == cards.charge_of(funding(external_id=sent.funding_id))
    (call,) = (call for call in cards.double.requests if (call.method, call.path) == ("POST", "/v1/transfers"))
    assert transfer.transfer_group == call.params["transfer_group"] == ESCROW
    assert transfer.metadata.to_dict() == {"protectedPayment": ESCROW, "opId": f"{SETTLEMENT}:1:1"}
    assert outcome.available_at
    assert dt.timedelta(days=1) < outcome.available_at - cards.now() <= dt.timedelta(days=2)


@pytest.mark.parametrize(("kind", "path"), [(LegKind.TRANSFER, "/v1/transfers"), (LegKind.REFUND, "/v1/refunds")])
def test_uses_the_natural_key_of_the_attempt(cards: StripeBench, kind: LegKind, path: str) -> None:
    cards.rail.send(replace(leg(cards, kind), leg=2, attempt=3))
    assert cards.calls("POST", path) == [f"{SETTLEMENT}:2:3"]


def test_a_refund_is_sent_until_stripe_says_succeeded(cards: StripeBench) -> None:
    place = opened(cards)
    cards.pay(place, "pm_card_pendingRefund")
    sent = order(place, LegKind.REFUND, GROSS)
    first = cards.rail.send(sent)
    assert (first.status, first.reason) == (LegStatus.SENT, "processing")
    cards.wait(60)
    assert cards.rail.find(sent) == cards.rail.send(sent) == first
    cards.wait(3_600)
    assert cards.rail.find(sent) == LegOutcome(status=LegStatus.CONFIRMED, external_id=first.external_id)


def test_a_refund_waits_for_the_balance_and_says_so(clock: Clock) -> None:
    cards = StripeBench(clock, opening_balance=0)
    sent = leg(cards, LegKind.REFUND)
    outcome = cards.rail.send(sent)
    assert (outcome.status, outcome.reason) == (LegStatus.SENT, "insufficient_funds")
    cards.double.top_up(GROSS)
    cards.wait(60)
    found = cards.rail.find(sent)
    assert found
    assert found.status is LegStatus.CONFIRMED


def test_a_confirmed_refund_may_come_back_later(cards: StripeBench) -> None:
    place = opened(cards)
    cards.pay(place, "pm_card_refundFail")
    sent = order(place, LegKind.REFUND, GROSS)
    cards.rail.send(sent)
    statuses = []
    for seconds in (60, DAY):
        cards.wait(seconds)
        found = cards.rail.find(sent)
        assert found
        statuses.append((found.status, found.reason))
    assert statuses == [(LegStatus.CONFIRMED, None), (LegStatus.REJECTED, "expired_or_canceled_card")]


def test_an_attempt_raised_without_reason_finds_the_live_refund_not_the_failed_one(cards: StripeBench) -> None:
    sent = leg(cards, LegKind.REFUND)
    cards.rail.send(sent)
    cards.wait(60)
    cards.fail_refunds()
    second = cards.rail.send(replace(sent, attempt=2))
    assert cards.rail.find(sent) == cards.rail.find(replace(sent, attempt=3)) == second


def test_a_refund_made_in_the_dashboard_is_not_taken_for_ours(cards: StripeBench) -> None:
    sent = leg(cards, LegKind.REFUND)
    cards.client.v1.refunds.create({"payment_intent": sent.funding_id})
    assert cards.rail.find(sent) is None
    with pytest.raises(RailBug):
        cards.rail.send(sent)
    assert cards.moved(LegKind.REFUND) == [GROSS]


def test_already_refunded_by_a_try_of_ours_is_success(cards: StripeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = leg(cards, LegKind.REFUND)
    first = cards.rail.send(sent)
    look, answers = stripe_legs.find, iter([None])
    monkeypatch.setattr(stripe_legs, "find", lambda *args: next(answers, look(*args)))
    assert cards.rail.send(replace(sent, attempt=2)) == first
    assert cards.moved(LegKind.REFUND) == [GROSS]


def test_waits_where_the_balance_does_not_cover_a_transfer(clock: Clock) -> None:
    """Stripe's fee is taken from the charge: a platform without money of its own cannot pay everything out."""
    cards = StripeBench(clock, opening_balance=0)
    sent = leg(cards, LegKind.TRANSFER)
    cards.wait(3 * DAY)
    with pytest.raises(RailFundsPending) as caught:
        cards.rail.send(sent)
    assert caught.value.available_at > clock.now()
    assert cards.rail.find(sent) is None
    cards.double.top_up(GROSS)
    assert cards.rail.send(replace(sent, attempt=2)).status is LegStatus.CONFIRMED


def test_a_refusal_is_kept_under_its_key_so_the_next_attempt_needs_another(cards: StripeBench) -> None:
    sent = order(paid(cards), LegKind.TRANSFER, NET, destination=cards.payee(ready=False))
    with pytest.raises(SellerNotReady):
        cards.rail.send(sent)
    assert sent.destination
    cards.make_ready(sent.destination)
    with pytest.raises(SellerNotReady):
        cards.rail.send(sent)
    assert cards.rail.send(replace(sent, attempt=2)).status is LegStatus.CONFIRMED


DISPUTES = {
    "needs_response": True,
    "under_review": True,
    "warning_needs_response": True,
    "warning_under_review": True,
    "appeal_needs_response": True,
    "appeal_under_review": True,
    "prevented": True,
    "lost": True,
    "won": False,
    "warning_closed": False,
}


@pytest.mark.parametrize(("status", "frozen"), DISPUTES.items())
def test_only_a_dispute_that_is_over_lets_money_go(cards: StripeBench, status: str, frozen: bool) -> None:
    place = paid(cards)
    dispute = cards.double.open_dispute(cards.charge_of(place))
    cards.double._world.get("dispute", dispute["id"])["status"] = status
    sent = order(place, LegKind.TRANSFER, NET, destination=cards.payee(ready=True))
    if frozen:
        with pytest.raises(RailFrozen) as caught:
            cards.rail.send(sent)
        assert caught.value.object_id == dispute["id"]
    else:
        assert cards.rail.send(sent).status is LegStatus.CONFIRMED
    assert cards.moved(LegKind.TRANSFER) == ([] if frozen else [NET])


def test_a_dispute_that_comes_between_look_and_refund_freezes_too(
    cards: StripeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = leg(cards, LegKind.REFUND)
    charge = stripe_legs._payable(cards.client, sent)
    cards.dispute(funding(external_id=sent.funding_id))
    monkeypatch.setattr(stripe_legs, "_payable", lambda *_: charge)
    with pytest.raises(RailFrozen):
        cards.rail.send(sent)


def test_takes_a_transfer_back_even_while_disputed(cards: StripeBench) -> None:
    sent = leg(cards, LegKind.REVERSAL)
    cards.dispute(funding(external_id=sent.funding_id))
    assert cards.rail.send(sent).status is LegStatus.CONFIRMED


def test_a_seller_who_spent_the_money_is_a_refusal_for_good(cards: StripeBench) -> None:
    place, seller = paid(cards), cards.payee(ready=True)
    transfer = cards.rail.send(order(place, LegKind.TRANSFER, NET, destination=seller))
    cards.double._world.move(seller, -NET, "payout", "po_1")
    outcome = cards.rail.send(order(place, LegKind.REVERSAL, NET, leg=2, reverses=transfer.external_id))
    assert (outcome.status, outcome.reason) == (LegStatus.REJECTED, "balance_insufficient")


def test_refuses_to_take_back_more_than_was_transferred(cards: StripeBench) -> None:
    with pytest.raises(RailBug):
        cards.rail.send(replace(leg(cards, LegKind.REVERSAL), amount=NET + 1))


def test_a_refund_that_was_cancelled_is_refused(cards: StripeBench) -> None:
    sent = leg(cards, LegKind.REFUND)
    made = cards.rail.send(sent)
    cards.double._world.get("refund", made.external_id).update(status="canceled", pending_reason=None)
    assert cards.rail.find(sent) == LegOutcome(status=LegStatus.REJECTED, external_id=made.external_id)


@pytest.mark.parametrize("kind", list(LegKind))
def test_a_leg_that_moves_nothing_does_not_reach_stripe(cards: StripeBench, kind: LegKind) -> None:
    sent = replace(leg(cards, kind), amount=0)
    before = len(cards.double.requests)
    with pytest.raises(RailBug):
        cards.rail.send(sent)
    assert len(cards.double.requests) == before


def test_refuses_to_reverse_the_transfer_of_another_escrow(cards: StripeBench) -> None:
    sent = leg(cards, LegKind.REVERSAL)
    with pytest.raises(RailBug):
        cards.rail.send(replace(sent, escrow_id=OTHER_ESCROW))
    assert cards.moved(LegKind.REVERSAL) == []


@pytest.mark.parametrize("missing", [{"kind": LegKind.TRANSFER}, {"kind": LegKind.REVERSAL}])
def test_refuses_an_order_that_lacks_its_other_end(cards: StripeBench, missing: dict[str, LegKind]) -> None:
    with pytest.raises(RailBug):
        cards.rail.send(replace(order(paid(cards), LegKind.REFUND, NET), **missing))


def test_finds_a_leg_behind_a_hundred_others(cards: StripeBench) -> None:
    place, seller = paid(cards), cards.payee(ready=True)
    legs = [order(place, LegKind.TRANSFER, 50, leg=number, destination=seller) for number in range(1, 103)]
    made = [cards.rail.send(each).external_id for each in legs]
    assert cards.rail.find(legs[0]) == LegOutcome(status=LegStatus.CONFIRMED, external_id=made[0])


def test_no_leg_ever_lets_stripe_pay_more_than_the_charge(cards: StripeBench) -> None:
    place, seller = paid(cards), cards.payee(ready=True)
    cards.rail.send(order(place, LegKind.TRANSFER, NET, destination=seller))
    with pytest.raises(RailBug):
        cards.rail.send(order(place, LegKind.TRANSFER, NET, leg=2, destination=seller))
