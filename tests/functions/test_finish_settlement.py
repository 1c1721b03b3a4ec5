"""finish_settlement: every leg is confirmed, so the escrow and all around it reach the end that the plan named."""

from functools import partial
from typing import Any

import pytest

from bloxtr8 import table
from bloxtr8.entities import AssetGuard, Deals, Escrow
from bloxtr8.errors import Conflict
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.money import ScriptedRail, rail
from tests.wire import Wire

__all__ = ["rail"]


def paid_out(aws: Platform, escrow: Escrow) -> dict[str, str]:
    """Every leg of the newest settlement is confirmed, and the next step is the last. Returns the task's input."""
    event = money.event(escrow)
    while aws.invoke("send_leg", event)["next"] != "FINISH":
        aws.clock.advance(minutes=3)
        aws.invoke("confirm_leg", event)
    return event


def guard(escrow: Escrow) -> AssetGuard | None:
    return table.find(AssetGuard, asset_type=str(escrow.asset_type), asset_id=escrow.asset_id)


def deals(escrow: Escrow) -> list[dict[str, Any]]:
    """Both parties' counters, the buyer's first."""
    found = [table.get(Deals, user_id=user_id) for user_id in (escrow.buyer_id, escrow.seller_id)]
    names = ("open", "completed", "refunded", "card_purchases")
    return [{name: getattr(row, name) for name in names} for row in found]


def test_a_release_ends_in_a_sale(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    escrows.confirm(aws, escrow)
    event = paid_out(aws, escrow)
    assert aws.invoke("finish_settlement", event) == {}
    row = escrows.row(escrow)
    assert (row.status, row.settlement_id, row.held, row.next_look) == ("RELEASED", None, 0, None)
    assert escrows.around(escrow)["listing"] == "SOLD"
    assert guard(escrow) is None
    counted = {"open": 0, "completed": 1, "refunded": 0}
    assert deals(escrow) == [counted | {"card_purchases": 1}, counted | {"card_purchases": 0}]
    assert money.settlement(escrow).status == "DONE"
    assert escrows.delivery(escrow).status == "CONFIRMED"
    escrows.sound(aws, escrow)
    for task in ("finish_settlement", "send_leg", "confirm_leg"):
        money.nothing_happens(aws, task, event)


def test_a_refund_retires_the_listing(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    escrows.refund(aws, escrow)
    aws.invoke("finish_settlement", paid_out(aws, escrow))
    assert escrows.row(escrow).status == "REFUNDED"
    assert escrows.around(escrow)["listing"] == "INACTIVE"
    assert guard(escrow) is None
    counted = {"open": 0, "completed": 0, "refunded": 1, "card_purchases": 0}
    assert deals(escrow) == [counted, counted]
    assert escrows.delivery(escrow).status == "CANCELLED"
    assert escrows.sound(aws, escrow) == {}


def test_a_split_is_a_split(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.paid_with_rail(aws, rail)
    money.split(escrow, to_seller=1)
    aws.invoke("finish_settlement", paid_out(aws, escrow))
    assert escrows.row(escrow).status == "SPLIT"
    assert deals(escrow)[0]["completed"] == 1


def test_it_is_one_transaction_of_few_rows(aws: Platform, stripe: StripeDouble, wire: Wire) -> None:
    escrow = factories.delivered(stripe)
    escrows.confirm(aws, escrow)
    event = paid_out(aws, escrow)
    wire.calls.clear()
    aws.invoke("finish_settlement", event)
    assert wire.calls == ["Query", "BatchGetItem", "TransactWriteItems"]
    entry = aws.audit(escrow.id)[-1]
    changed = [item["type"] for item in entry.changes]
    assert sorted(changed) == ["Deals", "Deals", "Escrow", "Listing", "Settlement"]
    assert entry.details == {"outcome": "RELEASED"}


def test_nothing_ends_while_a_leg_is_not_confirmed(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    escrows.confirm(aws, escrow)
    aws.invoke("send_leg", money.event(escrow))
    before = aws.rows()
    with pytest.raises(Conflict):
        aws.invoke("finish_settlement", money.event(escrow))
    assert aws.rows() == before


def test_a_return_touches_nothing_but_itself(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.executed_with_rail()
    rail.pay(escrow.gross + 7, "ch_1")
    for task in ("screen_deposit", "hold_funds"):
        aws.invoke(task, {"escrowId": escrow.id})
    before = escrows.row(escrow)
    event = paid_out(aws, escrow)
    around = escrows.around(escrow)
    aws.invoke("finish_settlement", event)
    after = escrows.row(escrow)
    assert (after.status, after.deliver_by, after.settlement_id) == ("FUNDS_HELD", before.deliver_by, None)
    assert (money.settlement(escrow).status, after.surplus, escrows.around(escrow)) == ("DONE", 0, around)


def test_a_return_runs_beside_a_release(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.executed_with_rail()
    rail.pay(escrow.gross + 7, "ch_1")
    for task in ("screen_deposit", "hold_funds"):
        aws.invoke(task, {"escrowId": escrow.id})
    back = money.event(escrow)
    escrows.refund(aws, escrow)
    assert factories.settle(escrow).status == "REFUNDED"
    assert factories.settle(escrow, back["settlementId"]).status == "REFUNDED"
    assert escrows.sound(aws, escrow) == {}


def test_two_executions_at_once_finish_once(aws: Platform, stripe: StripeDouble) -> None:
    for _ in range(3):
        escrow = factories.delivered(stripe)
        escrows.confirm(aws, escrow)
        finish = partial(aws.invoke, "finish_settlement", paid_out(aws, escrow))
        assert together(finish, finish) == [{}, {}]
        assert money.actions(aws, escrow).count("finish_settlement") == 1
        assert deals(escrow)[0]["completed"] == 1
