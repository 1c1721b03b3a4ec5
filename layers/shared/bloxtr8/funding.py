"""Funding of an escrow: the place to pay is opened and closed, what came is held or goes back (states.md, Funding).

Only the machine's own tasks take an escrow out of AWAIT_FUNDS; what came is recorded by `depositing`.
"""

import datetime as dt
import hashlib

from ulid import ULID

from bloxtr8 import clock, depositing, lookups, rails, reads, returning, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import read_together
from bloxtr8.domain import escrows, extensions, milestones, wallet_risk, watches
from bloxtr8.domain.deals import Around, fall_through
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.wallet_risk import Verdict
from bloxtr8.entities import (
    Entity,
    Escrow,
    EscrowStatus,
    MilestoneStatus,
    Operation,
    StablecoinEscrow,
    StripeEscrow,
    User,
)
from bloxtr8.rails.base import FundingStatus, Look

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
    opened = rails.get(str(file.escrow.rail)).open(depositing.order(file))
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
        seen = rails.get(str(file.escrow.rail)).close(depositing.order(file))
        file = depositing.record(file, seen, actor)
        by_card = isinstance(file.rail, StripeEscrow)  # nobody can close an address: poll_chain goes on looking at it
        if by_card and seen.status not in {FundingStatus.CANCELED, FundingStatus.PAID}:
            return False
    file.escrow.funding_closed = True
    escrows.plan_look(file.escrow, clock.now())
    table.commit(file.escrow, action="close_funding", actor=actor)
    return True


def intend(file: EscrowFile, name: str) -> None:
    """Store that a call is about to be made (law 6); the row is there already where the call is repeated."""
    payment = depositing.order(file)
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
    if not extensions.has_time(file, now):
        _cancel(file, "cancel_unfunded", "TERM_TOO_NEAR", "paid too late", actor, closed=False)
        return False
    escrows.hold_funds(escrow, now)
    over = returning.set_free(file, escrow.held - escrow.gross, "paid too much", actor)
    rows = [*milestones.hold_funds(file), *over]
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
    file, seen = depositing.look(escrow_id, actor)
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
    rows = returning.set_free(file, escrow.held, memo, actor)
    return [*around.saves, *rows, *milestones.end(file, MilestoneStatus.CANCELLED, clock.now())], around.freed()


def accepted_at(escrow: Escrow) -> dt.datetime:
    """When the offer was accepted: the day its volume counts on. The escrow shares the ULID that the contract was
    given then."""
    return ULID.from_str(escrow.ulid).datetime
