"""Calls lost before and after their commit, functions killed, webhooks in every disorder: one movement of money, and
the trade ends."""

import itertools
from collections.abc import Collection, Iterable
from typing import Any

import pytest

from local.faults import FOR_GOOD
from tests.flows.theatre import Theatre

KINDS = ("drop_before", "drop_after", "500_after", "503", "409", "429")


def mostly_slow(every: Iterable[Any], fast: Collection[Any]) -> list[Any]:
    """All of them, those not in `fast` left to `make test-slow`: every fault happens in the fast suite somewhere."""
    whole = list(every)
    assert set(fast) <= set(whole)
    return [pytest.param(*_tuple(one), marks=[] if one in fast else pytest.mark.slow) for one in whole]


def _tuple(values: Any) -> tuple[Any, ...]:
    return values if isinstance(values, tuple) else (values,)


def fault(theatre: Theatre, kind: str, path: str, method: str = "post", times: int = 1) -> None:
    body = {"path": path, "method": method, "kind": kind, "times": times}
    theatre.cast.world.stripe.send("PUT", "/_double/faults", body)


@pytest.mark.parametrize("kind", mostly_slow(KINDS, {"drop_before", "503"}))
def test_the_payment_is_opened_once(theatre: Theatre, kind: str) -> None:
    fault(theatre, kind, r"^/v1/payment_intents$", times=4)  # more than the client's own retries
    theatre.agree()
    theatre.repair(minutes=3)
    theatre.fund()
    intents = [
        one
        for one in theatre.cast.world.stripe.get("/v1/payment_intents", limit=100)["data"]
        if one["transfer_group"] == theatre.trade.escrow_id
    ]
    assert len(intents) == 1
    theatre.release()
    theatre.assert_sound()


@pytest.mark.parametrize("kind", mostly_slow(KINDS, {"drop_after", "409"}))
def test_the_seller_is_paid_once(theatre: Theatre, kind: str) -> None:
    theatre.agree()
    theatre.fund()
    delivery = theatre.deliver()
    fault(theatre, kind, r"^/v1/transfers$", times=4)
    theatre.confirm(delivery)
    theatre.settle("RELEASED")
    assert [one["amount"] for one in theatre.stripe_has("transfers")] == [22_333]
    theatre.assert_sound()


@pytest.mark.parametrize("kind", mostly_slow(KINDS, {"500_after", "429"}))
def test_the_buyer_is_refunded_once(theatre: Theatre, kind: str) -> None:
    theatre.agree()
    theatre.fund()
    fault(theatre, kind, r"^/v1/refunds$", times=4)
    theatre.cast.seller.post(f"{theatre.path}/refund", {"reason": "I can't"})
    theatre.settle("REFUNDED")
    assert [one["amount"] for one in theatre.stripe_has("refunds") if one["status"] == "succeeded"] == [23_000]
    theatre.assert_sound()


@pytest.mark.parametrize(
    ("function", "when"),
    mostly_slow(
        itertools.product(("send_leg", "confirm_leg", "finish_settlement"), ("before", "after")),
        {("send_leg", "before"), ("send_leg", "after"), ("confirm_leg", "before"), ("finish_settlement", "after")},
    ),
)
def test_a_killed_settlement_task_changes_nothing(theatre: Theatre, function: str, when: str) -> None:
    theatre.agree()
    theatre.fund()
    delivery = theatre.deliver()
    theatre.stack.faults.kill(function, **{when: "TransactWriteItems"})
    theatre.confirm(delivery)
    theatre.settle("RELEASED")
    assert len(theatre.stripe_has("transfers")) == 1
    theatre.assert_sound()


@pytest.mark.parametrize(
    ("function", "when"),
    mostly_slow(
        itertools.product(("open_funding", "await_funding", "screen_deposit", "hold_funds"), ("before", "after")),
        {("open_funding", "after"), ("await_funding", "before"), ("screen_deposit", "after"), ("hold_funds", "before")},
    ),
)
def test_a_killed_funding_task_changes_nothing(theatre: Theatre, function: str, when: str) -> None:
    theatre.stack.faults.kill(function, **{when: "TransactWriteItems"})
    theatre.agree()
    theatre.fund()
    theatre.release()
    theatre.assert_sound()


@pytest.mark.parametrize("answer", [False, True])
def test_a_lost_start_is_repaired_by_the_next_look(theatre: Theatre, answer: bool) -> None:
    theatre.stack.faults.lose("dispatch_events", "StartExecution", answer=answer, times=FOR_GOOD)
    theatre.agree()
    theatre.repair(minutes=3)
    theatre.fund()
    delivery = theatre.deliver()
    theatre.stack.faults.lose("dispatch_events", "StartExecution", answer=answer, times=FOR_GOOD)
    theatre.confirm(delivery)
    theatre.settle("RELEASED")
    assert len(theatre.stripe_has("transfers")) == 1
    theatre.assert_sound()


COMMITS = (
    "sign_contract",
    "open_funding",
    "hold_funds",
    "start_delivery",
    "confirm_delivery",
    "send_leg",
    "confirm_leg",
)


@pytest.mark.parametrize("answer", [False, True], ids=["call", "answer"])
def test_what_the_table_lost_once_is_asked_for_again_and_done_once(theatre: Theatre, answer: bool) -> None:
    for function in COMMITS:
        theatre.stack.faults.lose(function, "TransactWriteItems", answer=answer)
    for function, call in (("receive_stripe_event", "PutItem"), ("dispatch_events", "StartExecution")):
        theatre.stack.faults.lose(function, call, answer=answer)
    theatre.agree()
    theatre.fund()
    theatre.release()
    theatre.stack.wait_quiet()
    assert theatre.stack.faults.waiting == 0
    assert len(theatre.stripe_has("transfers")) == 1
    ledger = theatre.assert_sound()
    assert len(ledger["lines"]) == 3  # in, out, fee


def test_webhooks_twenty_times_and_shuffled_move_money_once(theatre: Theatre) -> None:
    theatre.cast.world.stripe.send("POST", "/_double/webhooks", {"duplicate": 20, "shuffle": True})
    theatre.agree()
    theatre.fund()
    theatre.release()
    theatre.settle("RELEASED")
    assert len(theatre.stripe_has("transfers")) == 1
    ledger = theatre.assert_sound()
    assert len(ledger["lines"]) == 3  # in, out, fee


def test_webhooks_that_never_come_only_delay(theatre: Theatre) -> None:
    theatre.cast.world.stripe.send("POST", "/_double/webhooks", {"paused": True})
    theatre.agree()
    theatre.cast.world.pay(theatre.payment_intent())
    theatre.repair(minutes=5)
    theatre.until("FUNDS_HELD")
    theatre.cast.seller.post(f"{theatre.path}/refund", {"reason": "I can't"})
    theatre.settle("REFUNDED")
    theatre.assert_sound()


def test_a_payment_after_the_cancellation_goes_back(theatre: Theatre) -> None:
    theatre.agree()
    intent = theatre.payment_intent()
    fault(theatre, "503", r"/cancel$", times=30)  # Stripe can't cancel it yet
    theatre.cast.buyer.post(f"{theatre.path}/cancel", {"reason": "Too late?"})
    theatre.stack.wait_quiet()
    theatre.cast.world.pay(intent)
    theatre.cast.world.stripe.send("DELETE", "/_double/faults")
    escrow = theatre.settle("CANCELLED")
    assert [row["kind"] for row in escrow["settlements"]] == ["RETURN"]
    assert [one["amount"] for one in theatre.stripe_has("refunds")] == [23_000]
    ledger = theatre.assert_sound()
    assert ledger["accounts"]["SURPLUS"] == 0


def test_a_declined_card_can_be_tried_again(theatre: Theatre) -> None:
    theatre.agree()
    intent = theatre.payment_intent()
    reply = theatre.cast.world.stripe.ask(
        "POST", f"/v1/payment_intents/{intent}/confirm", form={"payment_method": "pm_card_chargeDeclined"}
    )
    assert reply.status == 402
    theatre.stack.wait_quiet()
    assert theatre.cast.buyer.get(theatre.path)["status"] == "AWAIT_FUNDS"
    theatre.fund()
    theatre.release()
    theatre.assert_sound()


def test_roblox_down_at_the_deadline_freezes_the_clock(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    theatre.cast.world.roblox.send("PUT", "/_double/faults", {"path": ".*", "status": 503, "times": None})
    theatre.repair(days=7, minutes=1)
    theatre.repair(hours=2)
    escrow = theatre.cast.buyer.get(theatre.path)
    assert (escrow["status"], escrow["clocksFrozen"]) == ("FUNDS_HELD", True)
    theatre.cast.world.roblox.send("DELETE", "/_double/faults")
    theatre.cast.world.group(theatre.group_id, theatre.cast.buyer.roblox_id)
    theatre.repair(hours=2)
    assert theatre.cast.buyer.get(theatre.path)["status"] == "DELIVERED"
    theatre.assert_sound()


def test_roblox_unknown_for_a_day_is_for_people_to_decide(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    theatre.cast.world.roblox.send("PUT", "/_double/faults", {"path": ".*", "status": 503, "times": None})
    theatre.repair(days=7, minutes=1)
    theatre.repair(hours=12)
    theatre.repair(hours=13)
    escrow = theatre.cast.buyer.get(theatre.path)
    assert (escrow["status"], escrow["dispute"]["reasonCode"]) == ("DISPUTED", "OWNER_UNKNOWN")
    theatre.assert_sound()


def test_a_refund_the_bank_sends_back_goes_out_again(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    theatre.cast.seller.post(f"{theatre.path}/refund", {"reason": "I can't"})
    theatre.settle("REFUNDED")
    (refund,) = theatre.stripe_has("refunds")
    theatre.cast.world.stripe.send("POST", f"/_double/refunds/{refund['id']}/fail")
    escrow = theatre.settle("REFUNDED")
    assert [row["kind"] for row in escrow["settlements"]] == ["REFUND", "RETURN"]
    assert sorted(one["status"] for one in theatre.stripe_has("refunds")) == ["failed", "succeeded"]
    theatre.assert_sound()
