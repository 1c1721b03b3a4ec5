"""Doubts about a card payment, and refunds that no leg ordered, as Stripe tells of them."""

from dataclasses import replace

import pytest

from bloxtr8.rails.base import Doubt, LegKind, LegOutcome, LegStatus, RailBug, RefundSeen
from tests.rails.bench import GROSS, leg, opened, order, paid
from tests.rails.bench_stripe import StripeBench


def test_a_fraud_warning_names_its_payment_and_stands(cards: StripeBench) -> None:
    place = paid(cards)
    warning = cards.double.warn(cards.charge_of(place))

    assert cards.rail.warning(warning["id"]) == Doubt(
        cause=f"warning:{warning['id']}",
        payment_ids=(str(place.external_id), cards.charge_of(place)),
        stands=True,
        cleared=False,
    )


@pytest.mark.parametrize(
    ("reason", "cleared"), [("approved", True), ("refunded", False), ("refunded_as_fraud", False), ("disputed", False)]
)
def test_a_review_stands_while_it_is_open_and_only_its_approval_clears(
    cards: StripeBench, reason: str, cleared: bool
) -> None:
    place = opened(cards)
    cards.pay(place, "pm_card_riskLevelElevated")
    (review,) = [one["data"]["object"]["id"] for one in cards.double.events if one["type"] == "review.opened"]
    under_way = cards.rail.review(review)
    assert (under_way.cause, under_way.stands, under_way.cleared) == (f"review:{review}", True, False)
    assert under_way.payment_ids == (place.external_id, cards.charge_of(place))

    cards.double.end_review(review, reason)

    over = cards.rail.review(review)
    assert (over.stands, over.cleared) == (False, cleared)


def test_a_refund_of_the_dashboard_is_seen_by_its_id(cards: StripeBench) -> None:
    place = paid(cards)
    made = cards.client.v1.refunds.create({"payment_intent": str(place.external_id), "amount": 700})

    seen = cards.rail.refund(made.id)

    assert seen == RefundSeen(
        external_id=made.id, funding_id=str(place.external_id), amount=700, currency="USD", status=LegStatus.SENT
    )
    assert cards.rail.refunded(cards.charge_of(place)) == 700
    cards.wait(3_600)
    assert cards.rail.refund(made.id).status is LegStatus.CONFIRMED
    cards.double.fail_refund(made.id)
    assert cards.rail.refund(made.id).status is LegStatus.REJECTED
    assert cards.rail.refunded(cards.charge_of(place)) == 0


@pytest.mark.parametrize("ask", ["warning", "review", "refund", "refunded"])
def test_what_stripe_does_not_know_is_a_mistake(cards: StripeBench, ask: str) -> None:
    with pytest.raises(RailBug):
        getattr(cards.rail, ask)("xx_invented")


def test_an_adopted_refund_is_found_by_its_id_and_never_made_again(cards: StripeBench) -> None:
    place = paid(cards)
    made = cards.client.v1.refunds.create({"payment_intent": str(place.external_id)})
    adopted = order(place, LegKind.REFUND, GROSS, adopted_id=made.id)

    assert cards.rail.find(replace(adopted, adopted_id=None)) is None
    assert cards.rail.send(adopted) == cards.rail.find(adopted)
    cards.wait(3_600)
    assert cards.rail.find(adopted) == LegOutcome(status=LegStatus.CONFIRMED, external_id=made.id)
    assert cards.moved(LegKind.REFUND) == [GROSS]


@pytest.mark.parametrize("wrong", [{"amount": GROSS - 1}, {"funding_id": "pi_other"}, {"currency": "EUR"}])
def test_an_adopted_refund_that_is_not_what_the_leg_says_is_a_mistake(
    cards: StripeBench, wrong: dict[str, str | int]
) -> None:
    sent = leg(cards, LegKind.REFUND)
    made = cards.client.v1.refunds.create({"payment_intent": sent.funding_id})
    with pytest.raises(RailBug):
        cards.rail.find(replace(sent, adopted_id=made.id, **wrong))  # type: ignore[arg-type]
