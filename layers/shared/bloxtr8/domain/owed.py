"""What was taken from the seller for a loss that was made good since is his: a REPAYMENT pays it to him once more
(states.md, section 4, reinstate_chargeback).

It is a settlement apart, as a RETURN is, and the books alone say how much: what lines took from him and paid him again,
against the losses that stand.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from bloxtr8 import ids
from bloxtr8.actors import Actor
from bloxtr8.domain import settlements
from bloxtr8.domain.escrows import EscrowFile, repair_delay
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.plans import Planned
from bloxtr8.entities import (
    Account,
    Entity,
    LedgerLine,
    Leg,
    Settlement,
    SettlementKind,
    SettlementStatus,
    Side,
)

TAKEN = "taken back by the buyer's bank"
GIVEN_BACK = "given back by the buyer's bank"
PAID_BEFORE = "his bank has paid him already"
REASON = "LOSS_MADE_GOOD"

_WAITING = {SettlementStatus.OPEN, SettlementStatus.PARKED}


@dataclass(slots=True)
class Settled:
    """What was planned beyond what he is owed and is DROPPED, and the new plan, if there is one."""

    dropped: list[Settlement] = field(default_factory=list)
    planned: Planned | None = None

    @property
    def rows(self) -> list[Entity]:
        return [*self.dropped, *(self.planned.rows if self.planned else [])]


def balance(lines: Iterable[LedgerLine]) -> int:
    """What the seller is owed, in cents, and never more than was taken from him; below 0: of the losses that stand,
    what was not taken."""
    lines = list(lines)
    taken = _sum(line for line in lines if line.debit is Account.SELLER and line.credit is Account.LOSS)
    again = _sum(line for line in lines if line.debit is Account.LOSS and line.credit is Account.SELLER)
    return taken - again - max(0, standing(lines))


def standing(lines: Iterable[LedgerLine]) -> int:
    """What banks and refunds by hand took that was not there, and nobody has made good. A bank's fee is the platform's
    own loss, whoever wins."""
    lines = list(lines)
    lost = (line for line in lines if line.debit is Account.LOSS)
    made_good = (line for line in lines if line.credit is Account.LOSS)
    return _sum(one for one in lost if one.credit is Account.BUYER or one.memo == TAKEN) - _sum(
        one for one in made_good if one.memo in {GIVEN_BACK, PAID_BEFORE}
    )


def settle(file: EscrowFile, new: Iterable[LedgerLine], *, action: str, actor: Actor, now: dt.datetime) -> Settled:
    """Once `new` lines are booked: what he is owed is planned, and what was planned beyond it is DROPPED by `action`.
    Where it is less than before, call it only while none of it may have moved."""
    found, due = Settled(), max(0, balance([*file.ledger, *new]))
    waiting = [row for row in file.settlements if row.kind is SettlementKind.REPAYMENT and row.status in _WAITING]
    unpaid = {row.id: settlements.unpaid(file, row) for row in waiting}
    if sum(unpaid.values()) > due:
        found.dropped = [row for row in waiting if unpaid[row.id]]
        for row in found.dropped:
            settlements.drop(row, action, Role.SYSTEM, now)
        unpaid = {}
    if left := due - sum(unpaid.values()):
        found.planned = _plan(file, left, actor=actor, now=now)
    return found


def _plan(file: EscrowFile, amount: int, *, actor: Actor, now: dt.datetime) -> Planned:
    """To the payout account that is frozen since the terms were accepted."""
    escrow = file.escrow
    settlement = Settlement(
        escrow_id=escrow.id,
        id=ids.new("stl"),
        kind=SettlementKind.REPAYMENT,
        to_seller=amount,
        reason=REASON,
        actor=actor.id,
        next_look=now + repair_delay(0),
        created_at=now,
    )
    leg = Leg(
        escrow_id=escrow.id,
        settlement_id=settlement.id,
        n=1,
        pays=Side.SELLER,
        amount=amount,
        currency=escrow.currency,
        source_account=Account.LOSS,
        destination=escrow.payout_account_id,
    )
    file.settlements.append(settlement)
    file.legs.append(leg)
    return Planned(settlement, [leg])


def _sum(lines: Iterable[LedgerLine]) -> int:
    return sum(line.amount for line in lines)
