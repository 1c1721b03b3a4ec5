"""Whoever announces, records or withdraws a payment outside is killed around its commit: the same request once more is
what it would have been, and a run whose start was lost is started by its next look."""

from collections.abc import Callable
from typing import Any

import pytest

from bloxtr8.entities import Escrow, EscrowStatus, User
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Answer, Platform
from tests.functions import chargebacks, escrows, manual, money
from tests.functions.chargebacks import FEE
from tests.functions.escrows import file, row
from tests.functions.manual import announce, boss, leg, machines, say, withdraw
from tests.functions.webhooks import Machines, error
from tests.wire import Wire

__all__ = ["boss", "machines"]
type Ask = Callable[[Platform, Escrow, Any], Answer]
ASKED: dict[str, tuple[Ask, str, str]] = {  # by its commit: how it is asked for, and what the payment and its leg are
    "announce_manual_payment": (announce, "ANNOUNCED", "SENT"),
    "vote_on_manual_payment": (say, "ANNOUNCED", "SENT"),
    "record_manual_payment": (say, "RECORDED", "CONFIRMED"),
    "withdraw_manual_payment": (withdraw, "WITHDRAWN", "REJECTED"),
}


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    return manual.parked(aws, stripe)


@pytest.mark.parametrize("commit", ASKED)
@pytest.mark.parametrize("done", [False, True])
def test_the_same_request_again_is_the_one_that_was_lost(
    aws: Platform, escrow: Escrow, boss: User, monkeypatch: pytest.MonkeyPatch, commit: str, done: bool
) -> None:
    ask, becomes, its_leg = ASKED[commit]
    if commit == "vote_on_manual_payment":
        escrows.settings(monkeypatch, two_people_by_hand_cents=99_999)
    if ask is not announce:
        assert announce(aws, escrow, boss, "before").status == 201
    version = row(escrow).version
    with money.killed_around(monkeypatch, commit, done=done):
        ask(aws, escrow, boss)
    assert row(escrow).version == version + done

    answer = ask(aws, escrow, boss)

    assert (answer.status < 300, answer.headers.get("Idempotency-Replayed")) == (True, "true" if done else None)
    (payment,) = file(escrow).manual_payments
    assert (str(payment.status), str(leg(escrow).status), row(escrow).version) == (becomes, its_leg, version + 1)
    assert len(payment.people) == (ask is say)
    assert [entry.action for entry in aws.audit(escrow.id)].count(commit) == 1


def refuses(_: dict[str, Any]) -> None:
    raise error("ThrottlingException", "StartExecution")


@pytest.mark.parametrize("lost", ["the process", "the start"])
def test_a_run_that_was_never_started_is_started_by_its_next_look(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User, machines: Machines, wire: Wire,
    monkeypatch: pytest.MonkeyPatch, lost: str,
) -> None:  # fmt: skip
    assert announce(aws, escrow, boss).status == 201
    if lost == "the process":
        with money.killed_around(monkeypatch, "record_manual_payment", done=True):
            say(aws, escrow, boss)
    else:
        wire.instead("StartExecution", refuses)
        assert say(aws, escrow, boss).status == 202
        wire.instead("StartExecution", machines.start)
    (settlement,) = file(escrow).settlements
    run = f"{settlement.id}-2"
    assert (settlement.status, settlement.run, run in machines.started) == ("OPEN", 2, False)

    aws.clock.advance(hours=1)
    aws.invoke("enforce_escrow_deadlines", {})

    assert run in machines.started
    factories.settle(escrow, settlement.id)
    assert row(escrow).status is EscrowStatus.REFUNDED
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -30_000, "BANK": 30_000 + FEE, "LOSS": -FEE}
    assert manual.differences(stripe, escrow) == []
