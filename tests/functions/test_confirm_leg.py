"""confirm_leg: the provider says what became of a leg; its ledger lines are written when it is done, and only once."""

import datetime as dt
from functools import partial

import pytest

from bloxtr8 import actors, sent_back, settling, table
from bloxtr8.attempts import again
from bloxtr8.entities import Escrow, Lookup
from bloxtr8.rails.base import LegOutcome, LegStatus, RailBug, RailOutcomeUnknown, RailThrottled
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.money import ScriptedRail, rail

__all__ = ["rail"]
EVENT = actors.system("process_webhook_event")


def confirm(aws: Platform, escrow: Escrow) -> dict[str, str]:
    return dict(aws.invoke("confirm_leg", money.event(escrow)))


def sent(aws: Platform, rail: ScriptedRail, fate: Exception | None = None) -> Escrow:
    """A refund that was sent over the scripted rail, and met this fate."""
    escrow = money.paid_with_rail(aws, rail)
    escrows.refund(aws, escrow)
    rail.fates = [fate]
    if fate is None:
        aws.invoke("send_leg", money.event(escrow))
    else:
        with pytest.raises(type(fate)):
            aws.invoke("send_leg", money.event(escrow))
    return escrow


def released(aws: Platform, stripe: StripeDouble) -> Escrow:
    """A release whose transfer was sent."""
    escrow = factories.delivered(stripe)
    escrows.confirm(aws, escrow)
    aws.invoke("send_leg", money.event(escrow))
    return escrow


def test_the_money_leaves_the_books_when_it_is_confirmed(aws: Platform, stripe: StripeDouble) -> None:
    escrow = released(aws, stripe)
    assert confirm(aws, escrow) == {"next": "NEXT", "error": ""}
    leg, row = money.leg(escrow), escrows.row(escrow)
    assert (leg.status, leg.next_look, leg.confirmed_at is None) == ("CONFIRMED", None, False)
    assert table.get(Lookup, index="TR", value=leg.external_id).target == escrow.id
    assert (row.status, row.held, row.released, row.fees) == ("SETTLING", 0, leg.amount, leg.fee)
    assert escrows.sound(aws, escrow) == {"BUYER": -row.gross, "SELLER": leg.amount, "FEES": leg.fee}
    assert money.actions(aws, escrow)[-1] == "confirm_leg"
    assert money.nothing_happens(aws, "confirm_leg", money.event(escrow)) == {"next": "NEXT", "error": ""}


def test_the_machine_and_an_event_at_once_book_once(aws: Platform, stripe: StripeDouble) -> None:
    for _ in range(3):
        escrow = released(aws, stripe)
        by_event = partial(settling.confirm_leg, escrow.id, money.settlement(escrow).id, EVENT, n=1)
        together(partial(confirm, aws, escrow), partial(again, by_event))
        assert money.actions(aws, escrow).count("confirm_leg") == 1
        assert len(escrows.file(escrow).ledger) == 3
        escrows.sound(aws, escrow)


def test_a_slow_refund_ends_the_attempt_and_is_not_refunded_before_it_succeeded(
    aws: Platform, stripe: StripeDouble
) -> None:
    escrow = factories.funded(stripe)
    escrows.refund(aws, escrow)
    aws.invoke("send_leg", money.event(escrow))
    assert confirm(aws, escrow) == {"next": "WAIT", "error": ""}
    leg = money.leg(escrow)
    assert (leg.status, leg.external_id is None, escrows.row(escrow).refunded) == ("SENT", False, 0)
    money.nothing_happens(aws, "confirm_leg", money.event(escrow))  # asking again leaves no trace
    aws.clock.advance(seconds=10)
    assert confirm(aws, escrow)["next"] == "NEXT"
    assert escrows.row(escrow).refunded == escrow.gross


def test_what_never_arrived_is_planned_under_the_same_key_later_each_time(aws: Platform, rail: ScriptedRail) -> None:
    escrow = sent(aws, rail, RailOutcomeUnknown())
    for minutes in (2, 4, 8):
        now = aws.clock.moment
        assert confirm(aws, escrow) == {"next": "WAIT", "error": ""}
        leg = money.leg(escrow)
        assert (leg.status, leg.attempt, leg.error) == ("PLANNED", 1, "NOT_FOUND")
        assert leg.next_look is not None
        assert dt.timedelta(0) <= leg.next_look - now - dt.timedelta(minutes=minutes) < dt.timedelta(seconds=1)
        assert money.settlement(escrow).next_look == leg.next_look
        aws.clock.advance(minutes=minutes)
        rail.fates = [RailOutcomeUnknown()]
        with pytest.raises(RailOutcomeUnknown):
            aws.invoke("send_leg", money.event(escrow))
    assert {order.operation for order in rail.sent} == {rail.sent[0].operation}


@pytest.mark.parametrize("error", [RailThrottled(), RailOutcomeUnknown()])
def test_no_answer_at_all_is_unknown_never_a_failure(aws: Platform, rail: ScriptedRail, error: Exception) -> None:
    escrow = sent(aws, rail, RailOutcomeUnknown())
    rail.blind = error
    with pytest.raises(type(error)):
        confirm(aws, escrow)
    assert (money.leg(escrow).status, money.settlement(escrow).status) == ("UNKNOWN", "OPEN")
    assert escrows.row(escrow).holds == set()
    before = aws.rows()
    with pytest.raises(type(error)):
        confirm(aws, escrow)
    assert aws.rows() == before


@pytest.mark.parametrize(
    ("found", "status", "step"),
    [(LegStatus.CONFIRMED, "CONFIRMED", "NEXT"), (LegStatus.SENT, "SENT", "WAIT"), (None, "PLANNED", "WAIT")],
)
def test_an_unknown_leg_becomes_what_the_look_up_finds(
    aws: Platform, rail: ScriptedRail, found: LegStatus | None, status: str, step: str
) -> None:
    escrow = sent(aws, rail, RailOutcomeUnknown())
    rail.blind = RailOutcomeUnknown()
    with pytest.raises(RailOutcomeUnknown):
        confirm(aws, escrow)
    rail.blind = None
    if found is not None:
        rail.makes(money.leg(escrow).id, found)
    assert confirm(aws, escrow)["next"] == step
    assert money.leg(escrow).status == status


def test_a_leg_whose_id_is_known_does_not_become_unknown(aws: Platform, rail: ScriptedRail) -> None:
    escrow = sent(aws, rail)
    rail.makes(money.leg(escrow).id, LegStatus.SENT)
    confirm(aws, escrow)
    rail.blind = RailOutcomeUnknown()
    before = aws.rows()
    with pytest.raises(RailOutcomeUnknown):
        confirm(aws, escrow)
    assert aws.rows() == before


def test_a_refund_that_failed_is_tried_again_under_a_new_key_and_parks_at_last(
    aws: Platform, rail: ScriptedRail
) -> None:
    escrow = sent(aws, rail)
    steps = []
    for _ in range(5):
        rail.makes(money.leg(escrow).id, LegStatus.REJECTED)
        steps.append(confirm(aws, escrow))
        aws.clock.advance(hours=1)
        if steps[-1]["next"] == "NEXT":
            aws.invoke("send_leg", money.event(escrow))
    assert [step["next"] for step in steps] == ["NEXT"] * 4 + ["PARK"]
    assert [order.attempt for order in rail.sent] == [1, 2, 3, 4, 5]
    assert money.leg(escrow).status == "REJECTED"
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross, "HELD": escrow.gross}


def test_why_the_buyers_bank_refused_is_not_told_to_the_seller(aws: Platform, rail: ScriptedRail) -> None:
    escrow = sent(aws, rail)
    rail.makes(money.leg(escrow).id, LegStatus.REJECTED, reason="lost_or_stolen_card")
    confirm(aws, escrow)
    assert money.leg(escrow).error == "lost_or_stolen_card"
    told = [aws.call(what, escrow.seller_id, escrow_id=escrow.id) for what in ("get_timeline", "get_escrow")]
    assert "reject_leg" in escrows.text(*told)
    assert "stolen" not in escrows.text(*told)


def test_a_card_that_takes_no_refund_is_not_tried_for_ever(aws: Platform, rail: ScriptedRail) -> None:
    escrow = sent(aws, rail)
    for _ in range(8):
        for leg in escrows.file(escrow).legs:
            rail.makes(leg.id)
            aws.invoke("confirm_leg", {"escrowId": escrow.id, "settlementId": leg.settlement_id})
        open_one = money.settlement(escrow)
        if open_one.status == "OPEN":
            factories.settle(escrow, open_one.id)
        for leg in escrows.file(escrow).legs:
            if leg.status == "CONFIRMED":
                rail.made[leg.id] = LegOutcome(status=LegStatus.REJECTED, external_id=str(leg.external_id))
                sent_back.take_back(escrow.id, leg.settlement_id, leg.n, EVENT)
    returns = [row for row in escrows.file(escrow).settlements if row.kind == "RETURN"]
    assert [row.status for row in returns] == ["DONE"] * 4 + ["PARKED"]
    assert (escrows.row(escrow).holds, escrows.row(escrow).status) == (frozenset(), "REFUNDED")
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross, "SURPLUS": escrow.gross}


def test_what_is_not_what_was_ordered_is_a_fault_of_ours(aws: Platform, rail: ScriptedRail) -> None:
    escrow = sent(aws, rail)
    rail.blind = RailBug("another amount")
    before = aws.rows()
    with pytest.raises(RailBug):
        confirm(aws, escrow)
    assert aws.rows() == before


def test_an_event_does_not_judge_a_call_that_may_be_under_way(aws: Platform, rail: ScriptedRail) -> None:
    escrow = sent(aws, rail, RailOutcomeUnknown())
    settlement, before = money.settlement(escrow), aws.rows()
    for n in (1, 2):  # nothing is found of leg 1; leg 2 is another one
        settling.confirm_leg(escrow.id, settlement.id, EVENT, n=n)
    rail.blind = RailOutcomeUnknown()
    with pytest.raises(RailOutcomeUnknown):
        settling.confirm_leg(escrow.id, settlement.id, EVENT, n=1)
    assert aws.rows() == before


def test_a_leg_in_flight_is_booked_after_its_settlement_was_parked(aws: Platform, rail: ScriptedRail) -> None:
    escrow = sent(aws, rail, RailOutcomeUnknown())
    aws.invoke("park_settlement", money.event(escrow) | {"error": "RailBug"})
    rail.makes(money.leg(escrow).id)
    assert confirm(aws, escrow)["next"] == "NEXT"
    settlement = money.settlement(escrow)
    assert (money.leg(escrow).status, settlement.status, settlement.next_look) == ("CONFIRMED", "PARKED", None)
    assert escrows.sound(aws, escrow) == {}
