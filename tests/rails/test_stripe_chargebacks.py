"""Disputes as Stripe tells of them."""

import pytest

from bloxtr8.rails.base import ChargebackSeen, Claim, LegKind, LegStatus, RailBug, RailFrozen
from tests.rails.bench import GROSS, NET, order, paid
from tests.rails.bench_stripe import StripeBench

FEE = 1_500
STATUSES = {
    "needs_response": Claim.OPEN,
    "under_review": Claim.OPEN,
    "warning_needs_response": Claim.INQUIRY,
    "warning_under_review": Claim.INQUIRY,
    "warning_closed": Claim.WON,
    "won": Claim.WON,
    "lost": Claim.LOST,
    "appeal_under_review": Claim.OPEN,
    "prevented": Claim.LOST,
}


def test_a_dispute_names_its_payment_its_amount_and_its_fee(cards: StripeBench) -> None:
    place = paid(cards)
    charge = cards.charge_of(place)
    dispute = cards.double.open_dispute(charge, "product_not_received", amount=4_000)["id"]
    seen = ChargebackSeen(
        external_id=dispute,
        charge_id=charge,
        payment_ids=(str(place.external_id), charge),
        claim=Claim.OPEN,
        amount=4_000,
        fee=FEE,
        currency="USD",
        reason="product_not_received",
    )
    assert cards.rail.chargeback(dispute) == seen
    assert cards.rail.chargebacks(str(place.external_id)) == (seen,)


@pytest.mark.parametrize(("status", "claim"), STATUSES.items())
def test_a_status_is_a_claim(cards: StripeBench, status: str, claim: Claim) -> None:
    dispute = cards.double.open_dispute(cards.charge_of(paid(cards)))["id"]
    cards.double._world.get("dispute", dispute)["status"] = status
    assert cards.rail.chargeback(dispute).claim is claim


def test_one_that_was_prevented_and_took_nothing_is_over(cards: StripeBench) -> None:
    dispute = cards.double.open_dispute(cards.charge_of(paid(cards)), inquiry=True)["id"]
    cards.double._world.get("dispute", dispute)["status"] = "prevented"
    seen = cards.rail.chargeback(dispute)
    assert (seen.claim, seen.fee, seen.amount) == (Claim.WON, 0, GROSS)


def test_all_disputes_of_a_payment_are_seen_and_no_other(cards: StripeBench) -> None:
    place, other = paid(cards), paid(cards, escrow_id="esc_01JDCZ0000000000000000000Z")
    found = {cards.double.open_dispute(cards.charge_of(place), amount=amount)["id"] for amount in (1_000, 2_000)}
    cards.double.open_dispute(cards.charge_of(other))
    assert {one.external_id for one in cards.rail.chargebacks(str(place.external_id))} == found


def test_money_in_another_currency_is_not_counted(cards: StripeBench) -> None:
    dispute = cards.double.open_dispute(cards.charge_of(paid(cards)))["id"]
    cards.double._world.get("dispute", dispute)["currency"] = "eur"
    with pytest.raises(RailBug):
        cards.rail.chargeback(dispute)


def test_one_that_is_lost_and_booked_stops_no_leg(cards: StripeBench) -> None:
    place = paid(cards)
    dispute = cards.double.open_dispute(cards.charge_of(place), amount=1_000)["id"]
    cards.double.close_dispute(dispute, "lost")
    sent = order(place, LegKind.TRANSFER, NET, destination=cards.payee(ready=True))
    with pytest.raises(RailFrozen):
        cards.rail.send(sent)
    booked = order(place, LegKind.TRANSFER, NET, destination=sent.destination, booked=(dispute,))
    assert cards.rail.send(booked).status is LegStatus.CONFIRMED
