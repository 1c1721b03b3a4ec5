"""settle_escrow: what the failure of each step leads to. Only a definite refusal or a hold parks."""

import pytest

from bloxtr8.entities import Escrow, Hold
from bloxtr8.errors import StaleWrite
from bloxtr8.rails.base import RailBug, RailFrozen, RailOutcomeUnknown, RailThrottled
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.sagas.conftest import Saga

PAID = ["SendLeg", "AfterSending", "ConfirmLeg", "AfterConfirming"]
DONE = ["SendLeg", "AfterSending", "FinishSettlement", "Settled", "SUCCEEDED"]
TRANSFERS = "/v1/transfers$"


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble, saga: Saga) -> Escrow:
    """An escrow whose buyer has confirmed: a release."""
    made = factories.delivered(stripe)
    assert escrows.confirm(aws, made).status == 202
    return made


def run(saga: Saga, escrow: Escrow) -> list[str]:
    return saga.run("settle_escrow", **money.event(escrow))


def paid_once(aws: Platform, escrow: Escrow, stripe: StripeDouble) -> None:
    """Released, one transfer, balanced."""
    assert escrows.row(escrow).status == "RELEASED"
    transfers = [one for one in stripe.events if one["type"] == "transfer.created"]
    assert len(transfers) == 1
    assert set(escrows.sound(aws, escrow)) == {"BUYER", "SELLER", "FEES"}


def test_the_seller_is_paid(aws: Platform, stripe: StripeDouble, saga: Saga, escrow: Escrow) -> None:
    assert run(saga, escrow) == PAID + DONE
    paid_once(aws, escrow, stripe)


@pytest.mark.parametrize("step", ["send_leg", "confirm_leg", "finish_settlement"])
@pytest.mark.parametrize("error", [RailThrottled(), RailOutcomeUnknown(), StaleWrite(), MemoryError()])
@pytest.mark.parametrize("done", [False, True])
def test_a_step_that_fails_once_is_tried_again(
    aws: Platform, stripe: StripeDouble, saga: Saga, escrow: Escrow, step: str, error: Exception, done: bool
) -> None:
    (saga.after if done else saga.faults)[step].append(error)
    assert run(saga, escrow)[-2:] == ["Settled", "SUCCEEDED"]
    assert len(saga.pauses) == 1
    paid_once(aws, escrow, stripe)


@pytest.mark.parametrize("fault", ["drop_before", "503", "429"])
def test_a_send_that_is_never_answered_is_looked_up_and_waits(
    aws: Platform, stripe: StripeDouble, saga: Saga, escrow: Escrow, fault: str
) -> None:
    stripe.fault(fault, "post", TRANSFERS, times=None)
    assert run(saga, escrow) == ["SendLeg", "ConfirmLeg", "AfterConfirming", "Waiting", "SUCCEEDED"]
    assert len(saga.pauses) == (6 if fault == "429" else 3)
    leg = money.leg(escrow)
    assert (leg.status, leg.attempt, escrows.row(escrow).holds) == ("PLANNED", 1, set())
    stripe.clear_faults()
    assert run(saga, escrow)[-2:] == ["Waiting", "SUCCEEDED"]  # not before its time
    aws.clock.advance(minutes=2)
    assert run(saga, escrow) == PAID + DONE
    paid_once(aws, escrow, stripe)


def test_a_transfer_whose_answers_are_all_lost_is_found(
    aws: Platform, stripe: StripeDouble, saga: Saga, escrow: Escrow
) -> None:
    stripe.fault("drop_after", "post", TRANSFERS, times=3)  # the client's own tries
    assert run(saga, escrow)[-2:] == ["Settled", "SUCCEEDED"]
    paid_once(aws, escrow, stripe)


def test_an_outage_leaves_the_leg_unknown_and_the_settlement_open(
    aws: Platform, stripe: StripeDouble, saga: Saga, escrow: Escrow
) -> None:
    stripe.fault("503", "any", "", times=None)
    assert run(saga, escrow) == ["SendLeg", "ConfirmLeg", "Waiting", "SUCCEEDED"]
    assert (money.leg(escrow).status, money.settlement(escrow).status) == ("UNKNOWN", "OPEN")
    stripe.clear_faults()
    assert run(saga, escrow) == [*PAID, "Waiting", "SUCCEEDED"]  # looked up, and planned again
    aws.clock.advance(minutes=2)
    run(saga, escrow)
    paid_once(aws, escrow, stripe)


@pytest.mark.parametrize("step", ["send_leg", "confirm_leg"])
@pytest.mark.parametrize("error", [RailBug(), RailFrozen("")])
def test_a_definite_refusal_parks_at_once(saga: Saga, escrow: Escrow, step: str, error: Exception) -> None:
    saga.faults[step] = [error]
    assert run(saga, escrow)[-3:] == ["ParkSettlement", "Parked", "SUCCEEDED"]
    assert saga.pauses == []
    assert (money.settlement(escrow).error, escrows.row(escrow).holds) == (type(error).__name__, {Hold.PAYOUT_FAILED})


def test_a_hold_parks(saga: Saga, escrow: Escrow) -> None:
    escrows.changed(escrow, holds=frozenset({Hold.RISK_REVIEW}))
    assert run(saga, escrow) == ["SendLeg", "AfterSending", "ParkSettlement", "Parked", "SUCCEEDED"]
    assert (money.settlement(escrow).error, escrows.row(escrow).holds) == ("ON_HOLD", {Hold.RISK_REVIEW})


@pytest.mark.parametrize("step", ["send_leg", "confirm_leg", "finish_settlement"])
def test_a_step_that_stays_broken_ends_the_attempt_and_never_parks(
    aws: Platform, stripe: StripeDouble, saga: Saga, escrow: Escrow, step: str
) -> None:
    saga.faults[step] = [MemoryError()] * 6
    assert run(saga, escrow)[-2:] == ["Waiting", "SUCCEEDED"]
    assert len(saga.pauses) == 5
    assert money.settlement(escrow).status == "OPEN"
    aws.clock.advance(minutes=3)
    assert run(saga, escrow)[-2:] == ["Settled", "SUCCEEDED"]
    paid_once(aws, escrow, stripe)


def test_parking_that_fails_is_done_by_the_next_run(saga: Saga, escrow: Escrow) -> None:
    saga.faults["send_leg"], saga.faults["park_settlement"] = [RailBug()], [MemoryError()] * 6
    assert run(saga, escrow)[-1] == "FAILED"
    assert money.settlement(escrow).status == "OPEN"
    saga.faults["send_leg"] = [RailBug()]
    assert run(saga, escrow)[-2:] == ["Parked", "SUCCEEDED"]


def test_a_seller_who_is_not_ready_ends_the_attempt(
    aws: Platform, stripe: StripeDouble, saga: Saga, escrow: Escrow
) -> None:
    stripe.onboard(str(escrow.payout_account_id), succeeds=False)
    assert run(saga, escrow) == ["SendLeg", "AfterSending", "Waiting", "SUCCEEDED"]
    assert money.leg(escrow).error == "SELLER_NOT_READY"
    stripe.onboard(str(escrow.payout_account_id))
    aws.clock.advance(hours=1)
    assert run(saga, escrow) == PAID + DONE
    paid_once(aws, escrow, stripe)


def test_two_runs_at_once_pay_once(aws: Platform, stripe: StripeDouble, saga: Saga, escrow: Escrow) -> None:
    runs = [saga.start("settle_escrow", **money.event(escrow)) for _ in range(2)]
    assert {saga.end(one)[-1] for one in runs} == {"SUCCEEDED"}
    aws.clock.advance(minutes=3)
    run(saga, escrow)
    paid_once(aws, escrow, stripe)


def test_a_run_after_the_end_does_nothing(saga: Saga, escrow: Escrow, aws: Platform) -> None:
    run(saga, escrow)
    before = aws.rows()
    assert run(saga, escrow) == ["SendLeg", "AfterSending", "Waiting", "SUCCEEDED"]
    assert aws.rows() == before


def test_a_slow_refund_is_asked_for_again_by_the_job(aws: Platform, stripe: StripeDouble, saga: Saga) -> None:
    escrow = factories.funded(stripe)
    escrows.refund(aws, escrow)
    assert run(saga, escrow) == [*PAID, "Waiting", "SUCCEEDED"]
    aws.clock.advance(minutes=3)
    assert run(saga, escrow) == PAID + DONE
    assert escrows.row(escrow).status == "REFUNDED"
