"""The steps of settle_escrow: each leg is committed as SENT, sent, looked up where the answer was lost, and booked
when confirmed.

A repeated step finds what the one before it did: the leg's row and the provider decide, never the input (states.md,
section 5).
"""

import datetime as dt
from typing import NamedTuple

from bloxtr8 import clock, rails, reads, table
from bloxtr8.actors import Actor
from bloxtr8.domain import escrows, ledger, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.entities import Account, Leg, LegStatus, Lookup, Settlement, SettlementKind, SettlementStatus, Side
from bloxtr8.logs import logger
from bloxtr8.rails import base
from bloxtr8.rails.base import LegKind, LegOrder, LegOutcome

NEXT, CONFIRM, WAIT, PARK, FINISH, DONE = "NEXT", "CONFIRM", "WAIT", "PARK", "FINISH", "DONE"
SELLER_RETRY = dt.timedelta(hours=1)


class Step(NamedTuple):
    """What the machine does after a task: its choice, and why where it parks."""

    next: str
    error: str = ""

    @property
    def answer(self) -> dict[str, str]:
        return {"next": self.next, "error": self.error}


def send_leg(escrow_id: str, settlement_id: str, actor: Actor) -> Step:
    """Send the first leg that is not confirmed. Raises RailThrottled and RailOutcomeUnknown: it may have been sent."""
    file, settlement = _read(escrow_id, settlement_id)
    if settlement.status is not SettlementStatus.OPEN:
        return Step(DONE)
    leg = settlements.next_leg(file, settlement)
    if leg is None:
        return Step(FINISH)
    if leg.status is not LegStatus.PLANNED:
        return Step(CONFIRM)
    if not settlements.may_send(file.escrow, settlement):
        return Step(PARK, "ON_HOLD")
    now = clock.now()
    if leg.next_look is not None and leg.next_look > now:
        return Step(WAIT)
    settlements.send(leg, settlement, now)
    table.commit(file.escrow, settlement, leg, action="send_leg", actor=actor)
    return _send(file, settlement, leg, actor)


def _send(file: EscrowFile, settlement: Settlement, leg: Leg, actor: Actor) -> Step:
    """The call itself, after its intent is stored. A definite refusal is written down; anything unknown is raised."""
    try:
        rails.get(str(file.escrow.rail)).send(_order(file, leg))
    except base.RailFundsPending as error:
        return _postpone(settlement.escrow_id, leg, "FUNDS_PENDING", error.available_at, actor)
    except base.SellerNotReady:
        return _postpone(settlement.escrow_id, leg, "SELLER_NOT_READY", clock.now() + SELLER_RETRY, actor)
    except (base.RailBug, base.RailFrozen, base.RailDeclined) as error:
        return _refuse(settlement.escrow_id, leg, type(error).__name__, actor)
    return Step(CONFIRM)


def confirm_leg(escrow_id: str, settlement_id: str, actor: Actor) -> Step:
    """Ask the provider what became of the leg that was sent, and write that down. Raises where it does not say."""
    file, settlement = _read(escrow_id, settlement_id)
    leg = settlements.next_leg(file, settlement)
    if leg is None or leg.status is LegStatus.PLANNED:
        return Step(NEXT)
    outcome = rails.get(str(file.escrow.rail)).find(_order(file, leg))
    if outcome is None:
        settlements.wait(leg, settlement, "NOT_FOUND", clock.now(), attempt=False)
        table.commit(file.escrow, settlement, leg, action="retry_leg", actor=actor)
        return Step(NEXT)
    return _write(file, settlement, leg, outcome, actor)


def _write(file: EscrowFile, settlement: Settlement, leg: Leg, outcome: LegOutcome, actor: Actor) -> Step:
    now = clock.now()
    if outcome.status is base.LegStatus.CONFIRMED:
        lines = settlements.confirm(file, leg, outcome.external_id, now)
        settlement.next_look = now + escrows.repair_delay(0)
        lookup = Lookup(index=outcome.external_id[:2].upper(), value=outcome.external_id, target=file.escrow.id)
        table.commit(file.escrow, settlement, leg, lookup, *lines, action="confirm_leg", actor=actor)
        return Step(NEXT)
    if outcome.status is base.LegStatus.SENT:
        leg.external_id = outcome.external_id
        settlement.looks += 1
        settlement.next_look = now + escrows.repair_delay(settlement.looks)
        table.commit(file.escrow, settlement, leg, action="await_leg", actor=actor)
        return Step(WAIT)
    again = settlements.reject(leg, settlement, outcome.reason or "REJECTED", now)
    table.commit(file.escrow, settlement, leg, action="reject_leg", actor=actor, details={"reason": outcome.reason})
    return Step(NEXT if again else PARK, "" if again else "REJECTED")


def finish_settlement(escrow_id: str, settlement_id: str, actor: Actor) -> None:
    """All legs are confirmed: the escrow reaches its end, with the listing, the deliveries and both parties'
    counters (D7)."""
    file, settlement = _read(escrow_id, settlement_id)
    if settlement.status is SettlementStatus.DONE:
        return
    escrow = file.escrow
    if settlement.kind is SettlementKind.RETURN:
        settlements.close(file, settlement, None, sold=False, now=clock.now())
        table.commit(escrow, settlement, action="finish_settlement", actor=actor)
        return
    around = reads.around(escrow)
    sold = settlement.to_seller > 0 and escrow.delivered_at is not None
    closed = settlements.close(file, settlement, around, sold=sold, now=clock.now())
    table.commit(
        escrow, settlement, *around.saves, *closed, deletes=around.freed(), action="finish_settlement", actor=actor,
        details={"outcome": str(escrow.status)},
    )  # fmt: skip


def park_settlement(escrow_id: str, settlement_id: str, error: str, actor: Actor) -> None:
    """It can't go on by itself: a visible, parked state that a person resumes; never silence (states.md, section 4)."""
    file, settlement = _read(escrow_id, settlement_id)
    if settlement.status is not SettlementStatus.OPEN:
        return
    settlements.park(file, settlement, error, refused=error != "ON_HOLD")
    table.commit(file.escrow, settlement, action="park_settlement", actor=actor, details={"error": error})


def wake(escrow_id: str, actor: Actor) -> list[Settlement]:
    """What the seller's legs waited for has come: their time is now. Returns the settlements to react to."""
    file = reads.escrow(escrow_id)
    now = clock.now()
    woken = []
    for settlement in settlements.live(file):
        waiting = [leg for leg in file.legs_of(settlement.id) if leg.status is LegStatus.PLANNED and leg.next_look]
        for leg in waiting:
            leg.next_look = settlement.next_look = now
        if waiting:
            table.commit(file.escrow, settlement, *waiting, action="wake_legs", actor=actor)
            woken.append(settlement)
    return woken


def take_back(escrow_id: str, settlement_id: str, n: int, actor: Actor) -> None:
    """A refund that was confirmed came back from the buyer's bank: it is ours again, and goes out once more (section
    10).

    A look-up row makes each refund come back once.
    """
    file, _ = _read(escrow_id, settlement_id)
    leg = next((row for row in file.legs_of(settlement_id) if row.n == n), None)
    if leg is None or leg.status is not LegStatus.CONFIRMED or leg.pays is not Side.BUYER or leg.external_id is None:
        return
    outcome = rails.get(str(file.escrow.rail)).find(_order(file, leg))
    if outcome is None or outcome.status is not base.LegStatus.REJECTED:
        return
    mark = Lookup(index="BACK", value=leg.external_id, target=escrow_id)
    if table.find(Lookup, index=mark.index, value=mark.value) is not None:
        return
    now = clock.now()
    entry = Entry(Account.BUYER, Account.SURPLUS, leg.amount, "sent back by the buyer's bank")
    lines = ledger.book(file.escrow, [entry], now=now, leg_id=leg.id, external_id=leg.external_id)
    planned = settlements.give_back(file, None, leg.amount, actor=actor, reason="REFUND_FAILED", now=now)
    table.commit(file.escrow, mark, *lines, *planned.rows, action="take_back_refund", actor=actor)
    logger.error("a refund came back", extra={"escrowId": escrow_id, "legId": leg.id})


def _read(escrow_id: str, settlement_id: str) -> tuple[EscrowFile, Settlement]:
    file = reads.escrow(escrow_id)
    return file, file.settlement(settlement_id)


def _again(escrow_id: str, leg: Leg) -> tuple[EscrowFile, Settlement, Leg]:
    """The same leg, read after the call: its row moved on when it was committed as SENT."""
    file, settlement = _read(escrow_id, leg.settlement_id)
    return file, settlement, next(row for row in file.legs_of(leg.settlement_id) if row.n == leg.n)


def _postpone(escrow_id: str, sent: Leg, error: str, until: dt.datetime, actor: Actor) -> Step:
    file, settlement, leg = _again(escrow_id, sent)
    settlements.wait(leg, settlement, error, until, attempt=True)
    table.commit(file.escrow, settlement, leg, action="postpone_leg", actor=actor, details={"error": error})
    return Step(WAIT)


def _refuse(escrow_id: str, sent: Leg, error: str, actor: Actor) -> Step:
    file, settlement, leg = _again(escrow_id, sent)
    settlements.refuse(leg, error)
    table.commit(file.escrow, settlement, leg, action="reject_leg", actor=actor, details={"error": error})
    return Step(PARK, error)


def _order(file: EscrowFile, leg: Leg) -> LegOrder:
    """The leg as the rail takes it, from its frozen row alone."""
    if file.rail.payment_intent_id is None:
        raise base.RailBug("money is held, but its payment is not known")
    return LegOrder(
        escrow_id=leg.escrow_id,
        settlement_id=leg.settlement_id,
        leg=leg.n,
        attempt=leg.attempt,
        kind=LegKind.TRANSFER if leg.pays is Side.SELLER else LegKind.REFUND,
        amount=leg.amount,
        currency=str(leg.currency),
        funding_id=file.rail.payment_intent_id,
        destination=leg.destination,
    )
