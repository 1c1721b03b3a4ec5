"""screen_deposit: every deposit is recorded once, with its ledger line, before any of it counts."""

import datetime as dt
from functools import partial

import pytest

from bloxtr8 import table
from bloxtr8.entities import Escrow, Lookup
from bloxtr8.rails.base import RailBug
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.money import ScriptedRail, rail

__all__ = ["rail"]


def screen(aws: Platform, escrow: Escrow) -> bool:
    return bool(aws.invoke("screen_deposit", {"escrowId": escrow.id})["enough"])


def test_a_payment_is_recorded_once(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    assert screen(aws, escrow)
    file = escrows.file(escrow)
    (deposit,) = file.deposits
    assert (deposit.amount, deposit.late, deposit.ref) == (escrow.gross, False, file.rail.charge_id)
    assert table.get(Lookup, index="CH", value=deposit.ref).target == escrow.id
    assert (file.escrow.deposited, file.escrow.held, str(file.escrow.status)) == (
        escrow.gross,
        escrow.gross,
        "AWAIT_FUNDS",
    )
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross, "HELD": escrow.gross}
    assert money.actions(aws, escrow)[-1] == "record_deposit"
    assert money.nothing_happens(aws, "screen_deposit", {"escrowId": escrow.id}) == {"enough": True}


def test_nothing_paid_is_not_enough(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    assert money.nothing_happens(aws, "screen_deposit", {"escrowId": escrow.id}) == {"enough": False}


def test_too_little_gets_a_day_more_once(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.executed_with_rail()
    day = dt.timedelta(days=1)
    for part in ("ch_1", "ch_2"):
        rail.pay(1_000, part)
        assert not screen(aws, escrow)
        assert escrows.row(escrow).fund_by == escrow.fund_by + day
    assert len(escrows.file(escrow).deposits) == 2
    rail.pay(escrow.gross - 2_000, "ch_3")
    assert screen(aws, escrow)
    assert escrows.row(escrow).fund_by == escrow.fund_by + day
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross, "HELD": escrow.gross}


def test_too_much_is_enough(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.executed_with_rail()
    rail.pay(escrow.gross + 1, "ch_1")
    assert screen(aws, escrow)
    assert escrows.row(escrow).fund_by == escrow.fund_by


def test_money_of_another_currency_does_not_count(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.executed_with_rail()
    rail.pay(escrow.gross, "ch_1", currency="EUR")
    before = aws.rows()
    with pytest.raises(RailBug):
        screen(aws, escrow)
    assert aws.rows() == before


def test_one_payment_cannot_fund_two_escrows(aws: Platform, rail: ScriptedRail) -> None:
    first, second = money.executed_with_rail(), money.executed_with_rail()
    rail.pay(max(first.gross, second.gross), "ch_1")
    assert screen(aws, first)
    before = aws.rows()
    with pytest.raises(RailBug):
        screen(aws, second)
    assert aws.rows() == before


def test_seen_by_two_at_once_it_is_recorded_once(aws: Platform, stripe: StripeDouble) -> None:
    for _ in range(3):
        escrow = factories.payable(stripe)
        factories.pay(escrow)
        assert together(partial(screen, aws, escrow), partial(screen, aws, escrow)) == [True, True]
        assert len(escrows.file(escrow).ledger) == 1
        assert money.actions(aws, escrow).count("record_deposit") == 1


@pytest.mark.parametrize("fault", ["503", "429", "drop_before"])
def test_an_unknown_answer_records_nothing(aws: Platform, stripe: StripeDouble, fault: str) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    stripe.fault(fault, "get", "", times=None)
    before = aws.rows()
    with pytest.raises(money.UNKNOWN):
        screen(aws, escrow)
    assert aws.rows() == before
