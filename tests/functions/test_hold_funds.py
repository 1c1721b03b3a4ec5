"""hold_funds: enough is there, so the escrow holds it; what is too much goes back."""

import datetime as dt

import pytest

from bloxtr8 import reads
from bloxtr8.entities import Hold, SettlementKind
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.money import ScriptedRail, rail

__all__ = ["rail"]


def paid(aws: Platform, rail: ScriptedRail, amount: int | None = None) -> dict[str, str]:
    """The input of the task, for an escrow whose deposit was recorded."""
    escrow = money.executed_with_rail()
    rail.pay(amount or escrow.gross, "ch_1")
    event = {"escrowId": escrow.id}
    aws.invoke("screen_deposit", event)
    return event


def test_the_sellers_time_starts(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    aws.invoke("screen_deposit", {"escrowId": escrow.id})
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}
    held = escrows.row(escrow)
    assert held.status == "FUNDS_HELD"
    assert held.funded_at is not None
    assert held.deliver_by == held.funded_at + dt.timedelta(seconds=held.deliver_seconds)
    assert held.next_look == held.deliver_by
    assert escrows.file(escrow).settlements == []
    assert money.actions(aws, escrow)[-1] == "hold_funds"
    assert money.nothing_happens(aws, "hold_funds", {"escrowId": escrow.id}) == {"held": True}


def test_a_surplus_goes_back(aws: Platform, rail: ScriptedRail) -> None:
    event = paid(aws, rail, 500_000)
    assert aws.invoke("hold_funds", event) == {"held": True}
    escrow = reads.escrow(event["escrowId"]).escrow
    assert (escrow.held, escrow.surplus, escrow.settlement_id) == (escrow.gross, 500_000 - escrow.gross, None)
    back = money.settlement(escrow)
    assert (back.kind, back.to_buyer, back.reason) == (SettlementKind.RETURN, escrow.surplus, "PAID_TOO_MUCH")
    assert factories.settle(escrow, back.id).status == "FUNDS_HELD"
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross, "HELD": escrow.gross}


def test_too_little_is_not_held(aws: Platform, rail: ScriptedRail) -> None:
    assert money.nothing_happens(aws, "hold_funds", paid(aws, rail, 100)) == {"held": False}


@pytest.mark.parametrize("hold", [Hold.RISK_REVIEW, Hold.SANCTIONS, Hold.COMPLIANCE])
def test_nothing_is_held_while_a_hold_stands(aws: Platform, rail: ScriptedRail, hold: Hold) -> None:
    event = paid(aws, rail)
    escrows.changed(reads.escrow(event["escrowId"]).escrow, holds=frozenset({hold}))
    assert money.nothing_happens(aws, "hold_funds", event) == {"held": False}


def test_a_cancelled_escrow_holds_nothing(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    aws.call("cancel_escrow", escrow.buyer_id, {"reason": "No"}, escrow_id=escrow.id)
    assert money.nothing_happens(aws, "hold_funds", {"escrowId": escrow.id}) == {"held": False}


def test_a_late_repeat_changes_nothing(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    money.nothing_happens(aws, "hold_funds", {"escrowId": escrow.id})
