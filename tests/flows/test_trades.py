"""The trades that everybody wants to make, from the first offer to the last cent."""

from local.demo import milestones
from tests.flows.theatre import Theatre, silent

HOURS_72 = 72 * 3600


def test_a_confirmed_trade_pays_the_seller_once(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    theatre.release()
    escrow = theatre.settle("RELEASED")
    assert escrow["money"]["released"] == 23_000 - 667
    (transfer,) = theatre.stripe_has("transfers")
    assert transfer["amount"] == 22_333
    ledger = theatre.assert_sound()
    assert ledger["accounts"] | {"BANK": 0, "LOSS": 0} == {
        "BUYER": -23_000, "SELLER": 22_333, "FEES": 667, "BANK": 0, "LOSS": 0, "HELD": 0, "SURPLUS": 0,
    }  # fmt: skip
    assert theatre.cast.buyer.get(f"/listings/{theatre.trade.listing_id}")["status"] == "SOLD"


def test_a_trade_in_parts_pays_each_once(theatre: Theatre) -> None:
    theatre.agree(milestones.PARTS)
    theatre.fund()
    milestones.confirm(
        theatre.cast, theatre.trade, milestones.hand_over(theatre.cast, theatre.trade, theatre.group_id, silent), silent
    )
    milestones.release(theatre.cast, theatre.trade, 1, silent)
    escrow = theatre.settle("RELEASED")
    assert escrow["money"]["released"] == 23_000 - 667
    assert [one["amount"] for one in reversed(theatre.stripe_has("transfers"))] == [14_565, 7_768]
    theatre.assert_sound()


def test_a_refund_by_the_seller_returns_every_cent(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    theatre.cast.seller.post(f"{theatre.path}/refund", {"reason": "It was taken from me"})
    escrow = theatre.settle("REFUNDED")
    assert escrow["money"]["refunded"] == 23_000
    (refund,) = theatre.stripe_has("refunds")
    assert (refund["amount"], refund["status"]) == (23_000, "succeeded")
    theatre.assert_sound()


def test_a_cancelled_escrow_cannot_be_paid(theatre: Theatre) -> None:
    theatre.agree()
    intent = theatre.payment_intent()
    theatre.cast.buyer.post(f"{theatre.path}/cancel", {"reason": "I changed my mind"})
    theatre.settle("CANCELLED")
    assert theatre.cast.world.stripe.get(f"/v1/payment_intents/{intent}")["status"] == "canceled"
    assert theatre.cast.seller.get(f"/listings/{theatre.trade.listing_id}")["status"] == "ACTIVE"
    theatre.assert_sound()


def test_an_unpaid_escrow_ends_after_three_days(theatre: Theatre) -> None:
    theatre.agree()
    theatre.payment_intent()
    theatre.repair(seconds=HOURS_72 - 600)
    assert theatre.cast.buyer.get(theatre.path)["status"] == "AWAIT_FUNDS"
    theatre.repair(seconds=700)
    theatre.settle("CANCELLED")
    theatre.assert_sound()


def test_a_seller_who_does_not_deliver_refunds_by_the_clock(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    theatre.repair(days=7, minutes=1)
    assert theatre.cast.buyer.get(theatre.path)["status"] == "FUNDS_HELD"  # one look at Roblox is not enough (D12)
    theatre.settle("REFUNDED")
    theatre.assert_sound()


def test_a_group_handed_over_silently_is_delivered_at_the_deadline(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    theatre.cast.world.group(theatre.group_id, theatre.cast.buyer.roblox_id)
    theatre.repair(days=7, minutes=1)
    assert theatre.cast.buyer.get(theatre.path)["status"] == "DELIVERED"
    theatre.repair(days=6, minutes=1)  # the warning
    theatre.repair(days=1, minutes=1)
    theatre.settle("RELEASED")
    theatre.assert_sound()


def test_a_silent_buyer_does_not_keep_the_seller_waiting(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    theatre.deliver()
    theatre.repair(days=6, minutes=1)
    theatre.repair(days=1, minutes=1)
    theatre.settle("RELEASED")
    theatre.assert_sound()


def test_a_rollback_before_release_is_disputed_not_paid(theatre: Theatre) -> None:
    theatre.agree()
    theatre.fund()
    theatre.deliver()
    theatre.cast.world.group(theatre.group_id, theatre.cast.seller.roblox_id)
    theatre.repair(days=7, minutes=1)
    theatre.repair(days=1, minutes=1)
    escrow = theatre.settle("DISPUTED")
    assert escrow["dispute"]["reasonCode"] == "OWNER_IS_SELLER"
    assert theatre.stripe_has("transfers") == []
    theatre.cast.seller.post(f"{theatre.path}/refund", {"reason": "I took it back"})
    theatre.settle("REFUNDED")
    theatre.assert_sound()
