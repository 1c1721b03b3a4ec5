"""send_leg: the intent is committed first; a leg is sent once, waits where it has to, and parks only on a refusal."""

import datetime as dt

import pytest
from stripe import Transfer

from bloxtr8 import actors, rails, settling, table
from bloxtr8.entities import Deals, Escrow, Hold, LegStatus, PlatformRole
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import (
    RailBug,
    RailDeclined,
    RailFrozen,
    RailFundsPending,
    RailOutcomeUnknown,
    RailThrottled,
    SellerNotReady,
)
from bloxtr8.rails.stripe import StripeRail
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.money import ScriptedRail, rail

__all__ = ["rail"]
HOUR = dt.timedelta(hours=1)
DELAY = 72 * 3600


def send(aws: Platform, escrow: Escrow) -> dict[str, str]:
    return dict(aws.invoke("send_leg", money.event(escrow)))


def releasing(aws: Platform, stripe: StripeDouble) -> Escrow:
    """An escrow whose buyer has confirmed."""
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    return escrow


def refunding(aws: Platform, rail: ScriptedRail) -> Escrow:
    """An escrow of the scripted rail that its seller refunds."""
    escrow = money.paid_with_rail(aws, rail)
    assert escrows.refund(aws, escrow).status == 202
    return escrow


def transfers(escrow: Escrow) -> list[Transfer]:
    """What Stripe moved for it."""
    return list(stripe_client.client().v1.transfers.list({"transfer_group": escrow.id}).data)


def test_the_leg_is_sent_and_the_money_stays_held_until_it_is_confirmed(aws: Platform, stripe: StripeDouble) -> None:
    escrow = releasing(aws, stripe)
    assert send(aws, escrow) == {"next": "CONFIRM", "error": ""}
    leg = money.leg(escrow)
    (transfer,) = transfers(escrow)
    assert (leg.status, leg.sent_at is not None, leg.external_id) == ("SENT", True, None)
    assert (transfer.amount, transfer.destination) == (leg.amount, escrow.payout_account_id)
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross, "HELD": escrow.gross}


def test_the_intent_is_committed_before_the_call(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = releasing(aws, stripe)
    seen: list[LegStatus] = []

    class Watched(StripeRail):
        def send(self, order):  # type: ignore[no-untyped-def]
            seen.append(money.leg(escrow).status)
            return super().send(order)

    monkeypatch.setattr(rails, "get", lambda _: Watched())
    send(aws, escrow)
    assert seen == [LegStatus.SENT]


def test_committed_and_never_called_it_is_sent_under_the_same_key(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = releasing(aws, stripe)
    with monkeypatch.context() as patch:
        patch.setattr(rails, "get", lambda _: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            send(aws, escrow)
    assert (money.leg(escrow).status, transfers(escrow)) == ("SENT", [])
    assert send(aws, escrow)["next"] == "CONFIRM"
    (transfer,) = transfers(escrow)
    assert transfer.metadata["opId"] == f"{money.settlement(escrow).id}:1:1"


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "500_after", "503", "409", "429"])
def test_a_lost_answer_moves_the_money_once(aws: Platform, stripe: StripeDouble, fault: str) -> None:
    escrow = releasing(aws, stripe)
    stripe.fault(fault, "post", "/v1/transfers$", times=9)
    with pytest.raises(money.UNKNOWN):
        send(aws, escrow)
    assert money.leg(escrow).status == "SENT"
    stripe.clear_faults()
    assert send(aws, escrow)["next"] == "CONFIRM"
    assert len(transfers(escrow)) == 1
    assert factories.settle(escrow).status == "RELEASED"


def test_what_is_under_way_at_the_provider_is_only_asked_for(aws: Platform, rail: ScriptedRail) -> None:
    escrow = refunding(aws, rail)
    send(aws, escrow)
    leg = money.leg(escrow)
    leg.external_id = "re_1"
    money.changed_rows(escrow, leg)
    assert money.nothing_happens(aws, "send_leg", money.event(escrow))["next"] == "CONFIRM"
    assert len(rail.sent) == 1


def test_nobody_knows_a_leg_that_is_unknown_is_looked_up_first(aws: Platform, rail: ScriptedRail) -> None:
    escrow = refunding(aws, rail)
    rail.fates = [RailOutcomeUnknown()]
    rail.blind = RailOutcomeUnknown()
    for task in ("send_leg", "confirm_leg"):
        with pytest.raises(RailOutcomeUnknown):
            aws.invoke(task, money.event(escrow))
    assert money.leg(escrow).status == "UNKNOWN"
    assert money.nothing_happens(aws, "send_leg", money.event(escrow))["next"] == "CONFIRM"
    assert len(rail.sent) == 1


@pytest.mark.parametrize(
    ("fate", "error"),
    [
        (SellerNotReady(), "SELLER_NOT_READY"),
        (RailFundsPending("", available_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)), "FUNDS_PENDING"),
    ],
)
def test_what_cannot_be_paid_yet_waits_ever_longer_under_a_new_key(
    aws: Platform, rail: ScriptedRail, fate: Exception, error: str
) -> None:
    escrow = refunding(aws, rail)
    rail.fates = [fate, fate]
    for attempt, hours in ((2, 1), (3, 2)):
        now = aws.clock.moment
        assert send(aws, escrow) == {"next": "WAIT", "error": ""}
        leg, settlement = money.leg(escrow), money.settlement(escrow)
        assert (leg.status, leg.attempt, leg.error, settlement.status) == ("PLANNED", attempt, error, "OPEN")
        assert leg.next_look is not None
        assert dt.timedelta(0) <= leg.next_look - now - hours * HOUR < dt.timedelta(seconds=1)
        assert settlement.next_look == leg.next_look
        assert money.nothing_happens(aws, "send_leg", money.event(escrow))["next"] == "WAIT"
        aws.clock.advance(hours=hours)
    assert send(aws, escrow)["next"] == "CONFIRM"
    assert [order.attempt for order in rail.sent] == [1, 2, 3]
    assert escrows.row(escrow).holds == set()


def test_a_payee_who_is_never_ready_is_a_refusal_after_a_week_and_resumed_has_another(
    aws: Platform, rail: ScriptedRail
) -> None:
    escrow = refunding(aws, rail)
    rail.fates = [SellerNotReady() for _ in range(30)]

    def days_until_it_parks() -> int:
        begun = aws.clock.moment
        while send(aws, escrow)["next"] == "WAIT":
            aws.clock.moment = money.leg(escrow).next_look
        return int((aws.clock.moment - begun).days)

    for _ in range(2):
        assert days_until_it_parks() == 7
        assert (money.leg(escrow).status, money.leg(escrow).error) == ("REJECTED", "SELLER_NOT_READY")
        aws.invoke("park_settlement", money.event(escrow) | {"error": "SELLER_NOT_READY"})
        assert (money.settlement(escrow).status, escrows.row(escrow).holds) == ("PARKED", {Hold.PAYOUT_FAILED})
        boss = escrows.staff(PlatformRole.PADMIN)
        key = {"Idempotency-Key": boss.id}
        assert aws.call("resume_settlement", boss, {"reason": "x"}, headers=key, escrow_id=escrow.id).status == 202
    rail.fates = []
    assert send(aws, escrow)["next"] == "CONFIRM"


def test_money_that_stripe_has_later_is_waited_for(aws: Platform, rail: ScriptedRail) -> None:
    escrow = refunding(aws, rail)
    later = aws.clock.moment + dt.timedelta(days=2)
    rail.fates = [RailFundsPending("", available_at=later)]
    send(aws, escrow)
    assert money.leg(escrow).next_look == later


@pytest.mark.parametrize("fate", [RailBug(), RailFrozen(""), RailDeclined("", code="x")])
def test_a_definite_refusal_parks(aws: Platform, rail: ScriptedRail, fate: Exception) -> None:
    escrow = refunding(aws, rail)
    rail.fates = [fate]
    error = type(fate).__name__
    assert send(aws, escrow) == {"next": "PARK", "error": error}
    assert (money.leg(escrow).status, money.leg(escrow).error) == ("REJECTED", error)
    # killed before it was parked: the next run parks it, and sends nothing
    assert money.nothing_happens(aws, "send_leg", money.event(escrow)) == {"next": "PARK", "error": error}
    assert len(rail.sent) == 1


@pytest.mark.parametrize("hold", list(Hold))
def test_no_new_leg_is_sent_while_a_hold_stands(aws: Platform, rail: ScriptedRail, hold: Hold) -> None:
    escrow = refunding(aws, rail)
    escrows.changed(escrow, holds=frozenset({hold}))
    assert money.nothing_happens(aws, "send_leg", money.event(escrow)) == {"next": "PARK", "error": "ON_HOLD"}
    assert rail.sent == []


def test_a_leg_in_flight_when_a_hold_comes_is_looked_up_and_not_sent_again(aws: Platform, rail: ScriptedRail) -> None:
    escrow = refunding(aws, rail)
    rail.fates = [RailThrottled()]
    with pytest.raises(RailThrottled):
        send(aws, escrow)
    escrows.changed(escrow, holds=frozenset({Hold.CHARGEBACK}))
    assert money.nothing_happens(aws, "send_leg", money.event(escrow))["next"] == "CONFIRM"
    assert len(rail.sent) == 1
    assert aws.invoke("confirm_leg", money.event(escrow))["next"] == "WAIT"
    assert send(aws, escrow) == {"next": "PARK", "error": "ON_HOLD"}


def test_a_return_is_not_stopped_by_a_failed_payout(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.executed_with_rail()
    rail.pay(escrow.gross + 5, "ch_1")
    for task in ("screen_deposit", "hold_funds"):
        aws.invoke(task, {"escrowId": escrow.id})
    escrows.changed(escrow, holds=frozenset({Hold.PAYOUT_FAILED}))
    assert send(aws, escrow)["next"] == "CONFIRM"
    assert [order.amount for order in rail.sent] == [5]


def test_a_settlement_that_is_done_sends_nothing(aws: Platform, rail: ScriptedRail) -> None:
    escrow = refunding(aws, rail)
    assert factories.settle(escrow).status == "REFUNDED"
    assert money.nothing_happens(aws, "send_leg", money.event(escrow))["next"] == "DONE"
    assert len(rail.sent) == 1


def test_a_leg_that_waits_keeps_no_other_waiting(aws: Platform, rail: ScriptedRail) -> None:
    escrow = money.paid_with_rail(aws, rail)
    money.split(escrow, to_seller=30_000)
    rail.fates = [SellerNotReady()]
    assert send(aws, escrow)["next"] == "CONFIRM"  # the same run goes on: at the next the first would be tried again
    assert aws.invoke("confirm_leg", money.event(escrow))["next"] == "NEXT"
    assert send(aws, escrow)["next"] == "CONFIRM"
    assert [(order.leg, order.kind) for order in rail.sent] == [(1, "TRANSFER"), (2, "REFUND")]
    assert aws.invoke("confirm_leg", money.event(escrow))["next"] == "NEXT"
    assert send(aws, escrow)["next"] == "WAIT"
    aws.clock.advance(hours=1)
    assert factories.settle(escrow).status == "SPLIT"
    amount = escrow.amount - 30_000
    assert escrows.sound(aws, escrow) == {"BUYER": amount - escrow.gross, "SELLER": 29_130, "FEES": 870}


# --- CARD_RELEASE_DELAY


def test_a_new_buyers_money_waits_before_its_release(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = releasing(aws, stripe)
    escrows.settings(monkeypatch, card_release_delay_seconds=DELAY)
    assert send(aws, escrow)["next"] == "WAIT"
    leg, settlement = money.leg(escrow), money.settlement(escrow)
    until = settlement.created_at + dt.timedelta(seconds=DELAY)
    assert (leg.status, leg.next_look, settlement.next_look) == ("PLANNED", until, until)
    assert transfers(escrow) == []
    assert money.nothing_happens(aws, "send_leg", money.event(escrow))["next"] == "WAIT"
    aws.clock.advance(seconds=DELAY)
    assert factories.settle(escrow).status == "RELEASED"


def test_the_delay_does_not_keep_the_buyers_part(
    aws: Platform, rail: ScriptedRail, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = money.paid_with_rail(aws, rail)
    money.split(escrow, to_seller=30_000)
    escrows.settings(monkeypatch, card_release_delay_seconds=DELAY)
    assert send(aws, escrow)["next"] == "CONFIRM"
    assert [order.kind for order in rail.sent] == ["REFUND"]
    assert aws.invoke("confirm_leg", money.event(escrow))["next"] == "NEXT"
    assert send(aws, escrow)["next"] == "WAIT"
    assert money.settlement(escrow).next_look == money.legs(escrow)[0].next_look


@pytest.mark.parametrize(("trades", "waits"), [(0, True), (2, True), (3, False)])
def test_only_the_first_three_card_trades_wait(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, trades: int, waits: bool
) -> None:
    escrow = releasing(aws, stripe)
    deals = table.get(Deals, user_id=escrow.buyer_id)
    deals.card_purchases = trades
    money.changed_rows(escrow, deals)
    escrows.settings(monkeypatch, card_release_delay_seconds=DELAY)
    assert send(aws, escrow)["next"] == ("WAIT" if waits else "CONFIRM")


def test_a_refund_does_not_wait_for_the_delay(
    aws: Platform, rail: ScriptedRail, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = refunding(aws, rail)
    escrows.settings(monkeypatch, card_release_delay_seconds=DELAY)
    assert send(aws, escrow)["next"] == "CONFIRM"


def test_an_account_that_becomes_ready_does_not_end_the_delay(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = releasing(aws, stripe)
    escrows.settings(monkeypatch, card_release_delay_seconds=DELAY)
    send(aws, escrow)
    assert settling.wake(escrow.id, actors.system("test")) == []
    assert send(aws, escrow)["next"] == "WAIT"
