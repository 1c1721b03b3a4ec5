"""A card payment in doubt, and a refund made in Stripe's Dashboard, over HTTP and through the webhooks."""

from typing import Any

import pytest

from local.client import Refused
from local.trader import Trader
from tests.flows.theatre import Theatre


def charge(theatre: Theatre) -> str:
    intent = theatre.cast.world.stripe.get(f"/v1/payment_intents/{theatre.payment_intent_of_events()}")
    return str(intent["latest_charge"])


def escrow(theatre: Theatre) -> dict[str, Any]:
    """The escrow once everything that happened at Stripe has arrived."""
    theatre.stack.wait_quiet()
    found: dict[str, Any] = theatre.cast.buyer.get(theatre.path)
    return found


def test_money_under_review_is_paid_out_only_after_its_approval(theatre: Theatre) -> None:
    stripe = theatre.cast.world.stripe
    theatre.agree()
    theatre.cast.world.pay(theatre.payment_intent(), "pm_card_riskLevelElevated")
    theatre.stack.wait_quiet()
    held = escrow(theatre)
    assert (held["holds"], held["clocksFrozen"]) == (["RISK_REVIEW"], True)
    theatre.repair(minutes=61)
    assert escrow(theatre)["holds"] == ["RISK_REVIEW"]
    assert theatre.stripe_has("transfers") == []
    (review,) = [one for one in reviews(theatre) if one["payment_intent"] == theatre.payment_intent_of_events()]

    stripe.send("POST", f"/_double/reviews/{review['id']}/close", {"reason": "approved"})

    assert theatre.settle("FUNDS_HELD")["holds"] == []
    theatre.release()
    theatre.settle("RELEASED")
    theatre.assert_sound()


def reviews(theatre: Theatre) -> list[dict[str, Any]]:
    return [one["data"]["object"] for one in theatre.stack.stripe.events if one["type"] == "review.opened"]


def test_a_fraud_warning_stops_the_payout_and_a_refund_of_everything_ends_it(theatre: Theatre) -> None:
    stripe = theatre.cast.world.stripe
    theatre.agree()
    theatre.fund()
    delivery = theatre.deliver()
    stripe.send("POST", f"/_double/charges/{charge(theatre)}/warning")
    assert escrow(theatre)["holds"] == ["RISK_REVIEW"]
    with pytest.raises(Refused, match="ESCROW_ON_HOLD"):
        theatre.confirm(delivery)

    refund_in_the_dashboard(theatre)

    theatre.settle("REFUNDED")
    assert [one["amount"] for one in theatre.stripe_has("refunds")] == [23_000]
    assert theatre.stripe_has("transfers") == []
    theatre.assert_sound()


def test_compliance_clears_a_fraud_warning_and_the_seller_is_paid(theatre: Theatre) -> None:
    world = theatre.cast.world
    officer = Trader(world, "vera", "840001", "940001")
    officer.sign_in()
    theatre.stack.invoker.ask("grant_staff_role", {"userId": officer.user_id, "role": "COMPLIANCE"})
    theatre.agree()
    theatre.fund()
    delivery = theatre.deliver()
    world.stripe.send("POST", f"/_double/charges/{charge(theatre)}/warning")
    assert escrow(theatre)["holds"] == ["RISK_REVIEW"]

    seen = officer.get(theatre.path)
    (finding,) = seen["compliance"]["findings"]
    assert (finding["hold"], finding["cause"].partition(":")[0]) == ("RISK_REVIEW", "warning")
    assert "place_hold" in [entry["action"] for entry in officer.get(f"{theatre.path}/timeline")["items"]]
    wish = {"hold": "RISK_REVIEW", "decision": "CLEAR", "reason": "The card's owner has confirmed it."}
    assert officer.post(f"/staff{theatre.path}/hold", wish)["decided"]

    assert escrow(theatre)["holds"] == []
    theatre.confirm(delivery)
    theatre.settle("RELEASED")
    theatre.assert_sound()


def refund_in_the_dashboard(theatre: Theatre) -> None:
    """A person of the platform refunds: nothing of ours is written on it."""
    theatre.cast.world.stripe.send("POST", "/v1/refunds", form={"payment_intent": theatre.payment_intent_of_events()})


def by_hand(theatre: Theatre, amount: int) -> None:
    """The same of a part, which the buyer's bank has taken."""
    form = {"payment_intent": theatre.payment_intent_of_events(), "amount": str(amount)}
    theatre.cast.world.stripe.send("POST", "/v1/refunds", form=form)
    theatre.repair(minutes=11)
    theatre.stack.wait_quiet()


def books(theatre: Theatre) -> dict[str, int]:
    """The accounts that are not zero, once everything is balanced and verified."""
    return {account: cents for account, cents in theatre.assert_sound()["accounts"].items() if cents}


def test_of_a_part_refunded_by_hand_the_rest_is_paid_and_what_comes_later_is_taken_from_the_seller(
    theatre: Theatre,
) -> None:
    theatre.agree()
    theatre.fund()
    delivery = theatre.deliver()

    by_hand(theatre, 3_000)

    assert (escrow(theatre)["status"], escrow(theatre)["holds"]) == ("DELIVERED", [])
    theatre.confirm(delivery)
    theatre.settle("SPLIT")
    assert books(theatre) == {"BUYER": -20_000, "SELLER": 19_420, "FEES": 580}

    by_hand(theatre, 5_000)

    ended = theatre.settle("SPLIT")
    kinds = [one["kind"] for one in ended["settlements"] if one["status"] == "DONE"]
    assert kinds == ["DASHBOARD", "RELEASE", "DASHBOARD", "RECOVERY"]
    assert [one["amount_reversed"] for one in theatre.stripe_has("transfers")] == [5_000]
    assert books(theatre) == {"BUYER": -15_000, "SELLER": 14_420, "FEES": 580}


def test_of_a_part_refunded_by_hand_before_the_delivery_all_goes_back(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    by_hand(theatre, 3_000)
    assert theatre.settle("REFUNDED")["reason"] == "REFUNDED_IN_DASHBOARD"
    assert sorted(one["amount"] for one in theatre.stripe_has("refunds")) == [3_000, 20_000]
    assert books(theatre) == {}


def test_a_part_refunded_by_hand_after_a_milestone_is_of_the_rest(theatre: Theatre) -> None:
    parts = [{"title": "Half", "amountCents": 11_500}, {"title": "The rest", "amountCents": 11_500}]
    theatre.agree(milestones=parts)
    theatre.fund()
    theatre.cast.buyer.post(
        f"{theatre.path}/milestones/{escrow(theatre)['milestones'][0]['id']}/release", {"acknowledge": True}
    )
    theatre.settle("FUNDS_HELD")
    by_hand(theatre, 1_500)
    theatre.cast.buyer.post(
        f"{theatre.path}/milestones/{escrow(theatre)['milestones'][1]['id']}/release", {"acknowledge": True}
    )
    theatre.settle("SPLIT")
    assert books(theatre) == {"BUYER": -21_500, "SELLER": 20_877, "FEES": 623}
