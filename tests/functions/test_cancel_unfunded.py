"""cancel_unfunded: only after a last look at the rail and at the deadline; money that is too little goes back."""

from functools import partial

import pytest

from bloxtr8.entities import Escrow
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import RailOutcomeUnknown
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.money import ScriptedRail, rail

__all__ = ["rail"]


def cancel(aws: Platform, escrow: Escrow) -> str:
    return str(aws.invoke("cancel_unfunded", {"escrowId": escrow.id})["outcome"])


def test_the_listing_is_free_again(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    aws.clock.advance(hours=72)
    assert cancel(aws, escrow) == "CANCELLED"
    file = escrows.file(escrow)
    assert (file.escrow.status, file.escrow.reason, file.escrow.funding_closed) == ("CANCELLED", "UNFUNDED", False)
    assert file.delivery.status == "CANCELLED"
    assert escrows.around(escrow) == {"listing": "ACTIVE", "offer": "CANCELLED", "open": [0, 0], "volume": [0, 0]}
    assert file.escrow.next_look is not None  # until close_funding is done
    assert money.actions(aws, escrow)[-1] == "cancel_unfunded"
    assert money.nothing_happens(aws, "cancel_unfunded", {"escrowId": escrow.id}) == {"outcome": "CANCELLED"}


def test_before_the_deadline_it_waits(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    aws.clock.advance(hours=71)
    assert money.nothing_happens(aws, "cancel_unfunded", {"escrowId": escrow.id}) == {"outcome": "WAIT"}


def test_money_at_the_last_moment_is_held(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    aws.clock.advance(hours=72)
    factories.pay(escrow)
    assert cancel(aws, escrow) == "MONEY"
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}


def test_a_payment_under_way_waits(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    stripe.pay_slowly(str(escrows.file(escrow).rail.external_id))
    aws.invoke("look_at_rail", {"escrowId": escrow.id})
    aws.clock.advance(hours=72)
    assert cancel(aws, escrow) == "WAIT"


def test_canceled_at_stripe_counts_as_the_deadline(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    stripe_client.client().v1.payment_intents.cancel(str(escrows.file(escrow).rail.external_id))
    assert cancel(aws, escrow) == "CANCELLED"
    assert (escrows.row(escrow).funding_closed, escrows.row(escrow).next_look) == (True, None)


def test_too_little_money_goes_back(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.executed_with_rail()
    rail.pay(1_000, "ch_1")
    aws.invoke("screen_deposit", {"escrowId": escrow.id})
    aws.clock.advance(hours=72)
    assert cancel(aws, escrow) == "WAIT"  # the day more
    aws.clock.advance(hours=24)
    assert cancel(aws, escrow) == "CANCELLED"
    back = money.settlement(escrow)
    assert (back.kind, back.to_buyer, back.reason) == ("RETURN", 1_000, "PAID_TOO_LITTLE")
    assert escrows.sound(aws, escrow) == {"BUYER": -1_000, "SURPLUS": 1_000}
    assert factories.settle(escrow, back.id).status == "CANCELLED"
    assert escrows.sound(aws, escrow) == {}


def test_an_unknown_answer_cancels_nothing(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    aws.clock.advance(hours=72)
    stripe.fault("503", "get", "", times=None)
    before = aws.rows()
    with pytest.raises(RailOutcomeUnknown):
        cancel(aws, escrow)
    assert aws.rows() == before


def test_an_escrow_that_holds_its_money_is_not_cancelled(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    money.nothing_happens(aws, "cancel_unfunded", {"escrowId": escrow.id})
    assert escrows.row(escrow).status == "FUNDS_HELD"


def test_a_partys_cancellation_and_the_deadline_at_once_cancel_once(aws: Platform, stripe: StripeDouble) -> None:
    for _ in range(3):
        escrow = factories.payable(stripe)
        aws.clock.advance(hours=72)
        by_party = partial(aws.call, "cancel_escrow", escrow.buyer_id, {"reason": "No"}, escrow_id=escrow.id)
        together(partial(cancel, aws, escrow), by_party)
        assert escrows.row(escrow).status == "CANCELLED"
        cancelled = [one for one in money.actions(aws, escrow) if one.startswith("cancel_")]
        assert len(cancelled) == 1
        assert escrows.around(escrow)["open"] == [0, 0]
