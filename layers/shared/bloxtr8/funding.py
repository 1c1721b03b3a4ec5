"""What a look at the rail brings to an escrow: deposits are recorded once, wherever they were seen first.

Called by the tasks of fund_escrow, by process_webhook_event and by the jobs. It moves no escrow out of AWAIT_FUNDS:
only the machine's own tasks do (states.md, Funding).
"""

import datetime as dt
import hashlib

from ulid import ULID

from bloxtr8 import clock, config, lookups, rails, reads, screenings, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import read_together
from bloxtr8.domain import chain_actions, escrows, ledger, plans, quarantine, settlements, vaults, wallet_risk, watches
from bloxtr8.domain.deals import Around, fall_through
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.domain.wallet_risk import Verdict
from bloxtr8.entities import (
    Account,
    Currency,
    Deposit,
    Entity,
    Escrow,
    EscrowStatus,
    Freeze,
    Operation,
    StablecoinEscrow,
    StripeEscrow,
    User,
)
from bloxtr8.errors import StaleWrite
from bloxtr8.logs import logger
from bloxtr8.rails.base import Cursor, DepositSeen, Funding, FundingStatus, Look, RailBug

OPEN_ATTEMPT = 1  # the PaymentIntent of an escrow is made once: a refused card is tried again on the same one


def open_rail(escrow_id: str, actor: Actor) -> EscrowFile:
    """open_funding: make the place where the buyer pays, once; its id is stored with its look-up. The intent is
    stored first."""
    file = reads.escrow(escrow_id)
    escrow = file.escrow
    in_time = not escrows.passed(escrow, escrow.fund_by, clock.now())  # else nobody may pay there any more
    if escrow.status is EscrowStatus.AWAIT_FUNDS and file.rail.external_id is None and in_time:
        _open(file, actor)
    return file


def _open(file: EscrowFile, actor: Actor) -> None:
    rail, buyer = file.rail, table.get(User, id=file.escrow.buyer_id)
    if isinstance(rail, StripeEscrow):
        rail.customer_id = buyer.customer_id
    intend(file, "open")
    opened = rails.get(str(file.escrow.rail)).open(order(file))
    rail.external_id, rail.opened_at = opened.external_id, clock.now()
    if isinstance(rail, StripeEscrow):
        rail.customer_id = opened.customer_id
    elif isinstance(rail, StablecoinEscrow):
        rail.next_look = rail.opened_at  # from here on poll_chain looks at the vault
        rail.cursor = dict(opened.cursor) if opened.cursor else None
    rows: list[Entity] = [rail, lookups.of_place(file, opened.external_id)]
    if opened.customer_id is not None and buyer.customer_id is None:
        buyer.customer_id = opened.customer_id
        rows.append(buyer)
    table.commit(file.escrow, *rows, action="open_funding", actor=actor)


def close_rail(escrow_id: str, actor: Actor) -> bool:
    """close_funding: make it unpayable after the escrow was cancelled. Money that came all the same is late money
    (M41).

    False while the provider cannot say for good: `next_look` asks again.
    """
    file = reads.escrow(escrow_id)
    if file.escrow.status is not EscrowStatus.CANCELLED or file.escrow.funding_closed:
        return True
    if file.rail.external_id is None and any(row.name == "open" for row in file.operations):
        _open(file, actor)  # it was opened, and cancelled before its id was stored: the same key finds it
    if file.rail.external_id is not None:
        intend(file, "cancel")
        seen = rails.get(str(file.escrow.rail)).close(order(file))
        file = record(file, seen, actor)
        by_card = isinstance(file.rail, StripeEscrow)  # nobody can close an address: poll_chain goes on looking at it
        if by_card and seen.status not in {FundingStatus.CANCELED, FundingStatus.PAID}:
            return False
    file.escrow.funding_closed = True
    escrows.plan_look(file.escrow, clock.now())
    table.commit(file.escrow, action="close_funding", actor=actor)
    return True


def intend(file: EscrowFile, name: str) -> None:
    """Store that a call is about to be made (law 6); the row is there already where the call is repeated."""
    payment = order(file)
    digest = hashlib.sha256(f"{payment.escrow_id} {payment.amount} {payment.currency}".encode()).hexdigest()
    owner = f"ESCROW#{file.escrow.ulid}"
    table.remember(
        Operation(owner=owner, name=name, attempt=OPEN_ATTEMPT, params_hash=digest, first_sent_at=clock.now())
    )


def store_token(escrow_id: str, token: str, actor: Actor) -> None:
    """Keep the waiting task's token, so that whoever learns of the payment can wake the machine.

    It is never shown, never logged.
    """
    file = reads.escrow(escrow_id)
    file.rail.task_token = token
    table.commit(file.escrow, file.rail, action="await_funding", actor=actor)


def state(file: EscrowFile, seen: Look) -> str | None:
    """What the funding machine should wake for: PAID, CANCELLED, DEADLINE, or None while it waits on."""
    escrow = file.escrow
    if escrow.status is not EscrowStatus.AWAIT_FUNDS:
        return "CANCELLED"
    if enough(escrow):
        return "PAID"
    if escrows.passed(escrow, escrow.fund_by, clock.now()) or seen.status is FundingStatus.CANCELED:
        return "DEADLINE"
    return None


def enough(escrow: Escrow) -> bool:
    """Whether the gross is there: held, not only once deposited, because a vault can be reclaimed after its term."""
    return bool(escrow.held >= escrow.gross)


def hold(escrow_id: str, actor: Actor) -> bool:
    """hold_funds: enough is there, so the escrow holds it; a surplus goes back (D30).

    False where it is not enough, where it no longer waits, where a sender is not known to be clean, or where the
    vault's term is too near for a delivery: that money goes back.
    """
    file = reads.escrow(escrow_id)
    escrow, now = file.escrow, clock.now()
    if escrow.status is EscrowStatus.FUNDS_HELD:
        return True
    if escrow.status is not EscrowStatus.AWAIT_FUNDS or not enough(escrow) or escrow.holds:
        return False
    if _doubts(file):
        return False  # recorded since the screening: the next run judges it first
    if isinstance(file.rail, StablecoinEscrow) and not vaults.leaves_time(file.rail.terms, escrow, now):
        _cancel(file, "cancel_unfunded", "TERM_TOO_NEAR", "paid too late", actor, closed=False)
        return False
    escrows.hold_funds(escrow, now)
    rows = set_free(file, escrow.held - escrow.gross, "paid too much", actor)
    table.commit(escrow, watches.begin(escrow, now), *rows, action="hold_funds", actor=actor)
    return True


def _doubts(file: EscrowFile) -> set[Verdict]:
    """What is not clean of the senders so far; by card nothing is, nor where the money is gone."""
    found = wallet_risk.of_senders(file, clock.now(), late=False) if file.escrow.held else {}
    return set(found) - {Verdict.CLEAN}


def cancel_unfunded(escrow_id: str, actor: Actor) -> str:
    """The deadline has passed and the rail has no money for it: CANCELLED, the listing is free again (M42).

    Returns CANCELLED, MONEY where the last look found enough, or a sender that is to be judged first, or WAIT where the
    deadline was moved.
    """
    file, seen = look(escrow_id, actor)
    escrow, now = file.escrow, clock.now()
    if escrow.status is not EscrowStatus.AWAIT_FUNDS:
        return "CANCELLED"
    if enough(escrow) or _doubts(file) - {Verdict.RETURN}:
        return "MONEY"
    if not escrows.passed(escrow, escrow.fund_by, now) and seen.status is not FundingStatus.CANCELED:
        return "WAIT"
    closed = seen.status is FundingStatus.CANCELED
    _cancel(file, "cancel_unfunded", "UNFUNDED", "paid too little", actor, closed=closed)
    return "CANCELLED"


def return_money(escrow_id: str, actor: Actor) -> bool:
    """return_money: the buyer's own wallet is HIGH (D15), so what it sent goes back and the escrow is CANCELLED.

    False where it no longer waits for money, or a person is to decide.
    """
    file = reads.escrow(escrow_id)
    if file.escrow.status is not EscrowStatus.AWAIT_FUNDS or file.escrow.holds:
        return False
    if _doubts(file) - {Verdict.RETURN}:
        return False
    _cancel(file, "return_money", "WALLET_RISK", "returned by risk", actor, closed=False)
    return True


def _cancel(file: EscrowFile, action: str, reason: str, memo: str, actor: Actor, *, closed: bool) -> None:
    rows, freed = cancel(file, reads.around(file.escrow), action, Role.SYSTEM, reason, memo, actor)
    file.escrow.funding_closed = closed
    escrows.plan_look(file.escrow, clock.now())
    table.commit(file.escrow, *rows, deletes=freed, action=action, actor=actor)


def cancel(
    file: EscrowFile, around: Around, action: str, role: Role, reason: str, memo: str, actor: Actor
) -> tuple[list[Entity], list[Entity]]:
    """The end of an escrow that never held its money (D8): all that came goes back, the listing is free again.
    Returns the rows to save with it, and those to delete."""
    escrow = file.escrow
    escrows.cancel(escrow, action, role, reason, clock.now())
    with read_together(action):
        fall_through(around, amount=escrow.amount, accepted_at=accepted_at(escrow), reason=reason)
    rows = set_free(file, escrow.held, memo, actor)
    return [*around.saves, *rows, *settlements.cancel_deliveries(file)], around.freed()


def accepted_at(escrow: Escrow) -> dt.datetime:
    """When the offer was accepted: the day its volume counts on. The escrow shares the ULID that the contract was
    given then."""
    return ULID.from_str(escrow.ulid).datetime


def set_free(file: EscrowFile, amount: int, memo: str, actor: Actor) -> list[Entity]:
    """HELD→SURPLUS and the RETURN settlement that gives it back, in the commit of the move that frees it; the escrow
    never held it, or too much."""
    if amount <= 0:
        return []
    now = clock.now()
    lines = ledger.book(file.escrow, [Entry(Account.HELD, Account.SURPLUS, amount, memo)], now=now)
    return [*lines, *give_back(file, None, amount, memo.upper().replace(" ", "_"), actor)]


def give_back(file: EscrowFile, deposit: Deposit | None, amount: int, reason: str, actor: Actor) -> list[Entity]:
    """The RETURN of surplus that was just booked. On chain it carries all the surplus there is, and little of it waits
    for more: a vault has 53 returns."""
    if isinstance(file.rail, StablecoinEscrow):
        deposit, amount = None, plans.unreturned(file)
        if amount < config.settings().return_minimum_cents:
            return []
        if plans.returns(file) >= chain_actions.RETURNS:
            logger.error("a vault has no return left", extra={"escrowId": file.escrow.id, "surplus": amount})
            return []
    planned = plans.give_back(file, deposit, amount, actor=actor, reason=reason, now=clock.now())
    return [*planned.rows]


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
    for deposit in seen.deposits:
        _check_unmoved(file, cursor)
        if deposit.ref in known and deposit.cursor is None:
            continue
        _record_deposit(file, deposit, actor)
        file, cursor = reads.escrow(file.escrow.id), deposit.cursor
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
        rail.charge_id = seen.ref
    escrows.plan_look(escrow, now)
    table.commit(escrow, rail, *rows, action=action, actor=actor)


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
