"""await_funding: the token is kept where nobody sees it, and what has happened already answers it."""

import pytest

from bloxtr8.rails import stripe_client
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows
from tests.functions.webhooks import Machines
from tests.wire import Wire

TOKEN = "a secret token"


@pytest.fixture
def machines(wire: Wire) -> Machines:
    return Machines(wire)


def wait(aws: Platform, escrow: object) -> None:
    assert aws.invoke("await_funding", {"escrowId": escrow.id, "token": TOKEN}) == {}  # type: ignore[attr-defined]


def test_the_token_is_kept_and_never_shown(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.payable(stripe)
    wait(aws, escrow)
    assert escrows.file(escrow).rail.task_token == TOKEN
    assert machines.answered == []
    shown = [escrows.seen(aws, escrow, escrow.buyer_id), aws.call("get_timeline", escrow.buyer_id, escrow_id=escrow.id)]
    assert TOKEN not in escrows.text(*shown)
    assert TOKEN not in str([row for row in aws.rows() if row["PK"]["S"].startswith("AUDIT#")])


def test_a_payment_that_came_first_answers(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    wait(aws, escrow)
    assert machines.answered == [(TOKEN, "PAID")]
    assert escrows.row(escrow).deposited == escrow.gross


def test_a_cancellation_that_came_first_answers(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.payable(stripe)
    aws.call("cancel_escrow", escrow.seller_id, {"reason": "No"}, escrow_id=escrow.id)
    wait(aws, escrow)
    assert machines.answered == [(TOKEN, "CANCELLED")]


def test_a_deadline_that_passed_answers(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.payable(stripe)
    aws.clock.advance(hours=72)
    wait(aws, escrow)
    assert machines.answered == [(TOKEN, "DEADLINE")]


def test_an_escrow_whose_rail_never_opened_meets_its_deadline(aws: Platform, machines: Machines) -> None:
    escrow = factories.executed()
    aws.clock.advance(hours=72)
    wait(aws, escrow)
    assert machines.answered == [(TOKEN, "DEADLINE")]


def test_a_payment_intent_canceled_at_stripe_counts_as_the_deadline(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.payable(stripe)
    stripe_client.client().v1.payment_intents.cancel(str(escrows.file(escrow).rail.external_id))
    wait(aws, escrow)
    assert machines.answered == [(TOKEN, "DEADLINE")]


@pytest.mark.parametrize("fault", ["429", "503", "drop_before"])
def test_an_unknown_answer_waits_for_the_next_look(
    aws: Platform, stripe: StripeDouble, machines: Machines, fault: str
) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    stripe.fault(fault, "get", "", times=None)
    wait(aws, escrow)
    assert machines.answered == []
    assert escrows.file(escrow).rail.task_token == TOKEN
    assert escrows.row(escrow).next_look is not None


@pytest.mark.parametrize("late", ["InvalidToken", "TaskDoesNotExist", "TaskTimedOut"])
def test_a_token_answered_too_late_is_no_error(
    aws: Platform, stripe: StripeDouble, machines: Machines, late: str
) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    machines.late = late
    wait(aws, escrow)
    assert machines.answered == []
