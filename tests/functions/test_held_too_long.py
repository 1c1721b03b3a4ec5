"""A card's money that was held for MAX_HOLD_DAYS is before people, whatever carried it so far; the clock gives it to
nobody (M50)."""

import datetime as dt
from typing import Any
from unittest import mock

import pytest

from bloxtr8 import clock
from bloxtr8.domain import disputes as domain
from bloxtr8.entities import Dispute, Escrow, PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import disputes, escrows, holding, money, settlements
from tests.functions.chain import FakeChain, chain, wallets
from tests.functions.milestones import confirmed, parts
from tests.functions.webhooks import Machines, alarms
from tests.wire import Wire

__all__ = ["chain", "wallets"]
DAY = dt.timedelta(days=1)
DOUBT = "review:prv_1"
OPENED, ESCALATED = "open_system_dispute", "escalate_dispute"


@pytest.fixture(autouse=True)
def machines(wire: Wire) -> Machines:
    return Machines(wire)


def at(aws: Platform, escrow: Escrow, days: float) -> None:
    """So many days after the payment the rule fires, where the escrow is due; else it would do nothing."""
    assert escrow.funded_at is not None
    aws.clock.moment = max(aws.clock.moment, escrow.funded_at + days * DAY)
    aws.invoke("enforce_escrow_deadlines")


def brought(aws: Platform, escrow: Escrow) -> Dispute:
    """The system's dispute of it, which everybody is told of, with its reason."""
    found = disputes.live(escrow)
    assert (found.opened_by, found.reason_code, found.status) == ("SYSTEM", "HELD_TOO_LONG", "OPEN")
    assert found.escalated_at == found.created_at
    assert escrows.row(escrow).status == "DISPUTED"
    assert escrows.row(escrow).next_look is None
    why = [entry.details["reason"] for entry in aws.audit(escrow.id) if entry.action == OPENED]
    assert why == ["HELD_TOO_LONG"]
    for party in (escrow.buyer_id, escrow.seller_id):
        told = disputes.seen(aws, escrow, party)["dispute"]
        assert (told["reasonCode"], told["allowedActions"]) == ("HELD_TOO_LONG", ["post_dispute_message"])
        refused(aws, 403, "FORBIDDEN", "withdraw_dispute", party, **disputes.names(escrow))
    (listed,) = aws.call("list_disputes", escrows.staff(PlatformRole.ARBITER)).body["items"]
    assert (listed["id"], listed["escalatedAt"]) == (found.id, clock.iso(found.created_at))
    return found


def counted(aws: Platform, escrow: Escrow) -> tuple[int, int]:
    """How often the system disputed it, and escalated what was disputed before."""
    done = money.actions(aws, escrow)
    return done.count(OPENED), done.count(ESCALATED)


def test_a_hold_that_nobody_ends_is_disputed_beside_it(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = holding.held(factories.funded(stripe), DOUBT)
    told = alarms(monkeypatch)
    for days in (59.99, 60, 79.999):
        at(aws, escrow, days)
        assert escrows.row(escrow).status == "FUNDS_HELD"
    at(aws, escrow, 80)

    found = brought(aws, escrow)

    assert (found.facts["owner"]["who"], found.facts["status"]) == ("SELLER", "FUNDS_HELD")
    assert told == [("money is held too long", {"escrowId": escrow.id, "days": days}) for days in (60, 80)]
    at(aws, escrow, 120)
    aws.invoke("escalate_disputes")
    assert counted(aws, escrow) == (1, 0)
    holding.decided(aws, escrow, "RISK_REVIEW", "REFUND")
    assert escrows.paid_out(stripe, escrow).status == "REFUNDED"
    assert disputes.newest(escrow).outcome == "REFUNDED_BY_COMPLIANCE"
    escrows.sound(aws, escrow)


def test_what_was_reviewed_before_it_was_held_counts_too(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe's days begin with the payment."""
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    aws.invoke("screen_deposit", {"escrowId": escrow.id})
    holding.held(escrow, DOUBT)
    told = alarms(monkeypatch)
    aws.clock.advance(days=60)
    aws.invoke("enforce_escrow_deadlines")
    aws.clock.advance(days=15)
    holding.decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    aws.invoke("hold_funds", {"escrowId": escrow.id})
    late = escrows.row(escrow)
    assert (late.status, [details["days"] for _, details in told]) == ("FUNDS_HELD", [60])
    aws.clock.advance(days=5)
    aws.invoke("enforce_escrow_deadlines")
    brought(aws, escrow)
    assert [details["days"] for _, details in told] == [60, 80]


def test_disputes_that_are_taken_back_carry_it_no_further(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    for opened, withdrawn in ((0, 40), (42, 79.9)):
        at(aws, escrow, opened)
        disputes.opened(aws, escrow)
        at(aws, escrow, withdrawn)
        assert disputes.withdraw(aws, escrow).status == 200
    assert escrows.row(escrow).inspect_by > escrow.funded_at + 80 * DAY  # type: ignore[operator]
    at(aws, escrow, 80)

    brought(aws, escrow)

    judge = disputes.assigned(aws, escrow)
    assert disputes.seen(aws, escrow, judge)["facts"]["suggestion"]["outcome"] == "RELEASE"
    assert disputes.resolve(aws, escrow, judge, "RELEASE", escrow.amount, 0).status == 202
    assert escrows.paid_out(stripe, escrow).status == "RELEASED"
    escrows.sound(aws, escrow)


@pytest.mark.parametrize("reject", [True, False])
def test_a_dispute_is_escalated_and_not_taken_back_any_more(aws: Platform, stripe: StripeDouble, reject: bool) -> None:
    escrow = factories.delivered(stripe)
    at(aws, escrow, 6)
    (disputes.rejected if reject else disputes.opened)(aws, escrow)
    at(aws, escrow, 60)
    disputed = disputes.live(escrow)
    at(aws, escrow, 79.99)
    assert "withdraw_dispute" in disputes.seen(aws, escrow, escrow.buyer_id)["dispute"]["allowedActions"]
    at(aws, escrow, 80)

    assert counted(aws, escrow) == (0, 1)
    assert aws.audit(escrow.id)[-1].details == {"reason": "HELD_TOO_LONG"}
    seen = disputes.seen(aws, escrow, escrow.buyer_id)["dispute"]
    assert (seen["id"], seen["escalatedAt"] is not None) == (disputed.id, True)
    assert seen["allowedActions"] == ["post_dispute_message"]
    assert escrows.row(escrow).next_look is None
    refused(aws, 409, "HELD_TOO_LONG", "withdraw_dispute", escrow.buyer_id, **disputes.names(escrow))
    aws.clock.advance(days=1)
    aws.invoke("escalate_disputes")
    assert counted(aws, escrow) == (0, 1)
    if reject:
        assert escrows.refund(aws, escrow).status == 202
    else:
        settlements.agreed(aws, escrow, 4_000)
    assert escrows.paid_out(stripe, escrow).status == ("REFUNDED" if reject else "SPLIT")
    escrows.sound(aws, escrow)


def test_a_dispute_that_is_long_escalated_is_left_as_it_is(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    disputes.opened(aws, escrow)
    aws.clock.advance(days=31)
    aws.invoke("escalate_disputes")
    at(aws, escrow, 80)
    assert counted(aws, escrow) == (0, 1)
    assert escrows.row(escrow).next_look is None


def test_who_comes_before_the_look_is_heard_at_once(aws: Platform, stripe: StripeDouble) -> None:
    """A dispute that a party, or the watch, opens over the limit needs no look to be before people."""
    escrow = holding.held(factories.funded(stripe), DOUBT)
    aws.clock.moment = escrow.funded_at + 80 * DAY  # type: ignore[operator]
    assert disputes.opened(aws, escrow).body["escalatedAt"] is not None
    at(aws, escrow, 80)
    assert counted(aws, escrow) == (0, 0)
    assert escrows.row(escrow).next_look is None
    refused(aws, 409, "HELD_TOO_LONG", "withdraw_dispute", escrow.buyer_id, **disputes.names(escrow))


def test_a_withdrawal_that_was_begun_before_the_limit_is_judged_again(aws: Platform, stripe: StripeDouble) -> None:
    """The look comes between its check and its commit."""
    escrow = factories.delivered(stripe)
    disputes.opened(aws, escrow)
    at(aws, escrow, 79.99)
    withdraw = domain.withdraw
    with mock.patch.object(domain, "withdraw") as slow:
        slow.side_effect = lambda *args: at(aws, escrow, 80) or withdraw(*args)
        answer = disputes.withdraw(aws, escrow)
    assert (answer.status, answer.code) == (409, "HELD_TOO_LONG")
    assert counted(aws, escrow) == (0, 1)
    assert disputes.live(escrow).escalated_at is not None


@pytest.mark.parametrize("silent", [False, True])
def test_a_clock_that_still_runs_is_stopped(aws: Platform, stripe: StripeDouble, silent: bool) -> None:
    """While Roblox can't be asked, too."""
    _, roblox = factories._ground
    escrow = factories.funded(stripe)
    late = escrow.funded_at + (79.9 if silent else 85) * DAY  # type: ignore[operator]
    escrows.changed(escrow, deliver_by=late, next_look=escrow.funded_at + 60 * DAY)  # type: ignore[operator]
    at(aws, escrow, 60)
    if silent:
        roblox.down()
        at(aws, escrow, 79.95)
        assert escrows.row(escrow).frozen_causes == {"UNKNOWN_OWNER"}
    at(aws, escrow, 80)
    assert brought(aws, escrow).facts["owner"]["who"] == ("UNKNOWN" if silent else "SELLER")


def test_what_a_deadline_decides_at_the_same_look_is_decided(aws: Platform, stripe: StripeDouble) -> None:
    warned = factories.delivered(stripe)
    limit = warned.funded_at + 80 * DAY  # type: ignore[operator]
    escrows.changed(warned, inspect_by=limit, warned_at=limit - DAY, next_look=limit)
    late = factories.funded(stripe)
    seen = {"who": "SELLER", "at": clock.iso(limit - DAY)}
    escrows.changed(late, deliver_by=limit - DAY, owner_seen=seen, next_look=limit)
    unwarned = factories.delivered(stripe)
    escrows.changed(unwarned, inspect_by=limit, next_look=limit)
    at(aws, unwarned, 80)
    assert [money.actions(aws, one)[-1] for one in (warned, late, unwarned)] == [
        "auto_release", "refund_undelivered", OPENED,
    ]  # fmt: skip


def test_what_is_proven_at_that_look_is_disputed_at_the_next(aws: Platform, stripe: StripeDouble) -> None:
    """It is delivered, which ends nothing, and no inspection begins any more."""
    _, roblox = factories._ground
    escrow = factories.funded(stripe)
    limit = escrow.funded_at + 80 * DAY  # type: ignore[operator]
    escrows.changed(escrow, deliver_by=limit, next_look=limit)
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    at(aws, escrow, 80)
    after = escrows.row(escrow)
    assert after.status == "DELIVERED"
    assert after.next_look is not None
    assert dt.timedelta() < after.next_look - aws.clock.moment < dt.timedelta(hours=1)
    aws.clock.moment = after.next_look
    aws.invoke("enforce_escrow_deadlines")
    assert brought(aws, escrow).facts["owner"]["who"] == "BUYER"


def test_a_part_that_is_being_paid_stops_it_not(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts(1_000, 9_000))
    confirmed(aws, escrow)
    paying = escrows.row(escrow).settlement_id
    at(aws, escrow, 80)
    brought(aws, escrow)
    assert escrows.row(escrow).settlement_id == paying
    judge = disputes.assigned(aws, escrow)
    under_way = disputes.resolve(aws, escrow, judge, "REFUND", 0, 9_000)
    assert under_way.code == "SETTLEMENT_IN_PROGRESS"
    factories.settle(escrow, paying)
    assert disputes.resolve(aws, escrow, judge, "REFUND", 0, 9_000, "again").status == 202
    escrows.paid_out(stripe, escrow)
    escrows.sound(aws, escrow)


def test_what_is_parked_only_rings(aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    escrow = factories.delivered(stripe)
    escrows.confirm(aws, escrow)
    named = money.event(escrow) | {"settlementId": escrows.row(escrow).settlement_id, "error": "RailDeclined"}
    aws.invoke("park_settlement", named)
    told = alarms(monkeypatch)
    at(aws, escrow, 60)
    at(aws, escrow, 80)
    assert [details["days"] for _, details in told] == [60, 80]
    assert (escrows.row(escrow).status, escrows.file(escrow).disputes) == ("SETTLING", [])
    assert escrows.row(escrow).next_look is None


@pytest.mark.parametrize("disputed", [False, True])
def test_on_chain_the_term_is_the_limit(
    aws: Platform, chain: FakeChain, monkeypatch: pytest.MonkeyPatch, disputed: bool
) -> None:
    escrow: Any = chains.held(aws, chain)
    if disputed:
        disputes.opened(aws, escrow)
    else:
        escrows.changed(escrow, deliver_by=escrow.funded_at + 85 * DAY, next_look=escrow.funded_at + 60 * DAY)
    told = alarms(monkeypatch)
    at(aws, escrow, 60)
    at(aws, escrow, 80)
    assert [details.get("days") for _, details in told] == [60, 80]
    assert counted(aws, escrow) == (0, 0)
    if disputed:
        assert disputes.withdraw(aws, escrow).status == 200
