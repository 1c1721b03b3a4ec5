"""A deal in parts as its rules see it, made without a table, and what people do with it."""

import datetime as dt
from typing import Any

from bloxtr8.domain import deliveries, ledger, milestones, plans
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import DELIVERY
from bloxtr8.entities import (
    Delivery,
    Entity,
    EscrowStatus,
    Milestone,
    MilestoneStatus,
    RailName,
    Settlement,
    StablecoinEscrow,
)
from tests.unit.escrow_rows import BUYER, ID, START, finish, paid, pay_out

E, M = EscrowStatus, MilestoneStatus
VAULT = {"buyer": "0x" + "b0" * 20, "seller": "0x" + "5e" * 20}


def deal(parts: list[int], *, asset: int = -1, chain: bool = False, **fields: Any) -> EscrowFile:
    """An escrow in these parts that holds its money."""
    deadline = START + dt.timedelta(days=7)
    rail = RailName.USDC_BASE if chain else RailName.STRIPE
    file = paid(E.FUNDS_HELD, amount=sum(parts), parts=len(parts), rail=rail, deliver_by=deadline, **fields)
    if chain:
        file.rail = StablecoinEscrow(escrow_id=ID, terms=VAULT)
    at = asset % len(parts)
    file.milestones = [
        Milestone(
            escrow_id=ID, id=f"mst_{n}", n=n, title="x", amount=cents, transfers_asset=n == at, status=M.FUNDS_HELD
        )
        for n, cents in enumerate(parts)
    ]
    file.deliveries = [Delivery(escrow_id=ID, id=f"dlv_{n}", n=n, milestone_id=f"mst_{n}") for n in range(len(parts))]
    file.escrow.asset_in_turn = at == 0
    return file


def deliver(file: EscrowFile) -> None:
    """What has its turn is handed over."""
    DELIVERY.apply("start_delivery", file.delivery, Role.SELLER)
    deliveries.deliver(file, "mark_delivered", Role.SELLER, snapshot_id=None, now=START)


def confirm(file: EscrowFile) -> list[Entity]:
    return deliveries.accept(file, "confirm_delivery", Role.BUYER, by="BUYER", actor=BUYER, reason="test", now=START)


def release(file: EscrowFile, n: int) -> list[Entity]:
    return milestones.release_early(file, file.milestones[n], Role.BUYER, actor=BUYER, now=START)


def carry_out(file: EscrowFile) -> Settlement:
    """The settlement under way is paid and ends."""
    settlement = file.settlement(file.escrow.settlement_id)
    pay_out(file, plans.Planned(settlement, file.legs_of(settlement.id)))
    finish(file, settlement)
    assert ledger.balance(file.escrow, file.ledger).balanced
    return settlement
