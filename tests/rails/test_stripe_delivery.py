"""The double's signed webhooks through our check and our table: what process_webhook_event will be handed."""

from collections.abc import Mapping

import pytest

from bloxtr8.rails import stripe_events, stripe_webhooks
from bloxtr8.rails.base import LegKind
from bloxtr8.rails.stripe_events import Hint, HintKind
from tests.rails.bench import ESCROW, SETTLEMENT, opened, order, paid
from tests.rails.bench_stripe import StripeBench

SECRETS = ["whsec_rolled", "whsec_new"]


def received(cards: StripeBench) -> dict[str, list[Hint]]:
    """Every hint of what the double sent, by the type of the event."""
    hints: dict[str, list[Hint]] = {}

    def endpoint(body: str | bytes, headers: Mapping[str, str]) -> int:
        raw = body.encode() if isinstance(body, str) else body
        event = stripe_webhooks.verify(raw, headers["Stripe-Signature"], SECRETS, cards.now())
        hints.setdefault(event["type"], []).append(stripe_events.interpret(event))
        return 200

    cards.double.deliver_to(endpoint, SECRETS[1:])
    assert cards.double.deliver() == []
    return hints


def test_a_paid_and_settled_escrow_gives_hints_to_its_rows(cards: StripeBench) -> None:
    place, seller = paid(cards), cards.payee(ready=True)
    transfer = cards.rail.send(order(place, LegKind.TRANSFER, 4_000, leg=1, destination=seller))
    refund = cards.rail.send(order(place, LegKind.REFUND, 5_000, leg=2))
    cards.rail.send(order(place, LegKind.REVERSAL, 4_000, leg=3, reverses=transfer.external_id))
    cards.wait(60)
    hints = received(cards)
    (funded,) = hints["payment_intent.succeeded"]
    assert (funded.kind, funded.escrow_id, funded.object_id) == (HintKind.FUNDING, ESCROW, place.external_id)
    (sent,) = hints["transfer.created"]
    assert (sent.kind, sent.leg_id, sent.object_id) == (HintKind.LEG, f"{SETTLEMENT}-01", transfer.external_id)
    (done,) = hints["refund.updated"]
    assert (done.kind, done.leg_id, done.object_id) == (HintKind.LEG, f"{SETTLEMENT}-02", refund.external_id)
    (back,) = hints["transfer.reversed"]
    assert (back.kind, back.leg_id) == (HintKind.LEG, f"{SETTLEMENT}-03")
    assert {hint.account_id for hint in hints["account.updated"] + hints["capability.updated"]} == {seller}


@pytest.mark.parametrize(
    ("card", "kind"),
    [
        ("pm_card_threeDSecure2Required", "payment_intent.requires_action"),
        ("pm_card_visa", "payment_intent.succeeded"),
    ],
)
def test_each_step_of_a_payment_is_a_hint(cards: StripeBench, card: str, kind: str) -> None:
    place = opened(cards)
    cards.pay(place, card)
    assert [hint.escrow_id for hint in received(cards)[kind]] == [ESCROW]


def test_refusal_and_cancellation_are_hints(cards: StripeBench) -> None:
    place = opened(cards)
    cards.refuse_payment(place)
    cards.rail.close(place)
    hints = received(cards)
    for kind in ("payment_intent.payment_failed", "payment_intent.canceled"):
        assert [hint.kind for hint in hints[kind]] == [HintKind.FUNDING]


def test_money_moved_in_the_dashboard_is_stray(cards: StripeBench) -> None:
    place = paid(cards)
    assert place.external_id
    refund = cards.client.v1.refunds.create({"payment_intent": place.external_id, "amount": 100})
    (hint,) = received(cards)["refund.created"]
    assert (hint.kind, hint.object_id, hint.funding_id) == (HintKind.STRAY, refund.id, place.external_id)
