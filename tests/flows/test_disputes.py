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
