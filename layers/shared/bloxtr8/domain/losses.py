"""Money of a card payment that went back to the buyer by no plan of ours: his bank keeps it, or somebody refunded it by
hand (states.md, section 4, lose_chargeback). The trade goes on with what is left, or ends by it.
"""

import datetime as dt
from dataclasses import dataclass, field

from bloxtr8.actors import Actor
from bloxtr8.domain import (
    disputes,
    escrows,
    ledger,
    lost_parts,
    milestones,
    owed,
    plans,
    recoveries,
    refused_payouts,
    set_aside,
    settlements,
)
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.owed import Settled
from bloxtr8.domain.plans import Planned
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import (
    Account,
    Dispute,
    Entity,
    Escrow,
    EscrowStatus,
    Hold,
    LegStatus,
    MilestoneStatus,
    Settlement,
    SettlementKind,
    SettlementStatus,
    Side,
)

WAITING = frozenset({SettlementStatus.OPEN, SettlementStatus.PARKED})
_IN_FLIGHT = frozenset({LegStatus.SENT, LegStatus.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """Who has the money now, and what the rows and the books call that."""

    action: str  # the move of whatever ends by it
    account: Account
    memo: str
    reason: str  # of a trade that ends, and of what is planned
    outcome: str  # of its dispute
    due_first: bool  # whether it counts for what was to go back to him anyway, before what is held
    seller_keeps: bool  # what he was paid of a trade that ends so: SPLIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What its lines name: the leg or the deposit, and the provider's id of it."""

    external_id: str
    leg_id: str | None = None
    deposit_ref: str | None = None


@dataclass(slots=True)
class Lost:
    """What it changed beside the escrow and its own row: rows to save, and what is to be started."""

    rows: list[Entity] = field(default_factory=list)
    started: list[Settlement] = field(default_factory=list)

    def plan(self, planned: Planned) -> None:
        self.rows += planned.rows
        self.started.append(planned.settlement)

    def settle(self, settled: Settled) -> None:
        self.rows += settled.rows
        self.started += [settled.planned.settlement] if settled.planned else []

    def resume(self, resumed: list[Settlement]) -> None:
        self.rows += resumed
        self.started += resumed


def in_flight(file: EscrowFile) -> list[tuple[str, int]]:
    """The legs that may have moved their money: settlement and number."""
    waiting = {row.id for row in file.settlements if row.status in WAITING}
    sent = (leg for leg in file.legs if leg.settlement_id in waiting and leg.status in _IN_FLIGHT)
    return [(leg.settlement_id, leg.n) for leg in sent]


def waits(file: EscrowFile) -> bool:
    """Whether it can't be booked yet: a leg may have moved the money, or a settlement is paid out and only has to
    end."""
    waiting = (row for row in file.settlements if row.status in WAITING and row.kind not in settlements.APART)
    paid_out = any(settlements.next_leg(file, row) is None for row in waiting)
    return bool(in_flight(file)) or paid_out or bool(set_aside.announced(file))


def ends_by(file: EscrowFile, amount: int, taker: Taker) -> bool:
    """Whether losing it ends the escrow: the money was held, and the trade does not go on with the rest of it. At an
    end, and while it is awaited, only lines are booked."""
    held = _of_trade(file.escrow, amount, taker)
    return held > 0 and not lost_parts.goes_on(file, held)


def turns_on_owner(file: EscrowFile, amount: int, taker: Taker) -> bool:
    """Whether losing it ends the escrow only where the buyer does not have the asset: a fresh look says so first."""
    held = _of_trade(file.escrow, amount, taker)
    return held > 0 and lost_parts.turns_on_owner(file, held)


def _of_trade(escrow: Escrow, amount: int, taker: Taker) -> int:
    """Of what a trade holds that was paid for."""
    return _of_held(escrow, amount, taker) if escrow.status in escrows.MONEY_HELD else 0


def _of_held(escrow: Escrow, amount: int, taker: Taker) -> int:
    due = min(escrow.surplus, amount) if taker.due_first else 0
    return min(escrow.held, amount - due)


def lose(file: EscrowFile, amount: int, taker: Taker, cause: Cause, *, actor: Actor, now: dt.datetime) -> Lost:
    """`amount` is gone: of what is held, and of what was to go back to the buyer; the rest is a loss, for which the
    seller's transfers are to be reversed.

    Of an escrow that this ends, what is left goes back to the buyer; of one that goes on, it is paid out as was
    decided, or will be. Call it only where nothing `waits`, after the look at what `turns_on_owner`; the holds and the
    rows around the deal are the caller's.
    """
    escrow, lost, ends = file.escrow, Lost(), ends_by(file, amount, taker)
    held = _of_held(escrow, amount, taker)
    surplus = min(escrow.surplus, amount - held)
    rest = amount - held - surplus
    over = escrow.held - held if ends else 0
    goes_on = not ends and escrow.status in escrows.MONEY_HELD and held > 0
    entries = [
        Entry(Account.HELD, taker.account, held, taker.memo, "held"),
        Entry(Account.SURPLUS, taker.account, surplus, taker.memo, "surplus"),
        Entry(Account.LOSS, taker.account, rest, taker.memo, "loss"),
        Entry(Account.HELD, Account.SURPLUS, over, "not taken back", "over"),
    ]
    if ends:
        lost.rows += _end(file, taker, now)
    lines = ledger.book(
        escrow, entries, now=now, leg_id=cause.leg_id, deposit_ref=cause.deposit_ref, external_id=cause.external_id
    )
    lost.rows += lines
    if goes_on:
        lost.rows += _go_on(file, held, taker, lost, actor, now)
    kept = surplus if taker.due_first else 0  # what people keep for him is what they give him first
    escrow.quarantined = min(max(0, escrow.quarantined - kept), escrow.surplus)
    if plans.unreturned(file) < 0:
        lost.rows += _drop(file, taker, now, returns=True)
    if left := max(0, plans.unreturned(file)):
        lost.plan(plans.give_back(file, None, left, actor=actor, reason=taker.reason, now=now))
    untaken = max(0, -owed.balance([*file.ledger, *lines]))  # what he is owed of before is taken first, not paid
    if planned := recoveries.plan(file, min(rest, untaken), actor=actor, reason=taker.reason, now=now):
        lost.plan(planned)
    lost.settle(owed.settle(file, lines, action=taker.action, actor=actor, now=now))
    return lost


def close_funding(escrow: Escrow, now: dt.datetime) -> None:
    """Where the money is waited for still: nobody can pay the same PaymentIntent again. Call it once the holds are
    what they will be."""
    if escrow.status is EscrowStatus.AWAIT_FUNDS and not escrow.frozen_causes:
        escrow.fund_by = min(escrow.fund_by, now)
        escrows.plan_look(escrow, now)


def _go_on(file: EscrowFile, part: int, taker: Taker, lost: Lost, actor: Actor, now: dt.datetime) -> list[Entity]:
    """Only that part is gone. What was to be paid out of the whole is planned anew, and then nothing is left that
    people could decide about."""
    was, closed = file.escrow.status, list[Dispute]()
    changed, planned = lost_parts.take(file, part, taker.action, actor=actor, now=now)
    if planned is None:
        ESCROW.apply(taker.action, file.escrow, Role.SYSTEM, becomes=was)
    else:
        lost.plan(planned)
    if file.escrow.status is not was:
        closed = disputes.close_by_loss(file, taker.action, taker.outcome, now)
    return [*changed, *closed, *refused_payouts.expire_outdated(file, now)]


def _end(file: EscrowFile, taker: Taker, now: dt.datetime) -> list[Entity]:
    """What was to be paid out is dropped, and a dispute has nothing left to decide."""
    escrow, becomes, parts = file.escrow, EscrowStatus.REFUNDED, MilestoneStatus.REFUNDED
    last = next((row for row in file.settlements if row.id == escrow.settlement_id), None)
    if taker.seller_keeps and last is not None and Side.SELLER in plans.paid_sides(file, last):
        escrow.seller_share += last.seller_share
        parts = milestones.ENDED_BY[SettlementKind.SPLIT]
    if taker.seller_keeps and escrow.seller_share:
        becomes = EscrowStatus.SPLIT
    ESCROW.apply(taker.action, escrow, Role.SYSTEM, becomes=becomes)
    dropped = _drop(file, taker, now)
    if dropped:
        escrow.holds = frozenset(escrow.holds - {Hold.PAYOUT_FAILED})
    escrow.reason, escrow.ended_at, escrow.settlement_id = taker.reason, now, None
    escrow.frozen_causes, escrow.frozen_at = frozenset(), None
    escrows.plan_look(escrow, now)
    closed = disputes.close_by_loss(file, taker.action, taker.outcome, now)
    return [*dropped, *closed, *milestones.end(file, parts, now)]


def _drop(file: EscrowFile, taker: Taker, now: dt.datetime, *, returns: bool = False) -> list[Settlement]:
    """What was to be paid out of the money that is gone: the settlement of what was held, or the returns of surplus."""
    kinds = {SettlementKind.RETURN} if returns else set(SettlementKind) - settlements.APART
    dropped = [
        row
        for row in file.settlements
        if row.kind in kinds and row.status in WAITING and settlements.next_leg(file, row) is not None
    ]
    for settlement in dropped:
        settlements.drop(settlement, taker.action, Role.SYSTEM, now)
    return dropped
