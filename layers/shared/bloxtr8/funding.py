"""What a look at the rail brings to an escrow: deposits are recorded once, wherever they were seen first.

Called by the tasks of fund_escrow, by process_webhook_event and by the jobs. It moves no escrow out of AWAIT_FUNDS:
only the
machine's own tasks do (states.md, Funding).
"""

import datetime as dt
import hashlib

from ulid import ULID

from bloxtr8 import clock, rails, reads, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import read_together
from bloxtr8.domain import escrows, ledger, settlements
from bloxtr8.domain.deals import fall_through
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import (
    Account,
    Deposit,
    Entity,
    Escrow,
    EscrowStatus,
    Freeze,
    Lookup,
    Operation,
    StripeEscrow,
    User,
)
from bloxtr8.rails.base import DepositSeen, Funding, FundingStatus, Look, RailBug

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
    _intend(file, "open")
    opened = rails.get(str(file.escrow.rail)).open(order(file))
    rail.external_id = opened.external_id
    if isinstance(rail, StripeEscrow):
        rail.customer_id = opened.customer_id
    file.rail.opened_at = clock.now()
    rows: list[Entity] = [file.rail, Lookup(index="PI", value=opened.external_id, target=file.escrow.id)]
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
        _intend(file, "cancel")
        seen = rails.get(str(file.escrow.rail)).close(order(file))
        file = record(file, seen, actor)
        if seen.status not in {FundingStatus.CANCELED, FundingStatus.PAID}:
            return False
    file.escrow.funding_closed = True
    escrows.plan_look(file.escrow, clock.now())
    table.commit(file.escrow, action="close_funding", actor=actor)
    return True


def _intend(file: EscrowFile, name: str) -> None:
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
    if escrow.deposited >= escrow.gross:
        return "PAID"
    if escrows.passed(escrow, escrow.fund_by, clock.now()) or seen.status is FundingStatus.CANCELED:
        return "DEADLINE"
    return None


def hold(escrow_id: str, actor: Actor) -> bool:
    """hold_funds: enough is there, so the escrow holds it; a surplus goes back (D30). False where it is not enough,
    or no longer waits."""
    file = reads.escrow(escrow_id)
    escrow, now = file.escrow, clock.now()
    if escrow.status is EscrowStatus.FUNDS_HELD:
        return True
    if escrow.status is not EscrowStatus.AWAIT_FUNDS or escrow.deposited < escrow.gross or escrow.holds:
        return False
    escrows.hold_funds(escrow, now)
    rows = _surplus(file, escrow.held - escrow.gross, "paid too much", actor)
    table.commit(escrow, *rows, action="hold_funds", actor=actor)
    return True


def cancel_unfunded(escrow_id: str, actor: Actor) -> str:
    """The deadline has passed and the rail has no money for it: CANCELLED, the listing is free again (M42).

    Returns CANCELLED, MONEY where the last look found enough, or WAIT where the deadline was moved.
    """
    file, seen = look(escrow_id, actor)
    escrow, now = file.escrow, clock.now()
    if escrow.status is not EscrowStatus.AWAIT_FUNDS:
        return "CANCELLED"
    if escrow.deposited >= escrow.gross:
        return "MONEY"
    if not escrows.passed(escrow, escrow.fund_by, now) and seen.status is not FundingStatus.CANCELED:
        return "WAIT"
    around = reads.around(escrow)
    escrows.cancel(escrow, "cancel_unfunded", Role.SYSTEM, "UNFUNDED", now)
    escrow.funding_closed = seen.status is FundingStatus.CANCELED
    escrows.plan_look(escrow, now)
    with read_together("cancel_unfunded"):
        fall_through(around, amount=escrow.amount, accepted_at=accepted_at(escrow), reason="UNFUNDED")
    rows = _surplus(file, escrow.held, "paid too little", actor)
    closed = settlements.cancel_deliveries(file)
    table.commit(escrow, *around.saves, *rows, *closed, deletes=around.freed(), action="cancel_unfunded", actor=actor)
    return "CANCELLED"


def accepted_at(escrow: Escrow) -> dt.datetime:
    """When the offer was accepted: the day its volume counts on. The escrow shares the ULID that the contract was
    given then."""
    return ULID.from_str(escrow.ulid).datetime


def _surplus(file: EscrowFile, amount: int, memo: str, actor: Actor) -> list[Entity]:
    """HELD→SURPLUS and the RETURN settlement that gives it back, in the commit of the move that frees it."""
    if amount <= 0:
        return []
    now = clock.now()
    lines = ledger.book(file.escrow, [Entry(Account.HELD, Account.SURPLUS, amount, memo)], now=now)
    planned = settlements.give_back(file, None, amount, actor=actor, reason=memo.upper().replace(" ", "_"), now=now)
    return [*lines, *planned.rows]


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
    fresh file."""
    known = {deposit.ref for deposit in file.deposits}
    for deposit in seen.deposits:
        if deposit.ref not in known:
            _record_deposit(file, deposit, actor)
            file = reads.escrow(file.escrow.id)
    if _note_progress(file, seen, actor):
        file = reads.escrow(file.escrow.id)
    return file


def _record_deposit(file: EscrowFile, seen: DepositSeen, actor: Actor) -> None:
    """record_deposit while the escrow waits for money, else return_late_money: the row's key makes each deposit
    count once (I5)."""
    escrow, now = file.escrow, clock.now()
    if seen.currency != escrow.currency:
        raise RailBug(f"{seen.ref} of {escrow.id} is in another currency")
    late = escrow.status is not EscrowStatus.AWAIT_FUNDS
    deposit = Deposit(
        escrow_id=escrow.id,
        ref=seen.ref,
        amount=seen.amount,
        currency=seen.currency,
        late=late,
        external_ids=list(seen.external_ids),
        at=seen.at,
    )
    memo = "paid after the end" if late else "paid by the buyer"
    entry = Entry(Account.BUYER, Account.SURPLUS if late else Account.HELD, seen.amount, memo)
    lines = ledger.book(escrow, [entry], now=now, deposit_ref=seen.ref, external_id=seen.ref)
    lookups = [
        Lookup(index=external[:2].upper(), value=external, target=escrow.id)
        for external in {seen.ref, *seen.external_ids}
    ]
    rows = [deposit, *lines, *_unknown(lookups)]
    if late:
        planned = settlements.give_back(file, deposit, seen.amount, actor=actor, reason="LATE_MONEY", now=now)
        table.commit(escrow, *rows, *planned.rows, action="return_late_money", actor=actor)
        return
    escrows.thaw(escrow, Freeze.PROCESSING, now)
    escrows.grant_time(escrow)
    if isinstance(file.rail, StripeEscrow):
        file.rail.charge_id = seen.ref
    escrows.plan_look(escrow, now)
    table.commit(escrow, file.rail, *rows, action="record_deposit", actor=actor)


def _unknown(lookups: list[Lookup]) -> list[Lookup]:
    """Those that are not there yet: a rail may have made some when the funding opened. Another escrow's money is not
    counted twice (I5): RailBug."""
    found = table.load(*(table.ref(Lookup, index=row.index, value=row.value) for row in lookups))
    for row, there in zip(lookups, found, strict=True):
        if there is not None and there.target != row.target:
            raise RailBug(f"{row.value} is of {there.target}, not of {row.target}")
    return [row for row, there in zip(lookups, found, strict=True) if there is None]


def _note_progress(file: EscrowFile, seen: Look, actor: Actor) -> bool:
    """A payment under way freezes the clock; a refused try leaves its code. Only while the escrow waits for money."""
    escrow, rail, now = file.escrow, file.rail, clock.now()
    if escrow.status is not EscrowStatus.AWAIT_FUNDS:
        return False
    processing = seen.status is FundingStatus.PROCESSING
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
