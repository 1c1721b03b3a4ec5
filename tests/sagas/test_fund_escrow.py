"""fund_escrow: what the failure of each step leads to. While the escrow still waits, the next run goes on."""

import pytest

from bloxtr8 import sagas
from bloxtr8.entities import Escrow, Hold
from bloxtr8.errors import StaleWrite
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import RailBug, RailOutcomeUnknown, RailThrottled
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.sagas.conftest import Saga

OPENED = ["OpenFunding", "IsItOpen", "AwaitFunding"]
HELD = ["ScreenDeposit", "IsItEnough", "HoldFunds", "IsItHeld", "Funded", "SUCCEEDED"]
DEADLINE = ["LookAtRail", "WhatTheRailSays"]
CANCELLED = ["CancelUnfunded", "IsItCancelled", "CloseFunding", "SUCCEEDED"]


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble, saga: Saga) -> Escrow:
    """An escrow nobody has paid yet."""
    return factories.executed(seller=factories.payee(stripe))


def sleeping(saga: Saga, escrow: Escrow) -> str:
    """A run that waits for its token."""
    execution = saga.start("fund_escrow", escrowId=escrow.id)
    saga.asleep(execution)
    return execution


def job(aws: Platform, **later: float) -> None:
    aws.clock.advance(**later)
    aws.invoke("enforce_escrow_deadlines")


def intents(escrow: Escrow) -> list[str]:
    """The states of its PaymentIntents."""
    listed = stripe_client.client().v1.payment_intents.list({"limit": 100}).data
    return [one.status for one in listed if one.transfer_group == escrow.id]


def test_a_payment_is_held(aws: Platform, saga: Saga, escrow: Escrow) -> None:
    execution = sleeping(saga, escrow)
    factories.pay(escrow)
    job(aws, minutes=3)
    assert saga.end(execution) == [*OPENED, "WhatHappened", *HELD]
    assert escrows.row(escrow).status == "FUNDS_HELD"


@pytest.mark.parametrize("error", [RailThrottled(), RailOutcomeUnknown(), StaleWrite(), MemoryError()])
@pytest.mark.parametrize("step", ["open_funding", "await_funding", "screen_deposit", "hold_funds"])
@pytest.mark.parametrize("done", [False, True])
def test_a_step_of_a_payment_that_fails_once_is_tried_again(
    aws: Platform, saga: Saga, escrow: Escrow, step: str, error: Exception, done: bool
) -> None:
    (saga.after if done else saga.faults)[step].append(error)
    execution = sleeping(saga, escrow)
    factories.pay(escrow)
    job(aws, minutes=3)
    assert saga.end(execution)[-2:] == ["Funded", "SUCCEEDED"]
    assert len(saga.pauses) == 1
    assert (escrows.row(escrow).status, len(escrows.file(escrow).ledger)) == ("FUNDS_HELD", 1)
    assert intents(escrow) == ["succeeded"]


def test_nobody_paid_in_time(aws: Platform, saga: Saga, escrow: Escrow) -> None:
    execution = sleeping(saga, escrow)
    job(aws, hours=72)
    assert saga.end(execution) == [*OPENED, "WhatHappened", *DEADLINE, *CANCELLED]
    row = escrows.row(escrow)
    assert (row.status, row.funding_closed, intents(escrow)) == ("CANCELLED", True, ["canceled"])


@pytest.mark.parametrize("step", ["look_at_rail", "cancel_unfunded", "close_funding"])
@pytest.mark.parametrize("done", [False, True])
def test_a_step_of_the_deadline_that_fails_once_is_tried_again(
    aws: Platform, saga: Saga, escrow: Escrow, step: str, done: bool
) -> None:
    (saga.after if done else saga.faults)[step].append(RailOutcomeUnknown())
    execution = sleeping(saga, escrow)
    job(aws, hours=72)
    assert saga.end(execution)[-1] == "SUCCEEDED"
    row = escrows.row(escrow)
    assert (row.status, row.funding_closed, intents(escrow)) == ("CANCELLED", True, ["canceled"])
    assert money.actions(aws, escrow).count("cancel_unfunded") == 1


@pytest.mark.parametrize("step", ["open_funding", "await_funding", "look_at_rail", "cancel_unfunded", "close_funding"])
def test_a_run_that_fails_for_good_is_followed_by_the_next(
    aws: Platform, saga: Saga, escrow: Escrow, step: str
) -> None:
    saga.faults[step] = [RailBug()]
    execution = saga.start("fund_escrow", escrowId=escrow.id)
    if step not in {"open_funding", "await_funding"}:
        saga.asleep(execution)
        job(aws, hours=72)
    assert saga.end(execution)[-1] == "FAILED"
    assert saga.pauses == []
    aws.clock.advance(hours=72)
    assert saga.run("fund_escrow", escrowId=escrow.id)[-1] == "SUCCEEDED"
    row = escrows.row(escrow)
    assert (row.status, row.funding_closed) == ("CANCELLED", True)


def test_money_at_the_last_moment_is_held_after_all(aws: Platform, saga: Saga, escrow: Escrow) -> None:
    saga.then["look_at_rail"] = lambda: factories.pay(escrow)
    execution = sleeping(saga, escrow)
    job(aws, hours=72)
    held = ["CancelUnfunded", "IsItCancelled", *HELD]  # judged like any other money before it is held
    assert saga.end(execution) == [*OPENED, "WhatHappened", *DEADLINE, *held]
    assert escrows.row(escrow).status == "FUNDS_HELD"


def test_a_deadline_that_was_moved_waits_on(aws: Platform, saga: Saga, escrow: Escrow) -> None:
    execution = sleeping(saga, escrow)
    later = aws.clock.moment.replace(month=12)
    aws.clock.advance(hours=72)
    stale = escrows.file(escrow)
    escrows.changed(escrow, fund_by=later)
    sagas.answer(stale.rail, "DEADLINE")
    saga.until(lambda: saga.path(execution).count("AwaitFunding") == 2)
    saga.asleep(execution)
    factories.pay(escrow)
    job(aws, hours=1)
    assert saga.end(execution) == [
        *OPENED, "WhatHappened", *DEADLINE, "AwaitFunding", "WhatHappened", *HELD,
    ]  # fmt: skip


def test_a_partys_cancellation_closes_the_rail(aws: Platform, saga: Saga, escrow: Escrow) -> None:
    execution = sleeping(saga, escrow)
    aws.call("cancel_escrow", escrow.buyer_id, {"reason": "No"}, escrow_id=escrow.id)
    assert saga.end(execution) == [*OPENED, "WhatHappened", "CloseFunding", "SUCCEEDED"]
    assert intents(escrow) == ["canceled"]


def test_a_run_for_a_cancelled_escrow_only_closes_the_rail(aws: Platform, saga: Saga, escrow: Escrow) -> None:
    aws.call("cancel_escrow", escrow.buyer_id, {"reason": "No"}, escrow_id=escrow.id)
    run = saga.run("fund_escrow", escrowId=escrow.id)
    assert run == ["OpenFunding", "IsItOpen", "CloseFunding", "SUCCEEDED"]
    assert (escrows.row(escrow).funding_closed, intents(escrow)) == (True, [])


def test_a_hold_ends_the_attempt_and_its_end_starts_the_next(aws: Platform, saga: Saga, escrow: Escrow) -> None:
    execution = sleeping(saga, escrow)
    escrows.changed(escrow, holds=frozenset({Hold.RISK_REVIEW}))
    factories.pay(escrow)
    job(aws, minutes=3)
    assert saga.end(execution)[-3:] == ["IsItHeld", "CloseFunding", "SUCCEEDED"]
    assert (escrows.row(escrow).status, intents(escrow)) == ("AWAIT_FUNDS", ["succeeded"])
    escrows.changed(escrow, holds=frozenset())
    assert saga.run("fund_escrow", escrowId=escrow.id)[-2:] == ["Funded", "SUCCEEDED"]


def test_a_rail_that_never_opens_does_not_keep_the_escrow_for_ever(
    aws: Platform, stripe: StripeDouble, saga: Saga, escrow: Escrow
) -> None:
    stripe.fault("503", "any", "", times=None)
    assert saga.run("fund_escrow", escrowId=escrow.id) == ["OpenFunding", "FAILED"]
    aws.clock.advance(hours=72)
    run = saga.run("fund_escrow", escrowId=escrow.id)
    assert run == [*OPENED, "WhatHappened", *DEADLINE, *CANCELLED[:-1], "FAILED"]
    assert (escrows.row(escrow).status, escrows.row(escrow).funding_closed) == ("CANCELLED", False)
    stripe.clear_faults()
    assert saga.run("fund_escrow", escrowId=escrow.id)[-1] == "SUCCEEDED"
    assert escrows.row(escrow).funding_closed
