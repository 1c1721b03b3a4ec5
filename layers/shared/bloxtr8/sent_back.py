"""Refunds that were confirmed and came back from the buyer's bank (states.md, section 10)."""

import datetime as dt

from bloxtr8 import clock, rails, reads, settling, table
from bloxtr8.actors import Actor
from bloxtr8.domain import chargebacks, ledger, owed, plans, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.domain.losses import Lost
from bloxtr8.entities import Account, Entity, LegStatus, Lookup, Side
from bloxtr8.logs import logger
from bloxtr8.rails import base

ACTION = "take_back_refund"


def take_back(escrow_id: str, settlement_id: str, n: int, actor: Actor) -> None:
    """A refund that was confirmed came back from the buyer's bank: it is ours again, and goes out once more (section
    10), except for what the bank itself has given him since; so much less is to be the seller's loss.

    A look-up row makes each refund come back once.
    """
    file = reads.escrow(escrow_id)
    leg = next((row for row in file.legs_of(settlement_id) if row.n == n), None)
    if leg is None or leg.status is not LegStatus.CONFIRMED or leg.pays is not Side.BUYER or leg.external_id is None:
        return
    if leg.by_hand:  # no bank of the provider's can send it back
        return
    outcome = rails.get(str(file.escrow.rail)).find(settling.order(file, leg))
    if outcome is None or outcome.status is not base.LegStatus.REJECTED:
        return
    mark = Lookup(index="BACK", value=leg.external_id, target=escrow_id)
    if table.find(Lookup, index=mark.index, value=mark.value) is not None:
        return
    now = clock.now()
    has = chargebacks.paid_before(file, leg.amount)
    entries = [
        Entry(Account.BUYER, Account.SURPLUS, leg.amount, "sent back by the buyer's bank"),
        Entry(Account.SURPLUS, Account.LOSS, has, owed.PAID_BEFORE, "lost"),
    ]
    lines = ledger.book(file.escrow, entries, now=now, leg_id=leg.id, external_id=leg.external_id)
    again = _again_to_buyer(file, leg.amount - has, now, actor) if has < leg.amount else []
    logger.error("a refund came back", extra={"escrowId": escrow_id, "legId": leg.id})
    found = Lost()
    chargebacks.make_good(file, found, lines, action=ACTION, actor=actor, now=now)
    table.commit(file.escrow, mark, *lines, *again, *found.rows, action=ACTION, actor=actor)


def _again_to_buyer(file: EscrowFile, amount: int, now: dt.datetime, actor: Actor) -> list[Entity]:
    """The refund once more, as a RETURN; a person sees to a card that takes it no more."""
    planned = plans.give_back(file, None, amount, actor=actor, reason="REFUND_FAILED", now=now)
    if sum(row.reason == "REFUND_FAILED" for row in file.settlements) >= settlements.MAX_ATTEMPTS:
        for leg in planned.legs:
            settlements.refuse(leg, "REFUND_FAILED")
        settlements.park(file, planned.settlement, "REFUND_FAILED", now, refused=False)
    return [*planned.rows]
