"""record_reclaim: after the vault's term the money went back to the buyer, and the books follow (states.md, 4)."""

import contextlib
import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest

from bloxtr8 import actors, reclaims
from bloxtr8.entities import Escrow
from bloxtr8.rails.base import RailBug, RailOutcomeUnknown, ReclaimSeen
from tests import factories
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import STRANGER, UNITS, FakeChain, chain, screened, wallets

__all__ = ["chain", "wallets"]
ACTOR = actors.system("poll_chain")


def record(escrow: Escrow, seen: ReclaimSeen) -> Escrow:
    """The chain shows that the vault was reclaimed; twice, as everything is seen."""
    for _ in range(2):
        reclaims.record(escrow.id, seen, ACTOR)
    return escrows.row(escrow)


@pytest.mark.parametrize("made", ["held", "delivered"])
def test_an_escrow_that_held_money_is_refunded(aws: Platform, chain: FakeChain, made: str) -> None:
    escrow = getattr(chains, made)(aws, chain)
    row = record(escrow, chain.reclaim(escrow))
    assert (row.status, row.reason, row.settlement_id) == ("REFUNDED", "RECLAIMED", None)
    assert escrows.sound(aws, escrow) == {}
    assert escrows.around(escrow)["listing"] == "INACTIVE"
    assert chains.open_deals(escrow.buyer_id, escrow.seller_id) == [0, 0]
    assert escrows.delivery(escrow).status == "CANCELLED"
    assert money.actions(aws, escrow).count("record_reclaim") == 1


def test_a_settlement_that_was_under_way_is_dropped(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.delivered(aws, chain)
    escrows.confirm(aws, escrow)
    row = record(escrow, chain.reclaim(escrow))
    assert (row.status, money.settlement(escrow).status) == ("REFUNDED", "DROPPED")
    assert money.nothing_happens(aws, "send_leg", money.event(escrow))["next"] == "DONE"
    assert escrows.sound(aws, escrow) == {}


def test_what_was_paid_out_before_is_booked_first(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.delivered(aws, chain)
    escrows.confirm(aws, escrow)
    chain.after["send"] = [RailOutcomeUnknown()]  # it paid, and nobody heard of it
    with pytest.raises(RailOutcomeUnknown):
        aws.invoke("send_leg", money.event(escrow))
    chain.pay(escrow, 123, STRANGER)  # dust, so that there is something to take back
    row = record(escrow, chain.reclaim(escrow))
    assert (row.status, money.settlement(escrow).status) == ("SETTLING", "OPEN")
    assert factories.settle(escrow, money.settlement(escrow).id).status == "RELEASED"
    assert escrows.sound(aws, escrow)["SELLER"] == 97_100


def test_surplus_that_is_taken_back_ends_nothing_that_is_paid(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.delivered(aws, chain)
    chain.pay(escrow, 50 * UNITS, STRANGER)
    screened(aws, escrow)
    escrows.confirm(aws, escrow)
    for task in ("send_leg", "confirm_leg"):
        aws.invoke(task, money.event(escrow))
    row = record(escrow, chain.reclaim(escrow))
    assert (row.status, row.settlement_id, row.held, row.surplus) == ("SETTLING", money.settlement(escrow).id, 0, 0)
    assert factories.settle(escrow).status == "RELEASED"
    assert escrows.sound(aws, escrow)["SELLER"] == 97_100


def test_a_dispute_is_closed_by_it(aws: Platform, chain: FakeChain) -> None:
    escrow = disputed(aws, chain)
    record(escrow, chain.reclaim(escrow))
    (dispute,) = escrows.file(escrow).disputes
    assert (dispute.status, dispute.outcome) == ("CLOSED", "RECLAIMED")


def test_before_the_money_was_held_only_the_books_change(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.payable()
    chain.pay(escrow, escrow.gross * UNITS)
    screened(aws, escrow)
    row = record(escrow, chain.reclaim(escrow))
    assert (row.status, row.held, row.deposited) == ("AWAIT_FUNDS", 0, escrow.gross)
    assert escrows.sound(aws, escrow) == {}
    assert screened(aws, escrow)["enough"] is False  # money that is gone funds nothing
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": False}
    aws.clock.advance(days=10)
    assert aws.invoke("cancel_unfunded", {"escrowId": escrow.id}) == {"outcome": "CANCELLED"}


def test_at_an_end_only_the_books_change(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.held(aws, chain)
    chain.pay(escrow, 500 * UNITS, STRANGER)
    screened(aws, escrow)
    escrows.refund(aws, escrow)
    assert factories.settle(escrow).status == "REFUNDED"
    row = record(escrow, chain.reclaim(escrow))
    assert (row.status, row.reason, row.surplus) == ("REFUNDED", escrow.reason, 0)
    assert {one.kind: str(one.status) for one in escrows.file(escrow).settlements} == {
        "RETURN": "DROPPED",
        "REFUND": "DONE",
    }
    assert escrows.sound(aws, escrow) == {}


def test_money_that_came_after_it_still_goes_back(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.held(aws, chain)
    seen = chain.reclaim(escrow)
    chain.pay(escrow, 700 * UNITS)
    row = record(escrow, seen)
    assert (row.status, row.surplus) == ("REFUNDED", 700)
    factories.settle(escrow, money.settlement(escrow).id)
    assert escrows.sound(aws, escrow) == {}
    assert chain.units(escrow) == 0


def test_less_than_the_books_say_is_an_alarm_and_writes_nothing(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.held(aws, chain)
    before = aws.rows()
    with pytest.raises(RailBug):
        reclaims.record(escrow.id, replace(chain.reclaim(escrow), units=UNITS), ACTOR)
    assert aws.rows() == before


def test_it_is_booked_once_all_that_came_before_is_known(
    aws: Platform, chain: FakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = chains.held(aws, chain)
    seen = chain.reclaim(escrow)
    look = chain.look
    monkeypatch.setattr(chain, "look", lambda order: replace(look(order), complete=False))
    before = aws.rows()
    with pytest.raises(RailOutcomeUnknown, match="not all"):
        reclaims.record(escrow.id, seen, ACTOR)
    assert aws.rows() == before
    monkeypatch.setattr(chain, "look", look)
    assert record(escrow, seen).status == "REFUNDED"


def test_more_than_the_books_say_is_an_alarm_and_never_booked_short(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.held(aws, chain)
    seen = chain.reclaim(escrow)
    before = aws.rows()
    with pytest.raises(RailOutcomeUnknown, match="more"):
        reclaims.record(escrow.id, replace(seen, units=seen.units + UNITS), ACTOR)
    assert aws.rows() == before


def test_money_that_came_after_it_while_the_escrow_still_waits_stays(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.payable()
    chain.pay(escrow, 500 * UNITS)
    screened(aws, escrow)
    seen = chain.reclaim(escrow)
    chain.pay(escrow, 700 * UNITS)
    row = record(escrow, seen)
    assert (row.status, row.held, row.surplus) == ("AWAIT_FUNDS", 700, 0)
    assert chain.units(escrow) == 700 * UNITS


# --- the term


def disputed(aws: Platform, chain: FakeChain) -> Escrow:
    """An escrow whose asset nobody could find: the system disputes it."""
    _, roblox = factories._ground
    escrow = chains.delivered(aws, chain)
    roblox.forget_group(escrow.asset_id)
    for _ in range(3):
        aws.clock.advance(days=4)
        aws.invoke("enforce_escrow_deadlines")
    row = escrows.row(escrow)
    assert row.status == "DISPUTED"
    return row


def test_a_dispute_that_may_outlast_the_term_postpones_it_once(aws: Platform, chain: FakeChain) -> None:
    escrow = disputed(aws, chain)
    term = dt.datetime.fromtimestamp(chains.vault_row(escrow).terms["reclaimAfter"], dt.UTC)
    aws.clock.moment = term - dt.timedelta(days=30, minutes=1)
    aws.invoke("enforce_escrow_deadlines")
    assert chain.postponed == []
    chain.faults["postpone"] = [RailOutcomeUnknown()]
    for _ in range(3):
        aws.clock.advance(hours=2)
        aws.invoke("enforce_escrow_deadlines")
    assert chain.postponed == [escrow.id]
    assert "postpone" in {row.name for row in escrows.file(escrow).operations}  # stored before the call
    assert (chains.vault_row(escrow).postponed, escrows.row(escrow).postpone_at) == (True, None)
    assert money.actions(aws, escrow).count("postpone_term") == 1


def on_hold(aws: Platform, chain: FakeChain) -> Escrow:
    """Nothing was handed over yet, and COMPLIANCE looks at it."""
    escrow = chains.held(aws, chain)
    return escrows.changed(escrow, holds=frozenset({"COMPLIANCE"}), frozen_causes=frozenset({"COMPLIANCE"}))


def inspected(aws: Platform, chain: FakeChain) -> Escrow:
    """The asset is the buyer's, and the clock of his inspection stands still."""
    escrow = chains.delivered(aws, chain)
    return escrows.changed(escrow, holds=frozenset({"COMPLIANCE"}), frozen_causes=frozenset({"COMPLIANCE"}))


def refused(aws: Platform, chain: FakeChain) -> Escrow:
    """The buyer confirmed, and the payout was refused."""
    escrow = chains.delivered(aws, chain)
    escrows.confirm(aws, escrow)
    chain.faults["send"] = [RailBug("the token is paused")]
    assert factories.settle(escrow, money.settlement(escrow).id).holds == {"PAYOUT_FAILED"}
    return escrows.row(escrow)


@pytest.mark.parametrize("made", [on_hold, inspected, refused])
def test_whatever_holds_the_money_a_month_before_the_term_postpones_it(
    aws: Platform, chain: FakeChain, made: Callable[[Platform, FakeChain], Escrow]
) -> None:
    escrow = made(aws, chain)
    before = escrows.row(escrow)
    aws.clock.moment = before.postpone_at - dt.timedelta(minutes=1)
    aws.invoke("enforce_escrow_deadlines")
    assert chain.postponed == []
    aws.clock.advance(hours=2)
    aws.invoke("enforce_escrow_deadlines")
    row = escrows.row(escrow)
    assert (chain.postponed, row.postpone_at) == ([escrow.id], None)
    assert (row.status, row.holds, row.settlement_id) == (before.status, before.holds, before.settlement_id)


def test_a_term_that_can_not_be_moved_keeps_no_deadline_waiting(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.held(aws, chain)
    row = escrows.row(escrow)
    escrows.changed(escrow, deliver_by=row.postpone_at + dt.timedelta(hours=1))  # a clock that stood still for months
    chain.faults["postpone"] = [RailBug("it is too late")] * 9
    aws.clock.moment = row.postpone_at
    for _ in range(4):
        aws.clock.advance(hours=1)
        with contextlib.suppress(RailBug):
            aws.invoke("enforce_escrow_deadlines")
    assert (escrows.row(escrow).status, chain.postponed) == ("SETTLING", [])


def test_money_that_is_not_held_yet_leaves_the_term_alone(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.payable()
    chain.pay(escrow, 500 * UNITS)
    screened(aws, escrow)
    aws.clock.advance(days=120)
    aws.invoke("enforce_escrow_deadlines")
    assert chain.postponed == []
