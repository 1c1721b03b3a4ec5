"""Manual payments: what the card's provider refuses for good, or what is set aside, is paid by people, outside of it,
and booked as that (states.md, section 4).

announce_manual_payment is the intent (law 6): from then on nothing else pays it, until it is recorded, or withdrawn
because nobody paid. Above `two_people_by_hand_cents` two different administrators say that it was paid, under the same
name; a word counts for a day, and while its giver is one.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import NamedTuple

from bloxtr8 import clock, config, ids
from bloxtr8.actors import Actor
from bloxtr8.domain import escrows, resuming, set_aside, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW, LEG, SETTLEMENT
from bloxtr8.entities import (
    MANUAL,
    Entity,
    Escrow,
    Hold,
    Leg,
    LegStatus,
    ManualPayment,
    ManualPaymentStatus,
    RailName,
    Side,
)
from bloxtr8.errors import Conflict, InvalidState, NotFound, Unprocessable

ANNOUNCE, RECORD, WITHDRAW = "announce_manual_payment", "record_manual_payment", "withdraw_manual_payment"
LATE = dt.timedelta(days=3)  # after which what waits for people rings each day


class Asker(NamedTuple):
    """An administrator, and who of him and of those who announced or said something is one now."""

    id: str
    eligible: Collection[str]


class Due(NamedTuple):
    """What somebody is about to pay, in cents: all of a refused leg, which it names, or some of what is set aside, and
    then it says whom it `pays`."""

    amount: int
    settlement_id: str | None = None
    leg: int | None = None
    pays: Side | None = None


# --- what there is to pay


def refused(file: EscrowFile) -> Iterator[Leg]:
    """The legs that wait for people: refused, of a settlement that is parked."""
    for settlement in resuming.parked(file):
        yield from (leg for leg in file.legs_of(settlement.id) if leg.status is LegStatus.REJECTED)


def check_any(file: EscrowFile) -> None:
    """Raises InvalidState where nothing waits for such a payment, else as `_check_escrow`."""
    _check_escrow(file)
    if set_aside.amount(file) <= 0 and not any(True for _ in refused(file)):
        raise InvalidState("No payment was refused, and nothing is set aside.", currentStatus=str(file.escrow.status))


def check(file: EscrowFile, due: Due) -> Leg | None:
    """The leg that such a payment makes; None of what is set aside. Its money may not move by itself any more, so only
    a definite refusal of a parked settlement can be paid so.

    Raises NotFound, InvalidState, Conflict NOT_BY_CARD, ESCROW_ON_HOLD or LEG_NOT_REFUSED, Unprocessable LEG_OR_SIDE
    or AMOUNT_DIFFERS; and as `set_aside.check`.
    """
    if len({due.settlement_id is None, due.leg is None, due.pays is not None}) > 1:
        raise Unprocessable("Name a settlement and its leg, or whom it pays of what is set aside.", "LEG_OR_SIDE")
    _check_escrow(file)
    if due.pays is not None:
        set_aside.check(file, due.amount)
        return None
    settlement = file.settlement(str(due.settlement_id))
    leg = next((row for row in file.legs_of(settlement.id) if row.n == due.leg), None)
    if leg is None:
        raise NotFound("There is no such leg.")
    SETTLEMENT.check(RECORD, settlement, Role.PADMIN)
    if leg.status is not LegStatus.REJECTED:
        raise Conflict("It was not refused for good.", "LEG_NOT_REFUSED", legStatus=str(leg.status))
    if due.amount != leg.amount:
        raise Unprocessable("That is not what is due.", "AMOUNT_DIFFERS", due=leg.amount)
    return leg


def _check_escrow(file: EscrowFile) -> None:
    ESCROW.check(ANNOUNCE, file.escrow, Role.PADMIN)
    if file.escrow.rail is not RailName.STRIPE:
        raise Conflict("On chain a vault's money leaves by the vault alone.", "NOT_BY_CARD")
    escrows.check_holds(file.escrow, {Hold.PAYOUT_FAILED})


def announced(file: EscrowFile) -> list[ManualPayment]:
    """Those that somebody is about to pay, or has paid and not recorded yet."""
    return [row for row in file.manual_payments if row.status is ManualPaymentStatus.ANNOUNCED]


def late(file: EscrowFile, now: dt.datetime) -> list[ManualPayment]:
    """Those of which nobody has said for days that they were paid: meanwhile nobody else pays them."""
    return [row for row in announced(file) if now - row.created_at >= LATE]


def find(file: EscrowFile, payment_id: str) -> ManualPayment:
    """One that is announced; a hold placed since stops neither its record nor its withdrawal: the money may be out.
    Raises NotFound, InvalidState where it is recorded or withdrawn."""
    row = next((row for row in file.manual_payments if row.id == payment_id), None)
    if row is None:
        raise NotFound("There is no such payment.")
    if row.status is not ManualPaymentStatus.ANNOUNCED:
        raise InvalidState("It is not announced any more.", currentStatus=str(row.status))
    return row


# --- what follows


def announce(
    file: EscrowFile, due: Due, leg: Leg | None, *, actor: Actor, reason: str, now: dt.datetime
) -> list[Entity]:
    """Somebody is about to pay it: its leg is under way, by hand. Returns the new row, and the leg."""
    row = ManualPayment(
        escrow_id=file.escrow.id,
        id=ids.new("mpy"),
        settlement_id=due.settlement_id,
        leg=due.leg,
        pays=due.pays,
        amount=due.amount,
        announced_by=actor.id,
        reason=reason,
        created_at=now,
    )
    file.manual_payments.append(row)
    if leg is None:
        return [row]
    LEG.apply(ANNOUNCE, leg, Role.PADMIN)
    row.refused_id, leg.external_id = leg.external_id, f"{MANUAL}{row.id}"
    return [row, leg]


def check_withdraw(row: ManualPayment, asker: Asker, now: dt.datetime) -> None:
    """Raises Conflict SAID_TO_BE_PAID where another says so, however long ago, and the asker has no word;
    ANNOUNCED_BY_ANOTHER for three days while who announced it is an administrator: the money may be out."""
    if _others(row, asker):
        if asker.id not in _said(row):
            raise Conflict("Another administrator says that it was paid.", "SAID_TO_BE_PAID")
    elif row.announced_by in {*asker.eligible} - {asker.id} and now - row.created_at < LATE:
        raise Conflict("Another administrator is about to pay it.", "ANNOUNCED_BY_ANOTHER", by=row.announced_by)


def withdraw(file: EscrowFile, row: ManualPayment, asker: Asker, now: dt.datetime) -> list[Entity]:
    """Nobody has paid it: its leg is refused, as it was before. Where another says that it was paid, the asker's own
    word is taken back and nothing else. Returns the rows this changed. Raises as `check_withdraw`."""
    check_withdraw(row, asker, now)
    if _others(row, asker):
        row.people = [person for person in row.people if person["id"] != asker.id]
        return [row]
    row.status, row.ended_at = ManualPaymentStatus.WITHDRAWN, now
    if row.pays is not None:
        return [row]
    leg = _leg(file, row)
    LEG.apply(WITHDRAW, leg, Role.PADMIN)
    leg.external_id = row.refused_id
    return [row, leg]


def _said(row: ManualPayment) -> set[str]:
    return {person["id"] for person in row.people}


def _others(row: ManualPayment, asker: Asker) -> set[str]:
    """Who else says that it was paid, and may still."""
    return _said(row) & {*asker.eligible} - {asker.id}


def allowed_actions(row: ManualPayment, asker: Asker, now: dt.datetime) -> list[str]:
    """What an administrator may do with it now, by name."""
    if row.status is not ManualPaymentStatus.ANNOUNCED:
        return []
    try:
        check_withdraw(row, asker, now)
    except Conflict:
        return [RECORD]
    return [RECORD, WITHDRAW]


def record(file: EscrowFile, row: ManualPayment, payment_id: str, now: dt.datetime) -> list[Entity]:
    """It is paid: of a refused leg the settlement goes on with what is left of it. Returns the rows this changed beside
    the escrow."""
    row.status, row.ended_at, row.payment_id = ManualPaymentStatus.RECORDED, now, payment_id
    return [row, *(_pay(file, row, now) if row.pays is None else set_aside.pay(file, row, now))]


def _pay(file: EscrowFile, row: ManualPayment, now: dt.datetime) -> list[Entity]:
    leg = _leg(file, row)
    settlement = file.settlement(leg.settlement_id)
    lines = settlements.confirm(file, leg, f"{MANUAL}{row.payment_id}", now, action=RECORD, role=Role.PADMIN)
    SETTLEMENT.apply(RECORD, settlement, Role.PADMIN)
    resuming.next_run(settlement, now)
    if settlement.kind not in settlements.APART:
        file.escrow.holds = frozenset(file.escrow.holds - {Hold.PAYOUT_FAILED})
    return [settlement, leg, *lines]


def _leg(file: EscrowFile, row: ManualPayment) -> Leg:
    return next(leg for leg in file.legs_of(str(row.settlement_id)) if leg.n == row.leg)


# --- who says that it was paid


def needed(escrow: Escrow) -> int:
    """How many different people say so."""
    return 2 if escrow.gross > config.settings().two_people_by_hand_cents else 1


def voters(file: EscrowFile) -> set[str]:
    """Everybody who has announced what is announced, or has said that it was paid."""
    return {who for row in announced(file) for who in (row.announced_by, *_said(row))}


def standing(row: ManualPayment, same: str, eligible: Collection[str], now: dt.datetime) -> int:
    """How many have said within a day, and may still, that it was paid under a name that is the `same`."""
    since = now - dt.timedelta(seconds=config.settings().vote_seconds)
    words = (person for person in row.people if person["id"] in eligible and clock.parse(person["at"]) > since)
    return sum(key_of(person["paymentId"]) == same for person in words)


def key_of(payment_id: str) -> str:
    """A bank's name of a payment, however its hyphens are set: it is one payment."""
    return payment_id.replace("-", "")


def vote(
    file: EscrowFile, row: ManualPayment, payment_id: str, *,
    actor: Actor, reason: str, eligible: Collection[str], now: dt.datetime,
) -> bool:  # fmt: skip
    """One person's word, in the place of his last one; whether it is the last that is needed. Raises Conflict
    ALREADY_VOTED where it changes nothing."""
    same = key_of(payment_id)
    before = standing(row, same, eligible, now)
    others = [person for person in row.people if person["id"] != actor.id]
    row.people = [*others, {"id": actor.id, "reason": reason, "at": clock.iso(now), "paymentId": payment_id}]
    stands = standing(row, same, eligible, now)
    if stands >= needed(file.escrow):
        return True
    if stands == before:
        raise Conflict("Your word stands; another administrator's is needed.", "ALREADY_VOTED")
    return False
