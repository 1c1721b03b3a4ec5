"""A trade that goes wrong, over HTTP: the complaint, the file, the decision, and the last cent (M61 to M64)."""

import pytest

from local.client import Refused
from local.demo import disputes
from local.demo.stories import Cast
from local.trader import Trader
from tests.flows.theatre import Theatre, silent


@pytest.fixture(scope="module")
def judge(cast: Cast) -> Trader:
    return disputes.arbiter(cast.world, silent)


def test_a_dispute_ends_in_a_split_to_the_cent(theatre: Theatre, judge: Trader) -> None:
    theatre.agree()
    theatre.fund()

    read = disputes.dispute_and_split(theatre.cast, theatre.trade, judge, silent)

    (piece,) = read["evidence"]
    assert (piece["state"], [message["intact"] for message in read["messages"]]) == ("STORED", [True])
    assert (read["facts"]["filed"]["owner"]["who"], read["audit"]["verified"]) == ("SELLER", True)
    escrow = theatre.settle("SPLIT")
    assert (escrow["money"]["released"], escrow["money"]["refunded"]) == (7_666 - 222, 23_000 - 7_666)
    (transfer,), (refund,) = theatre.stripe_has("transfers"), theatre.stripe_has("refunds")
    assert (transfer["amount"], refund["amount"]) == (7_444, 15_334)
    found = theatre.cast.seller.get(f"{theatre.path}/disputes/{read['dispute']['id']}")["dispute"]
    assert (found["status"], found["outcome"], found["resolution"]) == ("CLOSED", "EXECUTED", disputes.WHY)
    theatre.assert_sound()


def test_disputes_taken_back_carry_the_money_to_its_limit_and_no_further(theatre: Theatre, judge: Trader) -> None:
    theatre.agree()
    theatre.fund()
    theatre.deliver()
    buyer, seller = theatre.cast.buyer, theatre.cast.seller
    disputes_path = f"{theatre.path}/disputes"
    claim = {"title": "Games are missing", "description": "x", "reasonCode": "NOT_AS_DESCRIBED"}
    for party, days in ((buyer, 35), (seller, 42)):
        complaint = party.post(disputes_path, claim)["id"]
        theatre.repair(days=days)
        for person in (buyer, seller, judge):
            person.sign_in()  # that was too long for a session
        party.post(f"{disputes_path}/{complaint}/withdraw")
        theatre.repair(hours=1)
    complaint = buyer.post(disputes_path, claim)["id"]

    theatre.repair(days=3)
    theatre.repair(minutes=5)

    with pytest.raises(Refused) as refused:
        buyer.post(f"{disputes_path}/{complaint}/withdraw")
    assert (refused.value.status, refused.value.code) == (409, "HELD_TOO_LONG")
    (waiting,) = [one for one in judge.get("/disputes")["items"] if one["escrowId"] == theatre.trade.escrow_id]
    assert (waiting["id"], waiting["escalatedAt"] is not None) == (complaint, True)
    judge.post(f"{disputes_path}/{complaint}/assign")
    rest = buyer.get(theatre.path)["money"]["amount"]
    decision = {"outcome": "RELEASE", "sellerAmount": rest, "buyerAmount": 0, "resolution": disputes.WHY}
    judge.post(f"{disputes_path}/{complaint}/resolve", decision)
    theatre.settle("RELEASED")
    theatre.assert_sound()


def test_while_it_lives_the_clock_decides_nothing(theatre: Theatre, judge: Trader) -> None:
    theatre.agree()
    theatre.fund()
    buyer = theatre.cast.buyer
    claim = {"title": "Nothing came", "description": "x", "reasonCode": "NOT_DELIVERED"}
    dispute = buyer.post(f"{theatre.path}/disputes", claim)["id"]

    theatre.repair(days=20)  # its time to deliver is long over
    theatre.stack.fire("escalate_disputes")

    assert buyer.get(theatre.path)["status"] == "DISPUTED"
    with pytest.raises(Refused):
        theatre.cast.seller.post(f"{theatre.path}/deliveries", {})
    buyer.post(f"{theatre.path}/disputes/{dispute}/withdraw")
    found = buyer.get(theatre.path)
    assert (found["status"], found["clocksFrozen"]) == ("FUNDS_HELD", False)
    theatre.release()
    theatre.settle("RELEASED")
    theatre.assert_sound()
