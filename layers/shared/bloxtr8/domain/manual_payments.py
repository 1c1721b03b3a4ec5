"""Manual payments: what the card's provider refuses for good, or what is set aside, is paid by people, outside of it,
and booked as that (states.md, section 4).

announce_manual_payment is the intent (law 6): from then on nothing else pays it, until it is recorded, or withdrawn
because nobody paid. Above `two_people_by_hand_cents` two different administrators say that it was paid, under the same
name; a word counts for a day, and while its giver is one. It is recorded once it has arrived: what a bank sends back
before is withdrawn, and announced anew.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import NamedTuple

from bloxtr8 import clock, config, ids
from bloxtr8.actors import Actor
from bloxtr8.domain import escrows, refused_payouts, resuming, set_aside, settlements
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
    SettlementStatus,
    Side,
)
from bloxtr8.errors import Conflict, DomainError, InvalidState, NotFound, Unprocessable

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
    """Raises InvalidState where nothing waits for such a payment, else as `_check_escrow` and `_check_holds`."""
    _check_escrow(file)
    waiting = list(refused(file))
    if set_aside.amount(file) <= 0 and not waiting:
        raise InvalidState("No payment was refused, and nothing is set aside.", currentStatus=str(file.escrow.status))
    if not any(leg.reverses for leg in waiting):
        _check_holds(file)


def check(file: EscrowFile, due: Due) -> Leg | None:
    """The leg that such a payment makes; None of what is set aside. Its money may not move by itself any more, so only
    a definite refusal of a parked settlement can be paid so.

    Raises NotFound, InvalidState, Conflict NOT_BY_CARD, ESCROW_ON_HOLD, MANUAL_PAYMENT_ANNOUNCED or LEG_NOT_REFUSED,
    Unprocessable LEG_OR_SIDE or AMOUNT_DIFFERS; and as `set_aside.check`.
    """
    if len({due.settlement_id is None, due.leg is None, due.pays is not None}) > 1:
        raise Unprocessable("Name a settlement and its leg, or whom it pays of what is set aside.", "LEG_OR_SIDE")
    _check_escrow(file)
    if due.pays is not None:
        _check_holds(file)
        set_aside.check(file, due.amount)
        return None
    settlement = file.settlement(str(due.settlement_id))
    leg = next((row for row in file.legs_of(settlement.id) if row.n == due.leg), None)
    if leg is None:
        raise NotFound("There is no such leg.")
    if leg.reverses is None:
        _check_holds(file)
    other = next((row for row in announced(file) if (row.settlement_id, row.leg) == (settlement.id, leg.n)), None)
    if other is not None:
        raise Conflict(
            "Somebody is about to pay it outside.",
            "MANUAL_PAYMENT_ANNOUNCED",
            manualPaymentId=other.id,
            by=other.announced_by,
        )
    if settlement.status is not SettlementStatus.PARKED:
        raise InvalidState("Its settlement is not parked.", currentStatus=str(settlement.status))
    if leg.status is not LegStatus.REJECTED:
        raise Conflict("It was not refused for good.", "LEG_NOT_REFUSED", legStatus=str(leg.status))
    if due.amount != leg.amount:
        raise Unprocessable("That is not what is due.", "AMOUNT_DIFFERS", due=leg.amount)
    return leg


def _check_escrow(file: EscrowFile) -> None:
    ESCROW.check(ANNOUNCE, file.escrow, Role.PADMIN)
    if file.escrow.rail is not RailName.STRIPE:
        raise Conflict("On chain a vault's money leaves by the vault alone.", "NOT_BY_CARD")


def _check_holds(file: EscrowFile) -> None:
    """Of all but what the seller pays back: that pays nobody, and no hold stops it (`settlements.may_send`)."""
    escrows.check_holds(file.escrow, {Hold.PAYOUT_FAILED})


def announced(file: EscrowFile) -> list[ManualPayment]:
    """Those that somebody is about to pay, or has paid and not recorded yet."""
    return [row for row in file.manual_payments if row.status is ManualPaymentStatus.ANNOUNCED]


def late(file: EscrowFile, now: dt.datetime) -> list[ManualPayment]:
    """Those of which nobody has said for days that they were paid: meanwhile nobody else pays them."""
    return [row for row in announced(file) if now - _since(file, row) >= LATE]


def _since(file: EscrowFile, row: ManualPayment) -> dt.datetime:
    """When the same was announced first: who withdraws it and announces it anew silences no alarm."""
    since = row.created_at
    for old in sorted(file.manual_payments, key=lambda one: one.created_at, reverse=True):
        same = (old.settlement_id, old.leg, old.pays) == (row.settlement_id, row.leg, row.pays)
        if same and old.status is ManualPaymentStatus.WITHDRAWN and old.ended_at and since - old.ended_at < LATE:
            since = min(since, old.created_at)
    return since


def find(file: EscrowFile, payment_id: str) -> ManualPayment:
    """One that is announced; a hold placed since stops neither its record nor its withdrawal: the money may be out.
    Raises NotFound, InvalidState."""
    row = next((row for row in file.manual_payments if row.id == payment_id), None)
    if row is None:
        raise NotFound("There is no such payment.")
    if row.status is not ManualPaymentStatus.ANNOUNCED:
        raise InvalidState(f"It is not announced, but {row.status.lower()}.", currentStatus=str(row.status))
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
    return [row, leg, *refused_payouts.expire_outdated(file, now)]


def is_word(row: ManualPayment, asker: Asker) -> bool:
    """Whether the asker takes only his own word back that it was paid: another says so too, or is about to pay it."""
    return asker.id in _said(row) and bool({row.announced_by, *_said(row)} & _others(asker))


def check_withdraw(row: ManualPayment, asker: Asker, now: dt.datetime) -> None:
    """Raises Conflict SAID_TO_BE_PAID where another says so, however long ago, and the asker has no word;
    ANNOUNCED_BY_ANOTHER for three days while who announced it is an administrator: the money may be out."""
    if is_word(row, asker):
        return
    others = _others(asker)
    if _said(row) & others:
        raise Conflict("Another administrator says that it was paid.", "SAID_TO_BE_PAID", by=min(_said(row) & others))
    until = row.created_at + LATE
    if row.announced_by in others and now < until:
        raise Conflict(
            "Another administrator is about to pay it.", "ANNOUNCED_BY_ANOTHER",
            by=row.announced_by, until=clock.iso(until),
        )  # fmt: skip


def withdraw(file: EscrowFile, row: ManualPayment, asker: Asker, now: dt.datetime) -> list[Entity]:
    """Nobody has paid it: its leg is refused, as it was before; or it `is_word`. Returns the rows this changed. Raises
    as `check_withdraw`."""
    check_withdraw(row, asker, now)
    if is_word(row, asker):
        row.people = [person for person in row.people if person["id"] != asker.id]
        return [row]
    row.status, row.ended_at = ManualPaymentStatus.WITHDRAWN, now
    if row.pays is not None:
        return [row]
    leg = _its_leg(file, row)
    LEG.apply(WITHDRAW, leg, Role.PADMIN)
    leg.external_id = row.refused_id
    return [row, leg, *refused_payouts.expire_outdated(file, now)]


def _said(row: ManualPayment) -> set[str]:
    return {person["id"] for person in row.people}


def _others(asker: Asker) -> set[str]:
    return {*asker.eligible} - {asker.id}


def allowed_actions(row: ManualPayment, asker: Asker, now: dt.datetime) -> list[str]:
    """What an administrator may do with it now, by name."""
    if row.status is not ManualPaymentStatus.ANNOUNCED:
        return []
    try:
        check_withdraw(row, asker, now)
    except DomainError:
        return [RECORD]
    return [RECORD, WITHDRAW]


def record(file: EscrowFile, row: ManualPayment, payment_id: str, now: dt.datetime) -> list[Entity]:
    """It is paid: of a refused leg the settlement goes on with what is left of it. Returns the rows this changed beside
    the escrow."""
    row.status, row.ended_at, row.payment_id = ManualPaymentStatus.RECORDED, now, payment_id
    return [row, *(_pay(file, row, now) if row.pays is None else set_aside.pay(file, row, now))]


def _pay(file: EscrowFile, row: ManualPayment, now: dt.datetime) -> list[Entity]:
    leg = _its_leg(file, row)
    settlement = file.settlement(leg.settlement_id)
    lines = settlements.confirm(file, leg, f"{MANUAL}{row.payment_id}", now, action=RECORD, role=Role.PADMIN)
    SETTLEMENT.apply(RECORD, settlement, Role.PADMIN)
    resuming.next_run(settlement, now)
    if settlement.kind not in settlements.APART:
        file.escrow.holds = frozenset(file.escrow.holds - {Hold.PAYOUT_FAILED})
    return [settlement, leg, *lines]


def _leg_of(file: EscrowFile, row: ManualPayment) -> Leg | None:
    """The leg that it pays; None of what is set aside, until it is recorded."""
    return next((leg for leg in file.legs if (leg.settlement_id, leg.n) == (row.settlement_id, row.leg)), None)


def payee(file: EscrowFile, row: ManualPayment) -> tuple[Side, str | None]:
    """To whom it is due, or where it reverses a transfer, from whom; and that transfer."""
    leg = _leg_of(file, row)
    return (leg.pays, leg.reverses) if leg else (Side(row.pays), None)


def _its_leg(file: EscrowFile, row: ManualPayment) -> Leg:
    leg = _leg_of(file, row)
    assert leg is not None
    return leg


# --- who says that it was paid


def needed(escrow: Escrow) -> int:
    """How many different people say so."""
    return 2 if escrow.gross > config.settings().two_people_by_hand_cents else 1


def voters(file: EscrowFile) -> set[str]:
    """Everybody who has announced what is to be paid, or has said that it was."""
    return {who for row in announced(file) for who in (row.announced_by, *_said(row))}


def standing(row: ManualPayment, same: str, eligible: Collection[str], now: dt.datetime) -> list[str]:
    """Who has said within a day, and may still, that it was paid under a name that is the `same`."""
    since = now - dt.timedelta(seconds=config.settings().vote_seconds)
    words = (person for person in row.people if person["id"] in eligible and clock.parse(person["at"]) > since)
    return [person["id"] for person in words if key_of(person["paymentId"]) == same]


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
    before = len(standing(row, same, eligible, now))
    others = [person for person in row.people if person["id"] != actor.id]
    row.people = [*others, {"id": actor.id, "reason": reason, "at": clock.iso(now), "paymentId": payment_id}]
    stands = len(standing(row, same, eligible, now))
    if stands >= needed(file.escrow):
        return True
    if stands == before:
        raise Conflict("Your word stands; another administrator's is needed.", "ALREADY_VOTED")
    return False
