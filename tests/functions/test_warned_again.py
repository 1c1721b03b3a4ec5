"""Whatever stopped the clock of an inspection, the buyer is warned again and has his day, once it goes on (D13)."""

import datetime as dt
from collections.abc import Callable

import pytest

from bloxtr8.entities import Escrow
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions import chargebacks, disputes, escrows, holding
from tests.functions.webhooks import Machines
from tests.wire import Wire

type Stop = Callable[[Platform, StripeDouble, Escrow], Callable[[], object]]


def dispute(aws: Platform, _: StripeDouble, escrow: Escrow) -> Callable[[], object]:
    """The seller's own, of which he takes back what silenced the buyer."""
    assert disputes.opened(aws, escrow, escrow.seller_id).status == 201
    assert disputes.rejected(aws, escrow).status == 409
    return lambda: disputes.withdraw(aws, escrow)


def hold(aws: Platform, _: StripeDouble, escrow: Escrow) -> Callable[[], object]:
    holding.held(escrow, "review:prv_1")
    return lambda: holding.decided(aws, escrow, "RISK_REVIEW", "CLEAR")


def chargeback(aws: Platform, stripe: StripeDouble, escrow: Escrow) -> Callable[[], object]:
    found = chargebacks.disputed(aws, stripe, escrow)
    return lambda: chargebacks.decided(aws, stripe, found, "won")


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble, wire: Wire) -> Escrow:
    """Its buyer was warned, and three minutes are left."""
    Machines(wire)
    made = factories.delivered(stripe)
    enforce(aws, days=6)
    aws.clock.advance(hours=23, minutes=57)
    return made


def enforce(aws: Platform, **later: float) -> None:
    aws.clock.advance(**later)
    aws.invoke("enforce_escrow_deadlines")


def warnings(aws: Platform, escrow: Escrow) -> int:
    return [entry.action for entry in aws.audit(escrow.id)].count("warn_inspection")


@pytest.mark.parametrize("stop", [dispute, hold, chargeback])
def test_after_a_stop_the_buyer_has_his_day(aws: Platform, stripe: StripeDouble, escrow: Escrow, stop: Stop) -> None:
    go_on = stop(aws, stripe, escrow)
    aws.clock.advance(days=3)
    go_on()
    enforce(aws, minutes=5)
    row = escrows.row(escrow)
    assert (row.status, warnings(aws, escrow)) == ("DELIVERED", 2)
    assert row.inspect_by is not None
    assert row.inspect_by - aws.clock.moment > dt.timedelta(hours=23, minutes=59)
    enforce(aws, hours=23)
    assert escrows.row(escrow).status == "DELIVERED"
    enforce(aws, hours=1, minutes=1)
    assert escrows.row(escrow).status == "SETTLING"


@pytest.mark.parametrize(("hours", "warned"), [(23, 1), (30, 2)])
def test_a_silence_of_roblox_of_a_day_takes_the_warning_back(
    aws: Platform, escrow: Escrow, roblox: Roblox, hours: float, warned: int
) -> None:
    roblox.down()
    enforce(aws, minutes=4)
    roblox.up()
    enforce(aws, hours=hours)
    status = "DELIVERED" if warned == 2 else "SETTLING"
    assert (escrows.row(escrow).status, warnings(aws, escrow)) == (status, warned)
    enforce(aws, hours=24, minutes=1)
    assert escrows.row(escrow).status == "SETTLING"
