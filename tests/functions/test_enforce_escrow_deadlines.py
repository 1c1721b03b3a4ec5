"""enforce_escrow_deadlines: deadlines, warnings, repairs and restarts; an outage never decides (D12, D13)."""

import datetime as dt
from functools import partial
from typing import Any

import pytest

from bloxtr8 import attempts, table
from bloxtr8.entities import Escrow
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import together
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import FakeChain, chain, wallets
from tests.functions.money import ScriptedRail, rail
from tests.functions.webhooks import Machines, alarms
from tests.wire import Wire

__all__ = ["chain", "rail", "wallets"]
TOKEN = "a token"


@pytest.fixture
def machines(wire: Wire) -> Machines:
    return Machines(wire)


def enforce(aws: Platform, **later: float) -> None:
    """The rule fires, after this time."""
    aws.clock.advance(**later)
    aws.invoke("enforce_escrow_deadlines")


def owner(roblox: Roblox, escrow: Escrow, who: str | None) -> None:
    """Roblox shows another owner of the asset."""
    roblox.set_group(escrow.asset_id, owner=who)


# --- funding


def test_a_lost_start_is_made_up_for(aws: Platform, machines: Machines) -> None:
    escrow = factories.executed()
    enforce(aws, minutes=1)
    assert machines.started == []  # not due yet
    enforce(aws, minutes=2)
    assert machines.started == [f"{escrow.id}-1"]
    assert machines.inputs[f"{escrow.id}-1"] == {"escrowId": escrow.id}


def test_a_run_that_ended_is_followed_by_the_next(aws: Platform, machines: Machines) -> None:
    escrow = factories.executed()
    enforce(aws, minutes=3)
    enforce(aws, minutes=10)
    assert machines.started == [f"{escrow.id}-1"]  # it is under way
    machines.ended = set(machines.started)
    enforce(aws, minutes=10)
    assert machines.started == [f"{escrow.id}-1", f"{escrow.id}-2"]
    assert escrows.row(escrow).funding_run == 2


def test_looks_come_later_each_time_up_to_an_hour(aws: Platform, machines: Machines) -> None:
    escrow = factories.executed()
    waits = []
    for _ in range(7):
        found = escrows.row(escrow)
        assert found.next_look is not None
        aws.clock.moment = found.next_look
        enforce(aws)
        found = escrows.row(escrow)
        assert found.next_look is not None
        waits.append(round((found.next_look - aws.clock.moment).total_seconds() / 60))
    assert waits == [4, 8, 16, 32, 60, 60, 60]
    assert money.actions(aws, escrow).count("look_again") == 7


@pytest.mark.parametrize(("paid", "outcome"), [(True, "PAID"), (False, "DEADLINE")])
def test_the_machine_is_told_and_decides_itself(
    aws: Platform, stripe: StripeDouble, machines: Machines, paid: bool, outcome: str
) -> None:
    escrow = factories.payable(stripe)
    aws.invoke("await_funding", {"escrowId": escrow.id, "token": TOKEN})
    if paid:
        factories.pay(escrow)
    enforce(aws, hours=73)
    assert machines.answered == [(TOKEN, outcome)]
    assert escrows.row(escrow).status == "AWAIT_FUNDS"


def test_an_outage_at_stripe_tells_the_machine_nothing(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.payable(stripe)
    aws.invoke("await_funding", {"escrowId": escrow.id, "token": TOKEN})
    stripe.fault("503", "get", "", times=None)
    enforce(aws, hours=73)
    assert machines.answered == []
    stripe.clear_faults()
    enforce(aws, hours=1)
    assert machines.answered == [(TOKEN, "DEADLINE")]


def test_a_cancelled_escrow_is_looked_at_until_its_rail_is_closed(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.payable(stripe)
    aws.call("cancel_escrow", escrow.buyer_id, {"reason": "No"}, escrow_id=escrow.id)
    enforce(aws, minutes=3)
    assert machines.started == [f"{escrow.id}-1"]
    aws.invoke("close_funding", {"escrowId": escrow.id})
    asked = machines.asked
    enforce(aws, hours=9)
    assert machines.asked == asked


# --- delivery


def test_not_delivered_in_time_takes_two_looks_to_refund(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.funded(stripe)
    enforce(aws, days=7)
    assert escrows.row(escrow).status == "FUNDS_HELD"
    enforce(aws, minutes=4)
    assert escrows.row(escrow).status == "FUNDS_HELD"  # the two are five minutes apart
    enforce(aws, minutes=2)
    assert escrows.row(escrow).status == "SETTLING"
    assert money.settlement(escrow).reason == "NOT_DELIVERED"
    assert money.actions(aws, escrow)[-1] == "refund_undelivered"


def test_a_delivery_nobody_marked_is_proven(
    aws: Platform, stripe: StripeDouble, machines: Machines, roblox: Roblox
) -> None:
    escrow = factories.funded(stripe)
    owner(roblox, escrow, escrow.buyer_roblox_id)
    enforce(aws, days=7)
    assert escrows.row(escrow).status == "DELIVERED"


def test_an_extension_wins_over_the_deadline(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.funded(stripe)
    assert escrow.deliver_by is not None
    aws.clock.advance(days=7)
    escrows.changed(escrow, deliver_by=escrow.deliver_by + dt.timedelta(days=1))
    enforce(aws)
    enforce(aws, minutes=6)
    assert escrows.row(escrow).status == "FUNDS_HELD"


@pytest.mark.parametrize("shown", [{"owner": "99"}, {"owner": None}, {"locked": True}, None])
def test_a_third_person_nobody_or_a_lock_is_no_delivery_either(
    aws: Platform, stripe: StripeDouble, machines: Machines, roblox: Roblox, shown: dict[str, Any] | None
) -> None:
    escrow = factories.funded(stripe)
    if shown is None:
        roblox.forget_group(escrow.asset_id)
    else:
        roblox.set_group(escrow.asset_id, **shown)
    enforce(aws, days=7)
    assert escrows.row(escrow).status == "FUNDS_HELD"
    enforce(aws, minutes=6)
    assert (escrows.row(escrow).status, money.settlement(escrow).reason) == ("SETTLING", "NOT_DELIVERED")


def test_two_looks_that_show_different_owners_refund_nothing_yet(
    aws: Platform, stripe: StripeDouble, machines: Machines, roblox: Roblox
) -> None:
    escrow = factories.funded(stripe)
    enforce(aws, days=7)
    owner(roblox, escrow, "99")
    enforce(aws, minutes=6)
    assert escrows.row(escrow).status == "FUNDS_HELD"
    enforce(aws, minutes=6)
    assert escrows.row(escrow).status == "SETTLING"


def test_a_look_from_before_the_deadline_was_moved_counts_no_more(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.funded(stripe)
    enforce(aws, days=7)
    later = aws.clock.moment + dt.timedelta(days=1)
    escrows.changed(escrow, deliver_by=later, next_look=later)
    enforce(aws, days=1)
    assert escrows.row(escrow).status == "FUNDS_HELD"
    enforce(aws, minutes=6)
    assert escrows.row(escrow).status == "SETTLING"


def test_an_outage_at_roblox_stops_the_clock_and_then_calls_people(
    aws: Platform, stripe: StripeDouble, machines: Machines, roblox: Roblox
) -> None:
    escrow = factories.funded(stripe)
    roblox.down()
    enforce(aws, days=7)
    assert escrows.row(escrow).frozen_causes == {"UNKNOWN_OWNER"}
    enforce(aws, hours=23)
    assert escrows.row(escrow).status == "FUNDS_HELD"
    enforce(aws, hours=2)
    file = escrows.file(escrow)
    assert (file.escrow.status, file.escrow.frozen_from) == ("DISPUTED", "FUNDS_HELD")
    assert file.dispute is not None
    assert file.dispute.reason_code == "OWNER_UNKNOWN"


# --- inspection


def test_a_silent_buyer_is_warned_a_day_before_the_release(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    enforce(aws, days=6)
    assert (escrows.row(escrow).status, money.actions(aws, escrow)[-1]) == ("DELIVERED", "warn_inspection")
    enforce(aws, hours=23)
    assert escrows.row(escrow).status == "DELIVERED"
    enforce(aws, hours=1)
    file = escrows.file(escrow)
    assert (file.escrow.status, file.delivery.confirmed_by) == ("SETTLING", "SYSTEM")
    assert money.settlement(escrow).reason == "INSPECTION_OVER"


def test_warned_late_the_buyer_still_has_his_day(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.delivered(stripe)
    enforce(aws, days=8)
    assert escrows.row(escrow).status == "DELIVERED"
    enforce(aws, hours=23)
    assert escrows.row(escrow).status == "DELIVERED"
    enforce(aws, hours=2)
    assert escrows.row(escrow).status == "SETTLING"


def test_a_rollback_before_the_release_is_disputed(
    aws: Platform, stripe: StripeDouble, machines: Machines, roblox: Roblox
) -> None:
    escrow = factories.delivered(stripe)
    enforce(aws, days=6)
    owner(roblox, escrow, escrow.seller_roblox_id)
    enforce(aws, days=1)
    file = escrows.file(escrow)
    assert file.dispute is not None
    assert (file.escrow.status, file.dispute.reason_code) == ("DISPUTED", "OWNER_IS_SELLER")
    assert file.settlements == []


def test_an_outage_at_the_end_of_the_inspection_releases_nothing_and_after_a_week_calls_people(
    aws: Platform, stripe: StripeDouble, machines: Machines, roblox: Roblox
) -> None:
    escrow = factories.delivered(stripe)
    enforce(aws, days=6)
    roblox.down()
    enforce(aws, days=1)
    assert escrows.row(escrow).frozen_causes == {"UNKNOWN_OWNER"}
    enforce(aws, days=6)
    assert escrows.row(escrow).status == "DELIVERED"
    enforce(aws, days=1, hours=1)
    file = escrows.file(escrow)
    assert file.dispute is not None
    assert (file.escrow.status, file.dispute.reason_code) == ("DISPUTED", "OWNER_UNKNOWN")
    assert file.settlements == []


def test_where_roblox_speaks_again_the_release_follows(
    aws: Platform, stripe: StripeDouble, machines: Machines, roblox: Roblox
) -> None:
    escrow = factories.delivered(stripe)
    enforce(aws, days=6)
    roblox.down()
    enforce(aws, days=1)
    roblox.up()
    enforce(aws, hours=1)
    assert escrows.row(escrow).status == "SETTLING"


def test_a_confirmation_and_the_clock_at_once_release_once(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    enforce(aws, days=6)
    aws.clock.advance(days=1)
    together(partial(escrows.confirm, aws, escrow), partial(enforce, aws))
    assert len(escrows.file(escrow).settlements) == 1
    assert escrows.row(escrow).status == "SETTLING"


# --- money that is held too long


@pytest.mark.parametrize(("status", "then"), [("FUNDS_HELD", "DISPUTED"), ("DISPUTED",) * 2, ("SETTLING",) * 2])
def test_money_held_too_long_alarms_at_sixty_and_eighty_days(
    aws: Platform, stripe: StripeDouble, machines: Machines, monkeypatch: pytest.MonkeyPatch, status: str, then: str
) -> None:
    escrow = factories.funded(stripe)
    assert escrow.funded_at is not None
    deadline = escrow.funded_at + dt.timedelta(days=90)
    due = escrow.funded_at + dt.timedelta(days=60)
    escrows.changed(escrow, status=type(escrow.status)(status), deliver_by=deadline, next_look=due)
    told = alarms(monkeypatch)
    for _ in range(25):
        enforce(aws, days=3.5)
    assert told == [("money is held too long", {"escrowId": escrow.id, "days": days}) for days in (60, 80)]
    assert escrows.row(escrow).status == then


def test_the_alarm_of_held_money_does_not_warn_the_buyer_early(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    assert escrow.funded_at is not None
    later = escrow.funded_at + dt.timedelta(days=70)
    escrows.changed(escrow, inspect_by=later, next_look=escrow.funded_at + dt.timedelta(days=60))
    enforce(aws, days=61)
    assert escrows.row(escrow).warned_at is None
    assert escrows.row(escrow).next_look == later - dt.timedelta(days=1)


def test_vaults_that_wait_for_money_are_asked_after_all_else(
    aws: Platform, chain: FakeChain, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of logs makes such a look slow, and nobody else's deadline waits for it."""
    slow = chains.payable()
    aws.clock.advance(minutes=1)
    other = factories.executed()
    before = list[list[str]]()
    look = chain.look
    monkeypatch.setattr(chain, "look", lambda order: before.append([*machines.started]) or look(order))
    enforce(aws, minutes=3)
    assert before == [[f"{other.id}-1", f"{slow.id}-1"]]


# --- settlements


def test_a_settlement_nobody_started_is_started(aws: Platform, rail: ScriptedRail, machines: Machines) -> None:
    escrow = money.paid_with_rail(aws, rail)
    escrows.refund(aws, escrow)
    machines.started.clear()
    enforce(aws, minutes=3)
    settlement = money.settlement(escrow)
    assert machines.started == [f"{settlement.id}-1"]
    assert machines.inputs[f"{settlement.id}-1"] == money.event(escrow)


def test_a_slow_leg_is_asked_for_again_with_one_entry_a_look(
    aws: Platform, rail: ScriptedRail, machines: Machines
) -> None:
    escrow = money.paid_with_rail(aws, rail)
    escrows.refund(aws, escrow)
    enforce(aws, minutes=3)
    before = len(aws.audit(escrow.id))
    for run in (2, 3):
        machines.ended = set(machines.started)
        enforce(aws, hours=1)
        assert money.settlement(escrow).run == run
        assert machines.started[-1] == f"{money.settlement(escrow).id}-{run}"
    enforce(aws, hours=1)  # the third run is still under way
    assert money.actions(aws, escrow)[before:] == ["restart_settlement", "restart_settlement", "look_again"]


def test_a_parked_settlement_waits_for_a_person(aws: Platform, rail: ScriptedRail, machines: Machines) -> None:
    escrow = money.paid_with_rail(aws, rail)
    escrows.refund(aws, escrow)
    aws.invoke("park_settlement", money.event(escrow) | {"error": "RailBug"})
    before = [row for row in aws.rows() if row["SK"]["S"].startswith("SETTLEMENT#")]
    asked = machines.asked
    enforce(aws, days=1)
    assert machines.asked == asked
    assert [row for row in aws.rows() if row["SK"]["S"].startswith("SETTLEMENT#")] == before


def test_vaults_and_rows_that_fail_keep_no_deadline_behind_them_waiting(
    aws: Platform, stripe: StripeDouble, chain: FakeChain, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(table.all_due.__kwdefaults__, "limit", 1)
    monkeypatch.setattr(attempts.work, "__kwdefaults__", {"enough": 1, "seconds": 40.0})
    chains.payable()
    broken, good = (factories.delivered(stripe) for _ in range(2))
    aws.clock.advance(days=6)
    for n, escrow in enumerate((broken, good)):
        escrows.changed(escrow, next_look=aws.clock.moment + dt.timedelta(seconds=n))
    aws.erase(escrows.file(broken).rail)

    enforce(aws, minutes=1)

    assert escrows.row(good).warned_at is not None


def test_one_bad_row_does_not_stop_the_others(
    aws: Platform, stripe: StripeDouble, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = factories.payable(stripe), factories.payable(stripe)
    file = escrows.file(bad)
    file.rail.external_id = escrows.file(good).rail.external_id  # another escrow's
    money.changed_rows(bad, file.rail)
    told = alarms(monkeypatch)
    enforce(aws, minutes=3)
    assert sorted(machines.started) == sorted([f"{bad.id}-1", f"{good.id}-1"])
    assert [extra for _, extra in told] == [{"row": bad.id}]


def test_two_jobs_at_once_do_each_thing_once(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.funded(stripe)
    enforce(aws, days=7)
    aws.clock.advance(minutes=6)
    together(partial(enforce, aws), partial(enforce, aws))
    assert money.actions(aws, escrow).count("refund_undelivered") == 1
    assert len(escrows.file(escrow).settlements) == 1
