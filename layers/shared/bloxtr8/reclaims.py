"""The vault's term: after it anyone may send the rest back to the buyer, and it is postponed once where the money is
still held a month before it (rail-usdc.md, The contracts; states.md, section 4)."""

import datetime as dt
from typing import cast

from bloxtr8 import clock, depositing, funding, lookups, money, rails, reads, returning, settling, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import read_together
from bloxtr8.domain import bundles, disputes, escrows, ledger, milestones, plans, settlements
from bloxtr8.domain.deals import finish
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW, SETTLEMENT
from bloxtr8.entities import (
    Account,
    Deposit,
    Entity,
    EscrowStatus,
    Hold,
    Leg,
    Settlement,
    SettlementKind,
    SettlementStatus,
    Side,
    StablecoinEscrow,
)
from bloxtr8.logs import logger
from bloxtr8.rails.base import RailBug, RailOutcomeUnknown, Reclaims, ReclaimSeen

RECLAIMED = "RECLAIMED"
LOOKS = 5  # before a reclaim is booked
_WAITING = {SettlementStatus.OPEN, SettlementStatus.PARKED}


def record(escrow_id: str, seen: ReclaimSeen, actor: Actor) -> None:
    """record_reclaim: `Reclaimed` was seen, final.

    What was paid out before it is booked first. Safe to repeat: `seen.ref` counts once (I5). Raises what the rail
    raises, and RailBug where more is missing than that.
    """
    file = reads.escrow(escrow_id)
    mark = lookups.of(file, seen.ref)
    if not lookups.missing([mark]):
        return
    _book_first(file, actor)
    file = reads.escrow(escrow_id)
    was_held = file.escrow.held  # nothing of it: it is paid, and what was taken is surplus, which ends nothing
    lines = _book(file, seen)
    ended = _end(file) if file.escrow.status in escrows.MONEY_HELD and was_held else None
    dropped = _drop(file)
    back = returning.give_back(file, None, plans.unreturned(file), "LATE_MONEY", actor)
    rows, freed = ended or ([], [])
    details = {"units": seen.units}
    rows += bundles.close(file)
    logger.error("a vault was reclaimed", extra={"escrowId": escrow_id, "units": seen.units})
    table.commit(
        file.escrow, mark, *lines, *dropped, *rows, *back, deletes=freed, action="record_reclaim", actor=actor,
        details=details,
    )  # fmt: skip


def note(escrow_id: str, found: Reclaims, actor: Actor) -> None:
    """How far the chain was searched for them, where the way was long and all of it is booked."""
    file = reads.escrow(escrow_id)
    if isinstance(file.rail, StablecoinEscrow) and found.keep and found.cursor is not None:
        file.rail.reclaims_cursor = dict(found.cursor)
        table.commit(file.escrow, file.rail, action="note_search", actor=actor)


def _book_first(file: EscrowFile, actor: Actor) -> None:
    """Deposits and calls that were final before: what the vault held then is what the books say. RailOutcomeUnknown
    while there are more deposits than a few looks find: the next run goes on."""
    for _ in range(LOOKS):
        _, seen = depositing.look(file.escrow.id, actor)
        if seen.complete:
            break
    else:
        raise RailOutcomeUnknown(f"{file.escrow.id}: not all that came is known yet")
    waiting = [row for row in file.settlements if row.status in _WAITING]  # a parked one's call may be mined as well
    for settlement in waiting:
        for leg in file.legs_of(settlement.id):
            _look_up(leg, settlement, actor)
        if settlement.kind is SettlementKind.MILESTONE:  # paid before, so it is released whatever ends the escrow
            _finish_paid(file.escrow.id, settlement.id, actor)


def _look_up(leg: Leg, settlement: Settlement, actor: Actor) -> None:
    """What became of it. Where what parked it keeps the look-up from an answer, what was taken back tells: `_book`."""
    try:
        settling.confirm_leg(leg.escrow_id, settlement.id, actor, n=leg.n)
    except RailBug:
        if settlement.status is not SettlementStatus.PARKED:
            raise


def _finish_paid(escrow_id: str, settlement_id: str, actor: Actor) -> None:
    file = reads.escrow(escrow_id)
    settlement = file.settlement(settlement_id)
    if settlement.status not in _WAITING or settlements.next_leg(file, settlement) is not None:
        return
    if settlement.status is SettlementStatus.PARKED:  # what it was parked for did not keep it from being paid
        SETTLEMENT.apply("lift_hold", settlement, Role.SYSTEM)
        file.escrow.holds, settlement.error = frozenset(file.escrow.holds - {Hold.PAYOUT_FAILED}), None
        table.commit(file.escrow, settlement, action="lift_hold", actor=actor)
    settling.finish_part(file, settlement, actor)


def _book(file: EscrowFile, seen: ReclaimSeen) -> list[Entity]:
    """HELD→BUYER and SURPLUS→BUYER. What came after the reclaim is still there: as surplus, or, where the escrow still
    waits for money, as held. RailOutcomeUnknown where more was taken than is known: it is never booked short."""
    escrow, cents = file.escrow, money.cents_of(seen.units)
    if cents < escrow.held and escrow.status not in escrows.WAITS_FOR_MONEY:
        raise RailBug(f"the vault of {escrow.id} held less than its books say")
    held = min(escrow.held, cents)
    surplus = min(escrow.surplus, cents - held)
    if cents > held + surplus:
        logger.error(
            "more was reclaimed than is known", extra={"escrowId": escrow.id, "ref": seen.ref, "units": seen.units}
        )
        raise RailOutcomeUnknown(f"{escrow.id}: more was reclaimed than is known")
    memo = "taken back after the term"
    entries = [
        Entry(Account.HELD, Account.BUYER, held, memo, "held"),
        Entry(Account.SURPLUS, Account.BUYER, surplus, memo, "surplus"),
    ]
    lines = ledger.book(escrow, entries, now=clock.now(), external_id=seen.ref)
    aside = sum(row.amount for row in file.deposits if row.quarantined and _place(row) > _place(seen))
    escrow.quarantined = min(escrow.quarantined, escrow.surplus, aside)
    return [*lines]


def _place(seen: Deposit | ReclaimSeen) -> tuple[dt.datetime, int]:
    """Where on the chain it happened: the time of its block, and its place among the block's logs."""
    return seen.at, int(seen.ref.rpartition(":")[2])


def _end(file: EscrowFile) -> tuple[list[Entity], list[Entity]]:
    """The escrow held money and does no longer: REFUNDED, or SPLIT where the seller has his part and the buyer has
    taken what was his. Returns the rows to save, and those to delete."""
    escrow, now = file.escrow, clock.now()
    around = reads.around(escrow)
    split = _half_paid(file)
    becomes = EscrowStatus.SPLIT if split else EscrowStatus.REFUNDED
    sold = split is not None and disputes.sold(file, split)
    closed = disputes.close_by_reclaim(file, now)
    with read_together("record_reclaim"):
        ESCROW.apply("record_reclaim", escrow, Role.SYSTEM, becomes=becomes)
        finish(around, becomes, sold=sold, disputed=file.was_disputed)
    escrow.seller_share += split.seller_share if split else 0
    escrow.reason, escrow.ended_at, escrow.settlement_id = RECLAIMED, now, None
    escrow.frozen_causes, escrow.frozen_at = frozenset(), None
    escrows.plan_look(escrow, now)
    parts = milestones.ENDED_BY[SettlementKind.SPLIT if split else SettlementKind.REFUND]
    return [around.listing, around.buyer, around.seller, *closed, *milestones.end(file, parts, now)], around.freed()


def _half_paid(file: EscrowFile) -> Settlement | None:
    """What paid the seller his part, and could not pay the buyer his."""
    rows = (row for row in file.settlements if row.id == file.escrow.settlement_id)
    return next((row for row in rows if Side.SELLER in plans.paid_sides(file, row)), None)


def _drop(file: EscrowFile) -> list[Settlement]:
    """What was to be paid out of the money that is gone; a settlement whose calls are all confirmed goes on to its
    end."""
    unpaid = [row for row in file.settlements if row.status in _WAITING and settlements.next_leg(file, row) is not None]
    for settlement in unpaid:
        settlements.drop(settlement, "record_reclaim", Role.SYSTEM, clock.now())
    return unpaid


def postpone(file: EscrowFile, actor: Actor) -> bool:
    """postpone_term: what holds the money may outlast the vault's term, which is moved by 90 days, once. The intent is
    stored first; False while it is not final. Raises what the rail raises: the next look tries again."""
    escrow, rail = file.escrow, file.rail
    if not isinstance(rail, StablecoinEscrow):
        return False
    ESCROW.check("postpone_term", escrow, Role.SYSTEM)
    funding.intend(file, "postpone")
    if not rails.chain().postpone(depositing.order(file)):
        return False
    file = reads.escrow(escrow.id)  # the call has taken a nonce, on the escrow's own audit chain
    escrow, rail = file.escrow, cast(StablecoinEscrow, file.rail)
    rail.postponed, escrow.postpone_at = True, None
    escrows.plan_look(escrow, clock.now())
    table.commit(escrow, rail, action="postpone_term", actor=actor)
    return True
