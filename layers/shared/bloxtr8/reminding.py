"""send_reminders: deadlines that come within a day become one audited fact each, which the stream hands on as an event
of ids (D24); who sends messages listens there.

A row's `next_look` is never later than its deadline, so the shelves of what is due, read a day ahead, hold all of them.
What one party asks of the other within a trade, a settlement or a response to a dispute, has shelves by its day.
"""

import datetime as dt
import functools
from collections.abc import Iterator

from bloxtr8 import clock, places, reads, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import each
from bloxtr8.domain import offers, reminders
from bloxtr8.domain.offers import Bargain
from bloxtr8.entities import Contract, Dispute, Entity, Escrow, Listing, Offer, SettlementProposal
from bloxtr8.entities.escrow import EscrowRow

PAGES, ROWS = 40, 500  # of each shelf: most of them wait for something sooner, and are only read


def remind(actor: Actor) -> None:
    """One run. Bounded, and safe twice at once: each is decided again under its version."""
    now = clock.now()
    for page in _coming(Escrow, "DUE#ESCROW"):
        each(_due(page, now), lambda row: _deal(table.get(Escrow, ulid=row.ulid), actor))
    for contracts in _coming(Contract, "DUE#CONTRACT"):
        each(_due(contracts, now), lambda row: _deal(table.get(Contract, ulid=row.ulid), actor))
    for found in _coming(Offer, "DUE#OFFER"):
        each(_due(found, now), lambda row: _offer(row.id, actor))
    for shelf in reminders.shelves(now):
        for rows in _coming(EscrowRow, shelf, index="gsi4"):
            each(_near(rows, now), lambda row: _answer(row.escrow_id, row.id, actor))


def _coming[R: Entity](kind: type[R], shelf: str, *, index: str = "gsi3") -> Iterator[list[R]]:
    """Pages of a shelf, as the index shows them. Most rows wait for something else, and stay."""
    until = clock.now() + reminders.ahead()
    near = functools.partial(table.due_pages, kind, shelf, pages=PAGES, limit=ROWS, up_to=until, index=index)
    return places.walk(shelf, near)


def _due[R: (Escrow, Contract, Offer)](rows: list[R], now: dt.datetime) -> list[R]:
    return [row for row in rows if reminders.due(row, now)]


def _near(rows: list[EscrowRow], now: dt.datetime) -> list[reminders.Asked]:
    asked = [row for row in rows if isinstance(row, SettlementProposal | Dispute)]
    return [row for row in asked if reminders.is_near(row, now)]


def _deal(row: Escrow | Contract, actor: Actor) -> None:
    action = reminders.due(row, clock.now())
    if action is not None:
        table.commit(row, action=action, actor=actor, details={"deadline": clock.iso(reminders.mark(row))})


def _offer(offer_id: str, actor: Actor) -> None:
    """An offer that died with its listing says PENDING until it is tidied: nobody is reminded of it."""
    rows, now = reads.chain(offer_id), clock.now()
    offer = offers.pick(rows, offer_id)
    bargain = Bargain(rows, offer, table.get(Listing, id=offer.listing_id))
    action = reminders.due(offer, now)
    if action is None or offers.tidy(bargain, now) is not None:
        return
    details = {"deadline": clock.iso(reminders.mark(offer))}
    table.commit(bargain.root, offer, action=action, actor=actor, details=details)


def _answer(escrow_id: str, row_id: str, actor: Actor) -> None:
    file = reads.escrow(escrow_id)
    rows: list[reminders.Asked] = [*file.proposals, *file.disputes]
    row = next(row for row in rows if row.id == row_id)
    found = reminders.answer(file, row, clock.now())
    if found is not None:
        table.commit(file.escrow, row, action=found.action, actor=actor, details=found.details)
