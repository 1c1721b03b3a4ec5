"""Chargebacks of a card payment: what the hold does, and who bears what is lost (states.md, sections 4 and 10; M48).

Each chargeback is a row of its own; together they place one hold, which goes with the last of them that is open.
"""

import datetime as dt
from dataclasses import dataclass, field

from bloxtr8.actors import Actor
from bloxtr8.domain import (
    disputes,
    escrows,
    holds,
    ledger,
    legs,
    lost_parts,
    milestones,
    plans,
    recoveries,
    settlements,
)
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.plans import Planned
from bloxtr8.domain.transitions import CHARGEBACK, ESCROW, SETTLEMENT
from bloxtr8.entities import (
    Account,
    Chargeback,
    ChargebackStatus,
    DeliveryStatus,
    Entity,
    Escrow,
    EscrowStatus,
    Hold,
    LedgerLine,
    LegStatus,
    MilestoneStatus,
    Settlement,
    SettlementKind,
    SettlementStatus,
)

REASON = "CHARGEBACK"
TAKEN = "taken back by the buyer's bank"
GIVEN_BACK = "given back by the buyer's bank"
PAID_BEFORE = "his bank has paid him already"
LOOK = dt.timedelta(days=1)  # an open one is asked for once a day: its events may be lost
DECIDED = {ChargebackStatus.LOST, ChargebackStatus.REINSTATED}
WAITING = {SettlementStatus.OPEN, SettlementStatus.PARKED}
_UNDECIDED = {EscrowStatus.FUNDS_HELD, EscrowStatus.DELIVERED, EscrowStatus.DISPUTED}
IN_FLIGHT = {LegStatus.SENT, LegStatus.UNKNOWN}


@dataclass(slots=True)
class Lost:
    """What lose_chargeback changed beside the escrow and the chargeback: rows to save, and what is to be started."""

    rows: list[Entity] = field(default_factory=list)
    started: list[Settlement] = field(default_factory=list)

    def plan(self, planned: Planned) -> None:
        self.rows += planned.rows
        self.started.append(planned.settlement)


def find(file: EscrowFile, chargeback_id: str) -> Chargeback | None:
    """The row of a chargeback, if it is known."""
    return next((row for row in file.chargebacks if row.id == chargeback_id), None)


def only_asked(file: EscrowFile) -> bool:
    """Whether the bank has taken nothing: all that is open are its inquiries, which a full refund answers."""
    asked = [row.inquiry for row in file.chargebacks if row.status is ChargebackStatus.OPEN]
    return bool(asked) and all(asked)


def booked(file: EscrowFile) -> tuple[str, ...]:
    """Those that were lost and are in the books: what is left of the payment may be moved all the same."""
    return tuple(row.id for row in file.chargebacks if row.status in DECIDED)


def paid_before(file: EscrowFile, back: int) -> int:
    """Of a refund of `back` cents that came back: how much of it the buyer has of his bank. What the bank took after
    the money had left us was a loss; this makes up for it, and he is not paid twice."""
    lost = sum(line.amount for line in file.ledger if line.debit is Account.LOSS and line.memo == TAKEN)
    made_up = sum(
        line.amount for line in file.ledger if line.credit is Account.LOSS and line.memo in {PAID_BEFORE, GIVEN_BACK}
    )
    return max(0, min(back, lost - made_up))


def record(
    file: EscrowFile,
    chargeback_id: str,
    *,
    charge_id: str,
    amount: int,
    inquiry: bool,
    reason: str | None,
    now: dt.datetime,
) -> Chargeback:
    """record_chargeback: no new leg is sent and no deadline passes until it is decided; at an end the hold stops what
    may still go back to the buyer."""
    escrow = file.escrow
    ESCROW.apply("record_chargeback", escrow, Role.SYSTEM)
    row = Chargeback(
        escrow_id=escrow.id,
        id=chargeback_id,
        charge_id=charge_id,
        amount=amount,
        inquiry=inquiry,
        reason=reason,
        next_look=now + LOOK,
        opened_at=now,
    )
    file.chargebacks.append(row)
    _hold(escrow, now)
    return row


def reopen(file: EscrowFile, row: Chargeback, *, inquiry: bool, now: dt.datetime) -> None:
    """reopen_chargeback: one that was won is decided anew, so all of it stops once more."""
    CHARGEBACK.apply("reopen_chargeback", row, Role.SYSTEM)
    ESCROW.apply("reopen_chargeback", file.escrow, Role.SYSTEM)
    row.inquiry, row.closed_at, row.next_look, row.looks = inquiry, None, now + LOOK, 0
    _hold(file.escrow, now)


def _hold(escrow: Escrow, now: dt.datetime) -> None:
    escrow.holds = frozenset(escrow.holds | {Hold.CHARGEBACK})
    if escrow.status not in ledger.ENDS:
        escrows.freeze(escrow, Hold.CHARGEBACK, now)
        escrows.plan_look(escrow, now)


def charge_fee(file: EscrowFile, row: Chargeback, fee: int, now: dt.datetime) -> list[LedgerLine]:
    """The bank's fee, a loss of its own, whoever wins: the part of `fee` that is not booked yet, or what came back."""
    entry = Entry(Account.LOSS, Account.BANK, fee - row.fee, "fee of the chargeback", f"fee:{fee}")
    if fee < row.fee:
        entry = Entry(Account.BANK, Account.LOSS, row.fee - fee, "fee of the chargeback returned", f"fee:{fee}")
    row.fee = fee
    return ledger.book(file.escrow, [entry], now=now, deposit_ref=row.charge_id, external_id=row.id)


def win(file: EscrowFile, row: Chargeback, now: dt.datetime) -> list[Settlement]:
    """win_chargeback: the money stays where it is. Returns the settlements that go on."""
    CHARGEBACK.apply("win_chargeback", row, Role.SYSTEM)
    ESCROW.apply("win_chargeback", file.escrow, Role.SYSTEM)
    row.closed_at, row.next_look = now, None
    return _lift(file, now)


def _lift(file: EscrowFile, now: dt.datetime) -> list[Settlement]:
    """Only this hold, and only with the last open chargeback; deadlines move by the time that stood still."""
    if any(row.status is ChargebackStatus.OPEN for row in file.chargebacks):
        return []
    return holds.end(file, Hold.CHARGEBACK, now)


# --- lost


def waits(file: EscrowFile) -> bool:
    """Whether what was lost can't be booked yet: a leg may have moved the money, or a settlement is paid out and only
    has to end."""
    waiting = {row.id: row for row in file.settlements if row.status in WAITING}
    in_flight = any(leg.settlement_id in waiting and leg.status in IN_FLIGHT for leg in file.legs)
    paid_out = any(
        row.kind not in settlements.APART and settlements.next_leg(file, row) is None for row in waiting.values()
    )
    return in_flight or paid_out


def ends_by(file: EscrowFile, row: Chargeback) -> bool:
    """Whether losing it ends the escrow: the money was held, and the trade does not go on with the rest of it. At an
    end, and while it is awaited, only lines are booked."""
    held = file.escrow.status in escrows.MONEY_HELD and file.escrow.held > 0
    return held and not lost_parts.goes_on(file, row.amount)


def lose(file: EscrowFile, row: Chargeback, *, actor: Actor, now: dt.datetime) -> Lost:
    """lose_chargeback: the bank keeps `row.amount`, first of what is held, then of what was to go back to the buyer;
    the rest is a loss, for which the seller's transfers are to be reversed.

    Of an escrow that this ends, what the bank did not take goes back to the buyer; of one that goes on, it is paid out
    as was decided, or will be. Call it only where nothing `waits`; the rows around the deal are the caller's.
    """
    escrow, lost, ends = file.escrow, Lost(), ends_by(file, row)
    CHARGEBACK.apply("lose_chargeback", row, Role.SYSTEM)
    row.closed_at, row.next_look = now, None
    held = min(escrow.held, row.amount)
    surplus = min(escrow.surplus, row.amount - held)
    rest = row.amount - held - surplus
    over = escrow.held - held if ends else 0
    goes_on = not ends and escrow.status in escrows.MONEY_HELD and held > 0
    entries = [
        Entry(Account.HELD, Account.BANK, held, TAKEN, "held"),
        Entry(Account.SURPLUS, Account.BANK, surplus, TAKEN, "surplus"),
        Entry(Account.LOSS, Account.BANK, rest, TAKEN, "loss"),
        Entry(Account.HELD, Account.SURPLUS, over, "not taken back", "over"),
    ]
    if ends:
        lost.rows += _end(file, now)
    lost.rows += ledger.book(escrow, entries, now=now, deposit_ref=row.charge_id, external_id=row.id)
    if goes_on:
        lost.rows += _go_on(file, held, lost, actor, now)
    escrow.quarantined = min(escrow.quarantined, escrow.surplus)
    if surplus:
        lost.rows += _drop(file, now, returns=True)
    if left := max(0, plans.unreturned(file)):
        lost.plan(plans.give_back(file, None, left, actor=actor, reason=REASON, now=now))
    if planned := recoveries.plan(file, rest, actor=actor, reason=REASON, now=now):
        lost.plan(planned)
    resumed = _lift(file, now)
    lost.rows += resumed
    lost.started += resumed
    if escrow.status is EscrowStatus.AWAIT_FUNDS and not escrow.frozen_causes:
        escrow.fund_by = min(escrow.fund_by, now)  # nobody can pay the same PaymentIntent again
        escrows.plan_look(escrow, now)
    return lost


def _go_on(file: EscrowFile, part: int, lost: Lost, actor: Actor, now: dt.datetime) -> list[Entity]:
    """Only that part is gone. What was to be paid out of the whole is planned anew."""
    ESCROW.apply("lose_chargeback", file.escrow, Role.SYSTEM, becomes=file.escrow.status)
    changed, planned = lost_parts.take(file, part, actor=actor, now=now)
    if planned is not None:
        lost.plan(planned)
    return [*changed]


def _end(file: EscrowFile, now: dt.datetime) -> list[Entity]:
    """REFUNDED(CHARGEBACK): what was to be paid out is dropped, and a dispute has nothing left to decide."""
    escrow = file.escrow
    ESCROW.apply("lose_chargeback", escrow, Role.SYSTEM, becomes=EscrowStatus.REFUNDED)
    dropped = _drop(file, now)
    if dropped:
        escrow.holds = frozenset(escrow.holds - {Hold.PAYOUT_FAILED})
    escrow.reason, escrow.ended_at, escrow.settlement_id = REASON, now, None
    escrow.frozen_causes, escrow.frozen_at = frozenset(), None
    escrows.plan_look(escrow, now)
    ended = milestones.end(file, MilestoneStatus.REFUNDED, now)
    return [*dropped, *disputes.close_by_chargeback(file, now), *ended]


def _drop(file: EscrowFile, now: dt.datetime, *, returns: bool = False) -> list[Settlement]:
    """What was to be paid out of the money that is gone: the settlement of what was held, or the returns of surplus."""
    kinds = {SettlementKind.RETURN} if returns else set(SettlementKind) - settlements.APART
    dropped = [
        row
        for row in file.settlements
        if row.kind in kinds and row.status in WAITING and settlements.next_leg(file, row) is not None
    ]
    for settlement in dropped:
        SETTLEMENT.apply("lose_chargeback", settlement, Role.SYSTEM)
        settlement.finished_at, settlement.next_look = now, None
    return dropped


# --- lost, and won after all


def reinstate(file: EscrowFile, row: Chargeback, back: int, *, actor: Actor, now: dt.datetime) -> Lost:
    """reinstate_chargeback: the bank gives `back` cents of what was lost. A loss is made good first.

    The rest is held again where the trade goes on and nothing was decided about it since. Else it is surplus: the
    buyer's, who has it of his bank no longer, where nothing was handed over; set aside for people to decide where he
    may have both.
    """
    escrow, found = file.escrow, Lost()
    CHARGEBACK.apply("reinstate_chargeback", row, Role.SYSTEM)
    ESCROW.apply("reinstate_chargeback", escrow, Role.SYSTEM)
    taken = [line for line in file.ledger if line.memo == TAKEN and str(line.external_id).startswith(f"{row.id}:")]
    loss = min(back, sum(line.amount for line in taken if line.debit is Account.LOSS))
    rest = min(back, sum(line.amount for line in taken)) - loss
    held = rest if rest <= escrow.charged_back and escrow.status in _UNDECIDED else 0
    entries = [
        Entry(Account.BANK, Account.LOSS, loss, GIVEN_BACK, "back:loss"),
        Entry(Account.BANK, Account.HELD, held, GIVEN_BACK, "back:held"),
        Entry(Account.BANK, Account.SURPLUS, rest - held, GIVEN_BACK, "back:surplus"),
    ]
    found.rows += ledger.book(escrow, entries, now=now, deposit_ref=row.charge_id, external_id=row.id)
    escrow.charged_back -= held
    found.rows += _stop_recovering(file, now)
    if rest > held and not _may_have_both(file):
        found.plan(plans.give_back(file, None, rest, actor=actor, reason="REINSTATED", now=now))
    elif rest > held:
        escrow.quarantined += rest
    return found


def _may_have_both(file: EscrowFile) -> bool:
    """Whether the buyer has the asset, or what the seller said he has of a milestone that was not paid for."""
    unpaid = (row for row in file.deliveries if row.status is not DeliveryStatus.CONFIRMED)
    return file.escrow.delivered_at is not None or any(row.delivered_at is not None for row in unpaid)


def _stop_recovering(file: EscrowFile, now: dt.datetime) -> list[Settlement]:
    """Nothing is taken from the seller any more for what is no loss; what was is for people to pay him."""
    if any(row.status is ChargebackStatus.LOST for row in file.chargebacks):
        return []
    waiting = [
        row
        for row in file.settlements
        if row.kind is SettlementKind.RECOVERY
        and row.status in WAITING
        and not any(leg.status in legs.MOVED for leg in file.legs_of(row.id))
    ]
    for settlement in waiting:
        settlements.drop(settlement, "reinstate_chargeback", Role.SYSTEM, now)
    return waiting
