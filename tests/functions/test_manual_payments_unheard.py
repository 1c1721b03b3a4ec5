"""What Stripe has, and no event told of yet, is not paid a second time by people: it is asked before they announce."""

from collections.abc import Callable
from unittest import mock

import pytest

from bloxtr8 import rails
from bloxtr8.entities import Escrow, EscrowStatus, PlatformRole, User
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import LegOrder, LegOutcome, RailDeclined, SellerNotReady
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Answer, Platform
from tests.functions import chargebacks, escrows, manual, money
from tests.functions.chargebacks import decided, dispute, disputed, happen, recovery, tell
from tests.functions.escrows import file, row, staff
from tests.functions.manual import announce, boss, leg, machines, say
from tests.functions.webhooks import sent_by

__all__ = ["boss", "machines"]
type Build = Callable[[Platform, StripeDouble], Escrow]


def dashboard(escrow: Escrow, amount: int) -> str:
    """Somebody refunds it there. Returns its name."""
    intent = str(file(escrow).rail.external_id)
    return str(stripe_client.client().v1.refunds.create({"payment_intent": intent, "amount": amount}).id)


def declined(escrow: Escrow) -> None:
    """Stripe refuses for good what is to be paid now."""
    with mock.patch.object(type(rails.get("STRIPE")), "send", side_effect=RailDeclined("no", code="no")):
        factories.settle(escrow)


def _faster(aws: Platform, stripe: StripeDouble) -> Escrow:
    """Our refund is refused, since the Dashboard's came first."""
    escrow = factories.funded(stripe)
    assert escrows.refund(aws, escrow).status == 202
    dashboard(escrow, escrow.gross)
    stripe.advance(days=5)
    factories.settle(escrow)
    return escrow


def _after_a_split(aws: Platform, stripe: StripeDouble) -> Escrow:
    """The seller has his part; the buyer's was refunded in the Dashboard."""
    escrow = factories.delivered(stripe)
    money.split(escrow, 40_000)
    event = money.event(escrow)
    for task in ("send_leg", "confirm_leg"):
        aws.invoke(task, event)
    dashboard(escrow, 60_000)
    stripe.advance(days=5)
    factories.settle(escrow)
    return escrow


def _cleared(aws: Platform, stripe: StripeDouble) -> Escrow:
    """It is under way, and COMPLIANCE said that it is no matter."""
    escrow = factories.funded(stripe)
    assert escrows.refund(aws, escrow).status == 202
    declined(escrow)
    dashboard(escrow, 60_000)
    tell(aws, *sent_by(stripe, "refund.created"))
    wish = {"hold": "RISK_REVIEW", "decision": "CLEAR", "reason": "Both agree."}
    officer = staff(PlatformRole.COMPLIANCE)
    keyed = {"Idempotency-Key": "c"}
    assert aws.call("decide_hold", officer, wish, headers=keyed, escrow_id=escrow.id).status == 202
    return escrow


def _reversed(aws: Platform, stripe: StripeDouble) -> Escrow:
    """The seller's transfer was taken back in the Dashboard: he does not pay it back once more."""
    escrow = chargebacks.released(aws, stripe)
    decided(aws, stripe, disputed(aws, stripe, escrow), "lost")
    transfer = str(file(escrow).legs[0].external_id)
    stripe_client.client().v1.transfers.reversals.create(transfer, {"amount": 97_100})
    factories.settle(escrow, recovery(escrow))
    return escrow


@pytest.mark.parametrize("build", [_faster, _after_a_split, _cleared, _reversed])
def test_what_was_done_in_the_dashboard(aws: Platform, stripe: StripeDouble, boss: User, build: Build) -> None:
    escrow = build(aws, stripe)
    assert leg(escrow).status == "REJECTED"
    answer = announce(aws, escrow, boss)
    assert (answer.status, answer.code, leg(escrow).status) == (409, "PAYMENT_FOUND", "REJECTED")


@pytest.mark.parametrize("under_way", [False, True])
def test_what_is_set_aside_and_refunded_there(aws: Platform, stripe: StripeDouble, boss: User, under_way: bool) -> None:
    escrow = factories.delivered(stripe)
    lost = disputed(aws, stripe, escrow)
    decided(aws, stripe, lost, "lost")
    stripe.reinstate_dispute(lost)
    happen(aws, stripe, "funds_reinstated")
    dashboard(escrow, 100_000)
    if not under_way:
        stripe.advance(days=5)
    wish = {"pays": "BUYER", "amount": 100_000, "reason": "r"}
    answer = aws.call("announce_manual_payment", boss, wish, headers={"Idempotency-Key": "a"}, escrow_id=escrow.id)
    assert (answer.status, answer.code, file(escrow).manual_payments) == (409, "PAYMENT_FOUND", [])


@pytest.mark.parametrize("ask", [escrows.refund, escrows.confirm])
def test_what_the_buyers_bank_takes_back(
    aws: Platform, stripe: StripeDouble, boss: User, ask: Callable[[Platform, Escrow], Answer]
) -> None:
    escrow = factories.delivered(stripe)
    assert ask(aws, escrow).status == 202
    declined(escrow)
    dispute(stripe, escrow)
    answer = announce(aws, escrow, boss)
    assert (answer.status, answer.code, answer.body["holds"]) == (409, "ESCROW_ON_HOLD", ["CHARGEBACK"])
    assert ([one.status for one in file(escrow).chargebacks], leg(escrow).status) == (["OPEN"], "REJECTED")


@pytest.mark.parametrize("late", [RailDeclined("closed", code="closed"), SellerNotReady("not ready")])
def test_a_refusal_that_comes_late_changes_nothing_of_it(
    aws: Platform, stripe: StripeDouble, boss: User, late: Exception
) -> None:
    """The first call hangs; the second is refused at once, and people announce: they alone pay it."""
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    answers: list[Answer] = []

    def hangs(_: object, order: LegOrder) -> LegOutcome:
        declined(escrow)
        answers.append(announce(aws, escrow, boss))
        raise late

    with mock.patch.object(type(rails.get("STRIPE")), "send", hangs):
        aws.invoke("send_leg", money.event(escrow))

    assert (answers[0].status, leg(escrow).status, leg(escrow).by_hand) == (201, "SENT", True)
    assert say(aws, escrow, boss).body["recorded"]
    assert escrows.paid_out(stripe, escrow).status is EscrowStatus.RELEASED
    assert (sent_by(stripe, "transfer.created"), manual.differences(stripe, escrow)) == ([], [])


def test_a_refund_there_is_not_recorded_as_a_banks(aws: Platform, stripe: StripeDouble, boss: User) -> None:
    """It is withdrawn, and the refund booked by itself."""
    escrow = factories.delivered(stripe)
    assert escrows.refund(aws, escrow).status == 202
    declined(escrow)
    assert announce(aws, escrow, boss).status == 201
    dashboard(escrow, 100_000)
    stripe.advance(days=5)
    for name in ("re_3MTwwaeZvKYlo2C0XuVhYrW", "RE-3MTWWAEZVKYLO2C0XUVHYRW", "RE3MTWWAEZVKYLO2C0XUVHYRW"):
        assert say(aws, escrow, boss, name, payment_id=name).code == "VALIDATION_ERROR"
    for name in ("CH9300762011623852957", "PO-2026-000118", "RE-2311-ABCDEFGHIJKLMN"):
        assert say(aws, escrow, boss, name, of=f"mpy_{'0' * 26}", payment_id=name).status == 404  # a bank's may be so
    assert manual.withdraw(aws, escrow, boss).status == 200
    for one in sent_by(stripe, "refund.updated"):
        tell(aws, one)
    factories.settle(row(escrow))
    assert (row(escrow).status, escrows.sound(aws, escrow)) == (EscrowStatus.REFUNDED, {})
    assert manual.differences(stripe, escrow) == []
