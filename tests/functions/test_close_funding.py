"""close_funding: after a cancellation nobody can pay any more, and what was paid all the same goes back."""

import pytest

from bloxtr8.entities import Escrow
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import FundingStatus
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.money import ScriptedRail, rail

__all__ = ["rail"]


def cancelled(aws: Platform, escrow: Escrow) -> Escrow:
    assert aws.call("cancel_escrow", escrow.buyer_id, {"reason": "No"}, escrow_id=escrow.id).status == 200
    return escrow


def close(aws: Platform, escrow: Escrow) -> bool:
    return bool(aws.invoke("close_funding", {"escrowId": escrow.id})["closed"])


def test_the_payment_intent_is_canceled(aws: Platform, stripe: StripeDouble) -> None:
    escrow = cancelled(aws, factories.payable(stripe))
    assert close(aws, escrow)
    file = escrows.file(escrow)
    intent = stripe_client.client().v1.payment_intents.retrieve(str(file.rail.external_id))
    assert intent.status == "canceled"
    assert (file.escrow.funding_closed, file.escrow.next_look) == (True, None)
    assert sorted(row.name for row in file.operations) == ["cancel", "open"]
    assert money.nothing_happens(aws, "close_funding", {"escrowId": escrow.id}) == {"closed": True}


def test_late_money_goes_back(aws: Platform, stripe: StripeDouble) -> None:
    escrow = cancelled(aws, factories.payable(stripe))
    factories.pay(escrow)
    assert close(aws, escrow)
    back = money.settlement(escrow)
    assert (back.kind, back.reason, money.leg(escrow).deposit_ref) == (
        "RETURN",
        "LATE_MONEY",
        escrows.file(escrow).deposits[0].ref,
    )
    assert money.actions(aws, escrow)[-2:] == ["return_late_money", "close_funding"]
    factories.settle(escrow, back.id)
    aws.clock.advance(minutes=3)
    assert factories.settle(escrow, back.id).status == "CANCELLED"
    assert money.settlement(escrow).status == "DONE"
    assert escrows.sound(aws, escrow) == {}


def test_a_payment_under_way_is_asked_for_again(aws: Platform, rail: ScriptedRail) -> None:
    escrow = cancelled(aws, money.executed_with_rail())
    rail.status = FundingStatus.PROCESSING
    assert not close(aws, escrow)
    assert (escrows.row(escrow).funding_closed, escrows.row(escrow).next_look is None) == (False, False)
    rail.status = FundingStatus.CANCELED
    assert close(aws, escrow)


def test_what_never_opened_needs_no_call(aws: Platform, stripe: StripeDouble) -> None:
    escrow = cancelled(aws, factories.executed())
    asked = len(stripe.requests)
    assert close(aws, escrow)
    assert len(stripe.requests) == asked


@pytest.mark.parametrize("fault", ["drop_after", "500_after", "429"])
def test_a_payment_intent_whose_id_was_lost_is_found_and_canceled(
    aws: Platform, stripe: StripeDouble, fault: str
) -> None:
    escrow = factories.executed()
    stripe.fault(fault, "any", "payment_intents", times=None)
    with pytest.raises(money.UNKNOWN):
        aws.invoke("open_funding", {"escrowId": escrow.id})
    cancelled(aws, escrow)
    stripe.clear_faults()
    assert close(aws, escrow)
    (intent,) = stripe_client.client().v1.payment_intents.list({"limit": 100}).data
    assert (intent.status, intent.id) == ("canceled", escrows.file(escrow).rail.external_id)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "500_after", "503", "409", "429"])
def test_a_lost_answer_is_asked_for_again(aws: Platform, stripe: StripeDouble, fault: str) -> None:
    escrow = cancelled(aws, factories.payable(stripe))
    stripe.fault(fault, "post", "/cancel$", times=9)
    with pytest.raises(money.UNKNOWN):
        close(aws, escrow)
    assert not escrows.row(escrow).funding_closed
    stripe.clear_faults()
    assert close(aws, escrow)


def test_an_escrow_that_is_not_cancelled_stays_payable(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    money.nothing_happens(aws, "close_funding", {"escrowId": escrow.id})
    factories.pay(escrow)
