"""look_at_rail: a last look at the deadline; any money goes on to screening."""

import pytest

from bloxtr8.entities import Escrow
from bloxtr8.rails.base import FundingStatus, RailOutcomeUnknown
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.money import ScriptedRail, rail

__all__ = ["rail"]


def look(aws: Platform, escrow: Escrow) -> str:
    return str(aws.invoke("look_at_rail", {"escrowId": escrow.id})["outcome"])


def test_nobody_paid_in_time(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    aws.clock.advance(hours=72)
    before = aws.rows()
    assert look(aws, escrow) == "DEADLINE"
    assert aws.rows() == before


def test_a_moved_deadline_waits_on(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    aws.clock.advance(hours=72)
    escrows.changed(escrow, fund_by=aws.clock.moment.replace(year=2027))
    assert look(aws, escrow) == "WAIT"


def test_money_at_the_last_moment_counts(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    aws.clock.advance(hours=72)
    factories.pay(escrow)
    assert look(aws, escrow) == "PAID"
    assert escrows.row(escrow).deposited == escrow.gross


def test_a_cancelled_escrow_is_cancelled(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    aws.call("cancel_escrow", escrow.buyer_id, {"reason": "No"}, escrow_id=escrow.id)
    assert look(aws, escrow) == "CANCELLED"


def test_a_payment_under_way_stops_the_clock(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    stripe.pay_slowly(str(escrows.file(escrow).rail.external_id))
    assert look(aws, escrow) == "WAIT"
    aws.clock.advance(hours=72)
    assert escrows.row(escrow).frozen_causes == {"PROCESSING"}
    assert look(aws, escrow) == "WAIT"
    aws.clock.advance(hours=25)
    assert look(aws, escrow) == "PAID"
    assert escrows.row(escrow).frozen_causes == set()


def test_too_little_money_goes_to_screening_when_its_day_more_has_passed(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.executed_with_rail()
    aws.clock.advance(hours=73)
    rail.pay(1_000, "ch_part")
    assert look(aws, escrow) == "WAIT"  # it came late, and gets its day more
    aws.clock.advance(hours=23)
    assert look(aws, escrow) == "PAID"
    assert aws.invoke("screen_deposit", {"escrowId": escrow.id}) == {"enough": False}


def test_an_unknown_answer_decides_nothing(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    aws.clock.advance(hours=72)
    stripe.fault("503", "get", "", times=None)
    before = aws.rows()
    with pytest.raises(RailOutcomeUnknown):
        look(aws, escrow)
    assert aws.rows() == before


def test_canceled_at_the_provider_is_the_deadline(aws: Platform, rail: ScriptedRail) -> None:
    rail.status = FundingStatus.CANCELED
    assert look(aws, money.executed_with_rail()) == "DEADLINE"
