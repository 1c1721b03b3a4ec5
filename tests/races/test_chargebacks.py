"""The bank and the platform at once, fifty times each: money is conserved, nothing is paid after the hold, ends stay
ends."""

from collections.abc import Callable
from typing import Any

import pytest

from bloxtr8 import reads
from bloxtr8.attempts import again
from bloxtr8.entities import ChargebackStatus, Escrow, EscrowStatus, WebhookEvent
from local.doubles.stripe import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions import chargebacks, escrows
from tests.functions.chargebacks import FEE, tell
from tests.functions.webhooks import Machines, process, sent_by, stored
from tests.wire import Wire

pytestmark = pytest.mark.slow
ROUNDS = 50
GONE = {"BUYER": -100_000, "BANK": 100_000 + FEE, "LOSS": -FEE}
LOST = {"BUYER": -100_000, "SELLER": 97_100, "FEES": 2_900, "BANK": 100_000 + FEE, "LOSS": -100_000 - FEE}


@pytest.fixture(autouse=True)
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def event(stripe: StripeDouble, name: str) -> dict[str, Any]:
    """The newest of its name."""
    return sent_by(stripe, f"charge.dispute.{name}")[-1]


def told(aws: Platform, row: WebhookEvent) -> Callable[[], object]:
    """The event is processed."""
    return lambda: process(aws, row)


def task(aws: Platform, name: str, escrow: Escrow) -> Callable[[], object]:
    """A task of one of the escrow's machines, which repeats it where it lost a race."""
    given = {"escrowId": escrow.id, "settlementId": factories.escrow_row(escrow).settlement_id}
    return lambda: again(lambda: aws.invoke(name, given))


def confirmed(aws: Platform, stripe: StripeDouble, n: int) -> Escrow:
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow, key=f"confirm {n}").status == 202
    return escrow


def lost(aws: Platform, stripe: StripeDouble, escrow: Escrow) -> Escrow:
    """The bank keeps it, and the platform hears of that until it is in the books."""
    (row,) = chargebacks.rows(escrow)
    if row.status is ChargebackStatus.OPEN:
        stripe.close_dispute(row.id, "lost")
        tell(aws, event(stripe, "closed"))
    (row,) = chargebacks.rows(escrow)
    assert row.status is ChargebackStatus.LOST
    return factories.escrow_row(escrow)


def test_of_a_chargeback_and_a_leg_both_are_in_the_books(aws: Platform, stripe: StripeDouble) -> None:
    for n in range(ROUNDS):
        escrow = confirmed(aws, stripe, n)
        chargebacks.dispute(stripe, escrow)
        together(told(aws, stored(aws, event(stripe, "created"))), task(aws, "send_leg", escrow))
        assert factories.escrow_row(escrow).holds == {"CHARGEBACK"}
        settlement_id = str(factories.escrow_row(escrow).settlement_id)
        paid = factories.settle(escrow, settlement_id).status is EscrowStatus.RELEASED
        ended = lost(aws, stripe, escrow)
        assert ended.status is (EscrowStatus.RELEASED if paid else EscrowStatus.REFUNDED)
        assert chargebacks.books(reads.escrow(escrow.id)) == (LOST if paid else GONE)
    assert stripe.ledger_sum() == 0


def test_of_a_lost_chargeback_and_the_end_the_end_stays(aws: Platform, stripe: StripeDouble) -> None:
    for n in range(ROUNDS):
        escrow = confirmed(aws, stripe, n)
        task(aws, "send_leg", escrow)()
        task(aws, "confirm_leg", escrow)()
        chargeback = chargebacks.dispute(stripe, escrow)
        tell(aws, event(stripe, "created"))
        stripe.close_dispute(chargeback, "lost")
        closed = stored(aws, event(stripe, "closed"))
        together(told(aws, closed), task(aws, "finish_settlement", escrow))
        ended = factories.escrow_row(escrow)
        assert (ended.status, ended.reason) == (EscrowStatus.RELEASED, None)
        tell(aws, event(stripe, "closed"))  # or its daily look
        assert lost(aws, stripe, escrow).status is EscrowStatus.RELEASED
        assert chargebacks.books(reads.escrow(escrow.id)) == LOST
        factories.settle(escrow, chargebacks.recovery(escrow))
        assert chargebacks.books(reads.escrow(escrow.id))["LOSS"] == -2_900 - FEE


def test_of_a_chargeback_and_the_holding_no_cent_is_lost(aws: Platform, stripe: StripeDouble) -> None:
    for _ in range(ROUNDS):
        escrow = factories.payable(stripe)
        factories.pay(escrow, "pm_card_createDispute")
        aws.invoke("screen_deposit", {"escrowId": escrow.id})
        created = stored(aws, event(stripe, "created"))
        together(told(aws, created), task(aws, "hold_funds", escrow))
        row = factories.escrow_row(escrow)
        assert (row.held, row.holds) == (100_000, {"CHARGEBACK"})
        if lost(aws, stripe, escrow).status is EscrowStatus.AWAIT_FUNDS:
            aws.invoke("cancel_unfunded", {"escrowId": escrow.id})
        ended = factories.escrow_row(escrow).status
        assert ended is (EscrowStatus.CANCELLED if row.status is EscrowStatus.AWAIT_FUNDS else EscrowStatus.REFUNDED)
        assert chargebacks.books(reads.escrow(escrow.id)) == GONE
