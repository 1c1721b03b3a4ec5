"""What a look at the rail brings to an escrow: deposits are recorded once, wherever they were seen first.

Called by the tasks of fund_escrow, by process_webhook_event and by the jobs. It moves no escrow out of AWAIT_FUNDS:
only the machine's own tasks do (states.md, Funding).
"""

from bloxtr8 import clock, lookups, rails, reads, screenings, table
from bloxtr8.actors import Actor
from bloxtr8.domain import bundles, escrows, ledger, quarantine
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import (
    Account,
    Currency,
    Deposit,
    Entity,
    EscrowStatus,
    Freeze,
    StablecoinEscrow,
    StripeEscrow,
)
from bloxtr8.errors import StaleWrite
from bloxtr8.logs import logger
from bloxtr8.rails.base import Cursor, DepositSeen, Funding, FundingStatus, Look, RailBug
from bloxtr8.returning import give_back


def order(file: EscrowFile) -> Funding:
    """The escrow's payment, as the rail takes it."""
    escrow, rail = file.escrow, file.rail
    return Funding(
        escrow_id=escrow.id,
        buyer_id=escrow.buyer_id,
        amount=escrow.gross,
        currency=str(escrow.currency),
        external_id=rail.external_id,
        customer_id=rail.customer_id if isinstance(rail, StripeEscrow) else None,
        terms=rail.terms if isinstance(rail, StablecoinEscrow) else None,
        missing=max(escrow.gross - escrow.held, 0),
        known_units=rail.units if isinstance(rail, StablecoinEscrow) else 0,
        cursor=rail.cursor if isinstance(rail, StablecoinEscrow) else None,
        reclaims_cursor=rail.reclaims_cursor if isinstance(rail, StablecoinEscrow) else None,
    )


def look(escrow_id: str, actor: Actor) -> tuple[EscrowFile, Look]:
    """Ask the rail for the truth and record it. Returns the file as it then is, and what the rail said.

    Raises what the rail raises: an unknown answer changes nothing.
    """
    file = reads.escrow(escrow_id)
    if file.rail.external_id is None:
        return file, Look(status=FundingStatus.UNPAID)
    seen = rails.get(str(file.escrow.rail)).look(order(file))
    return record(file, seen, actor), seen


def record(file: EscrowFile, seen: Look, actor: Actor) -> EscrowFile:
    """Write down what the rail said: new deposits, a payment under way, a refused try. Safe to repeat; returns a
    fresh file. Raises StaleWrite where the chain was searched from elsewhere meanwhile: look again."""
    known = {deposit.ref for deposit in file.deposits}
    cursor = order(file).cursor
    waiting = [deposit for deposit in seen.deposits if deposit.ref not in known or deposit.cursor is not None]
    while waiting:
        _check_unmoved(file, cursor)
        few = bundles.first(file, waiting)
        if few:
            _record_bundle(file, few, actor)
        else:
            few = waiting[:1]
            _record_deposit(file, few[0], actor)
        waiting = waiting[len(few) :]
        file, cursor = reads.escrow(file.escrow.id), few[-1].cursor
    _check_unmoved(file, cursor)
    if _note_progress(file, seen, actor) or _note_search(file, seen, actor):
        file = reads.escrow(file.escrow.id)
    return file


def _check_unmoved(file: EscrowFile, cursor: Cursor | None) -> None:
    """What is written next counts on from here: of two that look at once one is first, and the other looks again."""
    if isinstance(file.rail, StablecoinEscrow) and file.rail.cursor != cursor:
        raise StaleWrite("search")


def _record_deposit(file: EscrowFile, seen: DepositSeen, actor: Actor) -> None:
    """record_deposit while the escrow waits for money, else return_late_money; quarantine_deposit of a doubtful
    stranger's small one. The row's key makes each deposit count once (I5)."""
    escrow, rail, now = file.escrow, file.rail, clock.now()
    late = escrow.status is not EscrowStatus.AWAIT_FUNDS
    small = screenings.of_small(file, seen, now)
    aside = quarantine.is_doubtful(small)
    action = "quarantine_deposit" if aside else "return_late_money" if late else "record_deposit"
    ESCROW.check(action, escrow, Role.SYSTEM)
    deposit = Deposit(
        escrow_id=escrow.id,
        ref=seen.ref,
        amount=_credit(file, seen),
        currency=escrow.currency,
        units=seen.units,
        sender=seen.sender,
        screening=small,
        late=late,
        quarantined=aside,
        external_ids=list(seen.external_ids),
        at=seen.at,
    )
    memo = quarantine.MEMO if aside else "paid after the end" if late else "paid by the buyer"
    entry = Entry(Account.BUYER, Account.SURPLUS if late or aside else Account.HELD, deposit.amount, memo)
    lines = ledger.book(escrow, [entry], now=now, deposit_ref=seen.ref, external_id=seen.ref)
    marks = lookups.missing(lookups.of(file, external) for external in {seen.ref, *seen.external_ids})
    rows = [deposit, *lines, *marks]
    if aside:
        escrow.quarantined += deposit.amount
        details = {"deposit": seen.ref, "screening": small}
        table.commit(escrow, rail, *rows, action=action, actor=actor, details=details)
        logger.warning("a deposit was set aside", extra={"escrowId": escrow.id, "deposit": seen.ref})
        return
    if late:
        counted = [rail] if isinstance(rail, StablecoinEscrow) else []
        back = give_back(file, deposit, seen.amount, "LATE_MONEY", actor)
        table.commit(escrow, *counted, *rows, *back, action=action, actor=actor)
        return
    escrows.thaw(escrow, Freeze.PROCESSING, now)
    escrows.grant_time(file)
    if isinstance(rail, StripeEscrow):
        rail.charge_id, escrow.paid_at = seen.ref, seen.at
    escrows.plan_look(escrow, now)
    table.commit(escrow, rail, *rows, action=action, actor=actor)


def _record_bundle(file: EscrowFile, few: list[DepositSeen], actor: Actor) -> None:
    """The same of small ones where there are many already: one commit, and a line for the buyer's own and for
    strangers'."""
    escrow, rail, now = file.escrow, file.rail, clock.now()
    late = escrow.status is not EscrowStatus.AWAIT_FUNDS
    rows: list[Entity] = [rail]
    for own in (True, False):
        part = [seen for seen in few if bundles.is_own(file, seen) is own]
        if part:
            row, lines = bundles.add(file, part, own=own, late=late, now=now)
            rows += [row, *lines, *lookups.missing([lookups.of(file, part[-1].ref)])]
    cents = sum(_credit(file, seen) for seen in few)
    owns = any(bundles.is_own(file, seen) for seen in few)
    action = "quarantine_deposit" if not owns else "return_late_money" if late else "record_deposit"
    ESCROW.check(action, escrow, Role.SYSTEM)
    if owns and late:
        rows += give_back(file, None, cents, "LATE_MONEY", actor)
    elif owns:
        escrows.thaw(escrow, Freeze.PROCESSING, now)
        escrows.plan_look(escrow, now)
    table.commit(escrow, *rows, action=action, actor=actor, details={"deposits": len(few), "cents": cents})


def _credit(file: EscrowFile, seen: DepositSeen) -> int:
    """The cents that a deposit adds. On chain its units are counted, dollars as well as USDC (D5, 1:1); the rail says
    which cents they make whole."""
    rail = file.rail
    by_card = not isinstance(rail, StablecoinEscrow)
    if seen.currency != file.escrow.currency and (by_card or seen.currency != Currency.USDC):
        raise RailBug(f"{seen.ref} of {file.escrow.id} is in another currency")
    if not isinstance(rail, StablecoinEscrow):
        return seen.amount
    if seen.cursor is None:
        raise RailBug(f"{seen.ref} of {file.escrow.id} comes from no search")
    _count(rail, seen.cursor)
    return seen.amount


def _count(rail: StablecoinEscrow, cursor: Cursor) -> None:
    """Searched up to there, with all that had arrived by then: in one commit, so that every unit counts once."""
    rail.cursor, rail.units = dict(cursor), cursor["arrived"]


def _note_search(file: EscrowFile, seen: Look, actor: Actor) -> bool:
    """How far the chain was searched, where the way was long: a look is bounded, and the next one goes on from
    there."""
    rail = file.rail
    if not isinstance(rail, StablecoinEscrow) or seen.cursor is None or not seen.keep or rail.cursor == seen.cursor:
        return False
    _count(rail, seen.cursor)
    table.commit(file.escrow, rail, action="note_search", actor=actor)
    return True


def _note_progress(file: EscrowFile, seen: Look, actor: Actor) -> bool:
    """A payment under way freezes the clock; a refused try leaves its code. Only while the escrow waits for money."""
    escrow, rail, now = file.escrow, file.rail, clock.now()
    if escrow.status is not EscrowStatus.AWAIT_FUNDS:
        return False
    processing = seen.status is FundingStatus.PROCESSING or seen.coming
    changed = processing != (Freeze.PROCESSING in escrow.frozen_causes) or seen.decline_code != rail.decline_code
    if not changed:
        return False
    if processing:
        escrows.freeze(escrow, Freeze.PROCESSING, now)
    else:
        escrows.thaw(escrow, Freeze.PROCESSING, now)
    rail.decline_code = seen.decline_code
    escrows.plan_look(escrow, now)
    table.commit(
        escrow,
        rail,
        action="note_payment",
        actor=actor,
        details={"processing": processing},  # the seller reads it too: why a card was refused is the buyer's alone
    )
    return True
