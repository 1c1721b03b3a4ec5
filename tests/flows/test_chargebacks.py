"""The buyer's bank takes a payment back, over HTTP and through Stripe's webhooks: won, lost before the release, and
lost after it (M48)."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from bloxtr8.clock import parse
from local.client import Refused
from local.demo.stories import Cast
from local.stack import Stack
from local.trader import Trader
from tests.flows.test_risk import charge, escrow
from tests.flows.theatre import Theatre

PRICE, SELLERS, OURS, BANKS_FEE = 23_000, 22_333, 667, 1_500
NONE = {"BUYER": 0, "SELLER": 0, "FEES": 0, "BANK": 0, "LOSS": 0, "HELD": 0, "SURPLUS": 0}


def disputed(theatre: Theatre, **how: Any) -> str:
    """The bank takes the money back, and the platform hears of it; the dispute's id."""
    found = theatre.cast.world.stripe.send("POST", f"/_double/charges/{charge(theatre)}/dispute", how)
    assert escrow(theatre)["holds"] == ["CHARGEBACK"]
    return str(found["id"])


def decided(theatre: Theatre, dispute: str, verdict: str) -> dict[str, Any]:
    """The bank decides, and the platform hears of it; the escrow then."""
    theatre.cast.world.stripe.send("POST", f"/_double/disputes/{dispute}/close", {"status": verdict})
    found = escrow(theatre)
    assert (found["holds"], [one["status"] for one in found["chargebacks"]]) == ([], [verdict.upper()])
    return found


def another_buyer(theatre: Theatre, n: int = 3) -> None:
    """Whose bank kept a payment pays by card no more."""
    buyer = Trader(theatre.cast.world, f"bill{n}", f"81000{n}", f"91000{n}")
    buyer.sign_in()
    buyer.link_roblox()
    theatre.cast = replace(theatre.cast, buyer=buyer)


def books(theatre: Theatre) -> dict[str, int]:
    """The accounts, once everything is balanced and verified."""
    return dict(theatre.assert_sound()["accounts"])


def test_won_the_trade_goes_on_with_the_time_that_stood_still(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    delivery = theatre.deliver()
    before = escrow(theatre)["inspectBy"]
    dispute = disputed(theatre)
    theatre.repair(days=30)
    for person in (theatre.cast.buyer, theatre.cast.seller):
        person.sign_in()  # that was too long for a session
    assert escrow(theatre)["status"] == "DELIVERED"  # its inspection would long be over
    with pytest.raises(Refused, match="ESCROW_ON_HOLD"):
        theatre.confirm(delivery)

    after = decided(theatre, dispute, "won")

    assert dt.timedelta(days=30) <= parse(after["inspectBy"]) - parse(before) < dt.timedelta(days=30, hours=1)
    theatre.confirm(delivery)
    theatre.settle("RELEASED")
    assert [one["amount"] for one in theatre.stripe_has("transfers")] == [SELLERS]
    assert books(theatre) == NONE | {
        "BUYER": -PRICE, "SELLER": SELLERS, "FEES": OURS, "BANK": BANKS_FEE, "LOSS": -BANKS_FEE,
    }  # fmt: skip


def test_lost_before_the_release_nobody_is_paid_twice(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    theatre.deliver()
    dispute = disputed(theatre)

    decided(theatre, dispute, "lost")

    ended = theatre.settle("REFUNDED")
    assert (ended["reason"], ended["settlements"]) == ("CHARGEBACK", [])
    assert (theatre.stripe_has("transfers"), theatre.stripe_has("refunds")) == ([], [])
    assert books(theatre) == NONE | {"BUYER": -PRICE, "BANK": PRICE + BANKS_FEE, "LOSS": -BANKS_FEE}
    assert theatre.cast.seller.get(f"/listings/{theatre.trade.listing_id}")["status"] == "INACTIVE"


def test_lost_after_the_release_the_sellers_transfer_is_reversed(theatre: Theatre) -> None:
    another_buyer(theatre)
    theatre.agree()
    theatre.fund()
    theatre.release()
    theatre.settle("RELEASED")
    dispute = disputed(theatre)

    decided(theatre, dispute, "lost")

    ended = theatre.settle("RELEASED")
    (recovery,) = [one for one in ended["settlements"] if one["kind"] == "RECOVERY"]
    assert recovery["status"] == "DONE"
    (transfer,) = theatre.stripe_has("transfers")
    assert (transfer["amount_reversed"], transfer["reversed"]) == (SELLERS, True)
    assert books(theatre) == NONE | {
        "BUYER": -PRICE, "FEES": OURS, "BANK": PRICE + BANKS_FEE, "LOSS": -OURS - BANKS_FEE,
    }  # fmt: skip


# --- what Stripe gives back to nobody is paid outside (announce_manual_payment, record_manual_payment)


@pytest.fixture(scope="module")
def operators(stack: Stack, cast: Cast) -> Trader:
    """Who sees to what was parked, and reads what does not reconcile."""
    made = Trader(cast.world, "omar", "830009", "930009")
    made.sign_in()
    for role in ("PADMIN", "COMPLIANCE"):
        stack.invoker.ask("grant_staff_role", {"userId": made.user_id, "role": role})
    return made


def recorded(theatre: Theatre, operators: Trader, payment_id: str) -> None:
    """The operator announces that he pays what was refused, pays it by transfer, and says so."""
    operators.sign_in()
    theatre.stack.wait_quiet()
    (due,) = operators.get(theatre.path)["refusals"]["refused"]
    assert (due["pays"], due["error"]) == ("BUYER", "RailFrozen")
    by_hand(theatre, operators, payment_id, **{name: due[name] for name in ("settlementId", "leg", "amount")})


def by_hand(theatre: Theatre, operators: Trader, payment_id: str, **due: Any) -> None:
    path = f"/staff{theatre.path}/manual-payments"
    announced = operators.post(path, due | {"reason": "By transfer"})
    assert announced["status"] == "ANNOUNCED"
    said = {"paymentId": payment_id, "reason": "Sent to his bank"}
    assert operators.post(f"{path}/{announced['id']}/record", said)["recorded"]


def reconciled(theatre: Theatre, operators: Trader) -> None:
    """The next day's comparison finds nothing."""
    theatre.stack.clock.advance(days=1)
    for _ in range(2):  # what differs is looked at again
        theatre.stack.fire("reconcile_money")
        theatre.stack.clock.advance(minutes=11)
    operators.sign_in()
    found = operators.get(f"/reconciliation/{theatre.stack.clock():%Y-%m-%d}")
    assert [one for one in found["differences"] if one["escrowId"] == theatre.trade.escrow_id] == []
    theatre.cast.buyer.sign_in()


def test_what_a_bank_left_and_stripe_refunds_not_is_paid_outside(theatre: Theatre, operators: Trader) -> None:
    another_buyer(theatre, 5)
    theatre.agree()
    theatre.fund()
    decided(theatre, disputed(theatre, amount=3_000), "lost")
    (parked,) = theatre.settle("REFUNDED")["settlements"]
    assert (parked["kind"], parked["status"]) == ("RETURN", "PARKED")

    recorded(theatre, operators, "BANK-2026-1")

    (ended,) = theatre.settle("REFUNDED")["settlements"]
    assert (ended["status"], theatre.stripe_has("refunds")) == ("DONE", [])
    assert books(theatre) == NONE | {"BUYER": -3_000, "BANK": 3_000 + BANKS_FEE, "LOSS": -BANKS_FEE}
    reconciled(theatre, operators)


def test_a_split_whose_buyers_part_is_refused_ends(theatre: Theatre, operators: Trader) -> None:
    another_buyer(theatre, 4)
    theatre.agree()
    theatre.fund()
    theatre.deliver()
    decided(theatre, disputed(theatre, amount=3_000), "lost")
    parts = {"sellerAmount": 12_000, "buyerAmount": 8_000, "reason": "Half of it is broken"}
    proposal = theatre.cast.buyer.post(f"{theatre.path}/settlements", parts)["id"]
    theatre.cast.seller.post(f"{theatre.path}/settlements/{proposal}/accept")
    assert escrow(theatre)["holds"] == ["PAYOUT_FAILED"]

    recorded(theatre, operators, "BANK-2026-2")

    ended = theatre.settle("SPLIT")
    assert (ended["holds"], theatre.stripe_has("refunds")) == ([], [])
    accounts = books(theatre)
    (transfer,) = theatre.stripe_has("transfers")
    assert (accounts["BUYER"], accounts["SELLER"]) == (8_000 - PRICE, transfer["amount"])
    reconciled(theatre, operators)


# --- lost, and won after all


def given_back(theatre: Theatre, dispute: str) -> None:
    """The bank is made to give it back."""
    theatre.cast.world.stripe.send("POST", f"/_double/disputes/{dispute}/reinstate", {})


def test_given_back_after_the_release_the_seller_is_paid_again(theatre: Theatre, operators: Trader) -> None:
    another_buyer(theatre, 6)
    theatre.agree()
    theatre.fund()
    theatre.release()
    theatre.settle("RELEASED")
    dispute = disputed(theatre)
    decided(theatre, dispute, "lost")
    theatre.settle("RELEASED")

    given_back(theatre, dispute)

    ended = theatre.settle("RELEASED")
    (again,) = [one for one in ended["settlements"] if one["kind"] == "REPAYMENT"]
    assert (again["status"], again["toSeller"]) == ("DONE", SELLERS)
    assert sorted((one["amount"], one["reversed"]) for one in theatre.stripe_has("transfers")) == [
        (SELLERS, False), (SELLERS, True),
    ]  # fmt: skip
    assert books(theatre) == NONE | {
        "BUYER": -PRICE, "SELLER": SELLERS, "FEES": OURS, "BANK": BANKS_FEE, "LOSS": -BANKS_FEE,
    }  # fmt: skip
    for _ in range(2):
        reconciled(theatre, operators)


def test_given_back_after_the_delivery_people_pay_each_what_is_his(theatre: Theatre, operators: Trader) -> None:
    another_buyer(theatre, 7)
    theatre.agree()
    theatre.fund()
    theatre.deliver()
    dispute = disputed(theatre)
    decided(theatre, dispute, "lost")
    given_back(theatre, dispute)
    theatre.settle("REFUNDED")
    operators.sign_in()
    assert operators.get(theatre.path)["refusals"]["setAside"]["amount"] == PRICE

    for side, amount, name in (("SELLER", 20_000, "BANK-2026-3"), ("BUYER", 3_000, "BANK-2026-4")):
        by_hand(theatre, operators, name, pays=side, amount=amount)

    assert books(theatre) == NONE | {
        "BUYER": 3_000 - PRICE, "SELLER": 20_000, "BANK": BANKS_FEE, "LOSS": -BANKS_FEE,
    }  # fmt: skip
    assert operators.get(theatre.path)["refusals"]["setAside"] is None
    for _ in range(2):
        reconciled(theatre, operators)
