"""Chargebacks of a card payment: what the hold does, and who bears what is lost (states.md, sections 4 and 10; M48).

Each chargeback is a row of its own; together they place one hold, which goes with the last of them that is open.
"""

import datetime as dt
from typing import NamedTuple

from bloxtr8 import config
from bloxtr8.actors import Actor
from bloxtr8.domain import escrows, holds, ledger, losses, owed, plans, recoveries, refused_payouts, settlements
from bloxtr8.domain.dossier import Owner
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.losses import Lost
from bloxtr8.domain.owed import GIVEN_BACK, PAID_BEFORE, TAKEN
from bloxtr8.domain.transitions import CHARGEBACK, ESCROW
from bloxtr8.entities import (
    Account,
    Chargeback,
    ChargebackStatus,
    DeliveryStatus,
    Escrow,
    EscrowStatus,
    Hold,
    LedgerLine,
    Settlement,
    SettlementKind,
)

BANK = losses.Taker(
    action="lose_chargeback",
    account=Account.BANK,
    memo=TAKEN,
    reason="CHARGEBACK",
    outcome="CHARGEBACK",
    due_first=False,
    seller_keeps=False,
)
LOOK = dt.timedelta(days=1)  # an open one is asked for once a day: its events may be lost
DECIDED = {ChargebackStatus.LOST, ChargebackStatus.REINSTATED}
_UNDECIDED = {EscrowStatus.FUNDS_HELD, EscrowStatus.DELIVERED, EscrowStatus.DISPUTED}


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


def ends_by(file: EscrowFile, row: Chargeback) -> bool:
    """Whether losing it ends the escrow, as REFUNDED(CHARGEBACK)."""
    return losses.ends_by(file, row.amount, BANK)


def turns_on_owner(file: EscrowFile, row: Chargeback) -> bool:
    """Whether it does so only where the buyer does not have the asset."""
    return losses.turns_on_owner(file, row.amount, BANK)


def lose(file: EscrowFile, row: Chargeback, *, actor: Actor, now: dt.datetime) -> Lost:
    """lose_chargeback: the bank keeps `row.amount`, first of what is held, then of what was to go back to the buyer.
    Call it only where nothing `waits`; the rows around the deal are the caller's."""
    CHARGEBACK.apply("lose_chargeback", row, Role.SYSTEM)
    row.closed_at, row.next_look = now, None
    cause = losses.Cause(external_id=row.id, deposit_ref=row.charge_id)
    lost = losses.lose(file, row.amount, BANK, cause, actor=actor, now=now)
    lost.resume(_lift(file, now))
    losses.close_funding(file.escrow, now)
    return lost


# --- lost, and won after all


def goes_by_owner(file: EscrowFile, row: Chargeback, back: int) -> bool:
    """Whether it tells who gets what the bank gives back that the seller has the asset now: nothing is known to have
    been handed over, and it could have been."""
    return _shares(file, row, back).aside > 0 and not _may_have_both(file, Owner.SELLER) and _was_funded(file)


def unknown_too_long(row: Chargeback, now: dt.datetime) -> bool:
    """Write down that Roblox does not say whose the asset is. True once it has not for a week (D13): an escrow that has
    ended has neither a dispute nor a limit of holding that would bring it to people."""
    row.unknown_since = row.unknown_since or now
    return now - row.unknown_since >= dt.timedelta(seconds=config.settings().owner_unknown_dispute_seconds)


def reinstate(file: EscrowFile, row: Chargeback, back: int, *, owner: Owner, actor: Actor, now: dt.datetime) -> Lost:
    """reinstate_chargeback: the bank gives `back` cents of what was lost. A loss that stands is made good first; what a
    refund that came back has made good before is the buyer's, who gave it up for that.

    The rest is held again where the trade goes on and nothing was decided about it since. Else it is surplus: the
    buyer's, who has it of his bank no longer, where nothing was handed over; set aside for people to decide where he
    may have both, or nobody knows. What was taken from the seller for a loss that is none any more is paid to him
    again.

    `owner`: whose the asset is by a fresh look, asked only where it `goes_by_owner`; UNKNOWN there once that was so
    for too long.
    """
    escrow, found = file.escrow, Lost()
    CHARGEBACK.apply("reinstate_chargeback", row, Role.SYSTEM)
    ESCROW.apply("reinstate_chargeback", escrow, Role.SYSTEM)
    row.next_look = row.unknown_since = None
    shares = _shares(file, row, back)
    entries = [
        Entry(Account.BANK, Account.LOSS, shares.loss, GIVEN_BACK, "back:loss"),
        Entry(Account.BANK, Account.HELD, shares.held, GIVEN_BACK, "back:held"),
        Entry(Account.BANK, Account.SURPLUS, shares.aside, GIVEN_BACK, "back:surplus"),
        Entry(Account.BANK, Account.SURPLUS, shares.refunded, GIVEN_BACK, "back:refund"),
    ]
    lines = ledger.book(escrow, entries, now=now, deposit_ref=row.charge_id, external_id=row.id)
    found.rows += lines
    escrow.gone -= shares.held
    found.rows += refused_payouts.expire_outdated(file, now) if shares.held else []
    make_good(file, found, lines, action="reinstate_chargeback", actor=actor, now=now)
    buyers = shares.refunded
    if shares.aside and _may_have_both(file, owner):
        escrow.quarantined += shares.aside
    else:
        buyers += shares.aside
    if buyers:
        found.plan(plans.give_back(file, None, buyers, actor=actor, reason="REINSTATED", now=now))
    return found


class _Shares(NamedTuple):
    """What becomes of what a bank gives back."""

    loss: int  # that stood, and is made good
    refunded: int  # the buyer's, whose refund came back and made it good before
    held: int  # again, of a trade that goes on
    aside: int  # the rest: the buyer's, or people's to decide about


def _shares(file: EscrowFile, row: Chargeback, back: int) -> _Shares:
    taken = [line for line in file.ledger if line.memo == TAKEN and str(line.external_id).startswith(f"{row.id}:")]
    lost = min(back, sum(line.amount for line in taken if line.debit is Account.LOSS))
    loss = paid_before(file, lost)
    rest = min(back, sum(line.amount for line in taken)) - lost
    held = rest if rest <= file.escrow.gone and file.escrow.status in _UNDECIDED else 0
    return _Shares(loss, lost - loss, held, rest - held)


def _was_funded(file: EscrowFile) -> bool:
    """Whether there was a time to hand something over."""
    return file.escrow.funded_at is not None


def _may_have_both(file: EscrowFile, owner: Owner) -> bool:
    """Whether the buyer has the asset, or may have passed it on, or has what the seller said of a milestone that was
    not paid for, or not all of it."""
    if owner is not Owner.SELLER and _was_funded(file):
        return True
    taken = {row.n for row in file.deliveries if row.status is DeliveryStatus.CONFIRMED}
    price = sum(row.amount for row in file.milestones if row.n in taken)
    handed_over = any(row.delivered_at is not None for row in file.deliveries if row.n not in taken)
    return file.escrow.at_buyer_at is not None or handed_over or price > plans.sellers_part(file)


def make_good(
    file: EscrowFile, found: Lost, lines: list[LedgerLine], *, action: str, actor: Actor, now: dt.datetime
) -> None:
    """Once `lines` make a loss good: nothing is taken from the seller any more for it, and what was is paid to him
    again. Of what is to be taken, and may not have moved, the rest is planned anew."""
    _recover_less(file, found, lines, action, Role.SYSTEM, actor, now)
    found.settle(owed.settle(file, lines, action=action, actor=actor, now=now))


def drop_recoveries(file: EscrowFile, action: str, role: Role, *, actor: Actor, now: dt.datetime) -> Lost:
    """A reversal did not move after all: where its loss was made good while it might have, it is not due any more, and
    what an earlier leg of it took is the seller's."""
    found = Lost()
    _recover_less(file, found, [], action, role, actor, now)
    if found.rows:
        found.settle(owed.settle(file, [], action=action, actor=actor, now=now))
    return found


def _recover_less(
    file: EscrowFile, found: Lost, lines: list[LedgerLine], action: str, role: Role, actor: Actor, now: dt.datetime
) -> None:
    recovering = [
        row for row in file.settlements if row.kind is SettlementKind.RECOVERY and row.status in losses.WAITING
    ]
    moving = {settlement_id for settlement_id, _ in losses.in_flight(file)}
    to_take = {row.id: settlements.unpaid(file, row) for row in recovering}
    due = max(0, -owed.balance([*file.ledger, *lines]))
    if sum(to_take.values()) <= due:
        return
    for settlement in recovering:
        if settlement.id not in moving and to_take[settlement.id]:
            settlements.drop(settlement, action, role, now)
            found.rows.append(settlement)
    due -= sum(to_take[row.id] for row in recovering if row.id in moving)
    if planned := recoveries.plan(file, due, actor=actor, reason=BANK.reason, now=now):
        found.plan(planned)
