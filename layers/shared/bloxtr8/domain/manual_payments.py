"""record_manual_payment: what the card's provider refuses for good, or what is set aside, is paid by people, outside of
it, and booked as that (states.md, section 4).

Above `two_people_cents` two different administrators give the same payment. What the first one says is kept for a day,
and counts while he is one; whatever is recorded or resumed first ends it.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import NamedTuple, Self

from bloxtr8 import clock, config, ids
from bloxtr8.actors import Actor
from bloxtr8.domain import compliance, escrows, resuming, set_aside, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW, SETTLEMENT
from bloxtr8.entities import (
    MANUAL,
    Entity,
    Hold,
    Leg,
    LegStatus,
    ManualPayment,
    ManualPaymentStatus,
    RailName,
    Side,
)
from bloxtr8.errors import Conflict, InvalidState, NotFound, Unprocessable

ACTION = "record_manual_payment"


class Payment(NamedTuple):
    """What somebody says was paid, in cents, and what the outside calls it: of a refused leg, which it names, or of
    what is set aside, and then it says whom it `pays`."""

    amount: int
    payment_id: str
    settlement_id: str | None = None
    leg: int | None = None
    pays: Side | None = None

    @classmethod
    def of(cls, row: ManualPayment) -> Self:
        return cls(row.amount, row.payment_id, row.settlement_id, row.leg, row.pays)


# --- what there is to pay


def refused(file: EscrowFile) -> Iterator[Leg]:
    """The legs that wait for people: refused, of a settlement that is parked."""
    for settlement in resuming.parked(file):
        yield from (leg for leg in file.legs_of(settlement.id) if leg.status is LegStatus.REJECTED)


def check_any(file: EscrowFile) -> None:
    """Raises InvalidState where nothing waits for such a payment, else as `_check_escrow`."""
    _check_escrow(file)
    if not set_aside.amount(file.escrow) and not any(True for _ in refused(file)):
        raise InvalidState("No payment was refused, and nothing is set aside.", currentStatus=str(file.escrow.status))


def check(file: EscrowFile, payment: Payment) -> Leg | None:
    """The leg that such a payment makes; None of what is set aside. Its money may not move by itself any more, so only
    a definite refusal of a parked settlement can be paid so.

    Raises NotFound, InvalidState, Conflict NOT_BY_CARD, ESCROW_ON_HOLD or LEG_NOT_REFUSED, Unprocessable LEG_OR_SIDE
    or AMOUNT_DIFFERS; and as `set_aside.check`.
    """
    if len({payment.settlement_id is None, payment.leg is None, payment.pays is not None}) > 1:
        raise Unprocessable("Name a settlement and its leg, or whom it pays of what is set aside.", "LEG_OR_SIDE")
    _check_escrow(file)
    if payment.pays is not None:
        set_aside.check(file.escrow, payment.amount)
        return None
    settlement = file.settlement(str(payment.settlement_id))
    leg = next((row for row in file.legs_of(settlement.id) if row.n == payment.leg), None)
    if leg is None:
        raise NotFound("There is no such leg.")
    SETTLEMENT.check(ACTION, settlement, Role.PADMIN)
    if leg.status is not LegStatus.REJECTED:
        raise Conflict("It was not refused for good.", "LEG_NOT_REFUSED", legStatus=str(leg.status))
    if payment.amount != leg.amount:
        raise Unprocessable("That is not what is due.", "AMOUNT_DIFFERS", due=leg.amount)
    return leg


def _check_escrow(file: EscrowFile) -> None:
    ESCROW.check(ACTION, file.escrow, Role.PADMIN)
    if file.escrow.rail is not RailName.STRIPE:
        raise Conflict("On chain a vault's money leaves by the vault alone.", "NOT_BY_CARD")
    escrows.check_holds(file.escrow, {Hold.PAYOUT_FAILED})


# --- who says so


def voters(file: EscrowFile, now: dt.datetime) -> set[str]:
    """Everybody whose word stands."""
    return {person["id"] for row in _open(file, now) for person in row.people}


def _open(file: EscrowFile, now: dt.datetime) -> list[ManualPayment]:
    waiting = (row for row in file.manual_payments if row.status is ManualPaymentStatus.OPEN)
    return [row for row in waiting if now < row.expires_at]


def vote(file: EscrowFile, payment: Payment, *, actor: Actor, reason: str, now: dt.datetime) -> ManualPayment:
    """One person says that it was paid; the row in which he does, others' of the same payment or a new one. Raises
    Conflict ALREADY_VOTED where he has said it."""
    row = next((one for one in _open(file, now) if Payment.of(one) == payment), None)
    if row is None:
        row = _begin(file.escrow.id, payment, now)
        file.manual_payments.append(row)
    elif any(person["id"] == actor.id for person in row.people):
        raise Conflict("Your word stands.", "ALREADY_VOTED", until=clock.iso(row.expires_at))
    row.people = [*row.people, {"id": actor.id, "reason": reason, "at": clock.iso(now)}]
    return row


def _begin(escrow_id: str, payment: Payment, now: dt.datetime) -> ManualPayment:
    return ManualPayment(
        escrow_id=escrow_id,
        id=ids.new("mpy"),
        settlement_id=payment.settlement_id,
        leg=payment.leg,
        pays=payment.pays,
        amount=payment.amount,
        payment_id=payment.payment_id,
        expires_at=now + dt.timedelta(seconds=config.settings().vote_seconds),
        created_at=now,
    )


def is_whole(file: EscrowFile, row: ManualPayment, eligible: Collection[str]) -> bool:
    """Whether as many have said it as are needed, of those who may still."""
    return compliance.votes(row, eligible) >= compliance.needed(file.escrow)


# --- what follows


def record(file: EscrowFile, row: ManualPayment, leg: Leg | None, now: dt.datetime) -> list[Entity]:
    """It is paid: of a refused leg the settlement goes on with what is left of it. Returns the rows this changed beside
    `row` and the escrow."""
    row.status, row.recorded_at = ManualPaymentStatus.RECORDED, now
    changed = set_aside.pay(file, row, now) if leg is None else _pay(file, row, leg, now)
    return [*changed, *drop_void(file)]


def _pay(file: EscrowFile, row: ManualPayment, leg: Leg, now: dt.datetime) -> list[Entity]:
    settlement = file.settlement(leg.settlement_id)
    lines = settlements.confirm(file, leg, f"{MANUAL}{row.payment_id}", now, action=ACTION, role=Role.PADMIN)
    SETTLEMENT.apply(ACTION, settlement, Role.PADMIN)
    resuming.next_run(settlement, now)
    if settlement.kind not in settlements.APART:
        file.escrow.holds = frozenset(file.escrow.holds - {Hold.PAYOUT_FAILED})
    return [settlement, leg, *lines]


def drop_void(file: EscrowFile) -> list[ManualPayment]:
    """What was said of legs that wait for nobody any more, or of more than is set aside, counts for nothing that comes
    later. Returns what it dropped."""
    waiting, there = {(leg.settlement_id, leg.n) for leg in refused(file)}, set_aside.amount(file.escrow)
    void = [
        row
        for row in file.manual_payments
        if row.status is ManualPaymentStatus.OPEN
        and (row.amount > there if row.pays else (row.settlement_id, row.leg) not in waiting)
    ]
    for row in void:
        row.status = ManualPaymentStatus.DROPPED
    return void
