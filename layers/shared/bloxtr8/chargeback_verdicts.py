"""What the bank decides about a chargeback: win_chargeback, lose_chargeback (states.md, section 4; M48).

The provider is asked for the dispute, so that events may come late, twice, in any order or never: each look writes down
what is true now, and an open chargeback is looked at once a day.
"""

from collections.abc import Iterator

from bloxtr8 import chargebacks, clock, depositing, lookups, ownership, rails, reads, sagas, settling, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import read_together
from bloxtr8.domain import chargebacks as rules
from bloxtr8.domain import escrows, kyc, losses, settlements
from bloxtr8.domain.deals import finish
from bloxtr8.domain.dossier import Owner
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import (
    Chargeback,
    ChargebackStatus,
    Deals,
    Entity,
    EscrowStatus,
    LedgerLine,
    Settlement,
    Snapshot,
)
from bloxtr8.errors import NotFound
from bloxtr8.logs import logger
from bloxtr8.rails.base import ChargebackSeen, Claim, RailOutcomeUnknown, RailThrottled


def due() -> Iterator[list[Chargeback]]:
    """Open chargebacks whose day has come, and decided ones that wait for Roblox's word, oldest first."""
    return table.all_due(Chargeback, "DUE#CHARGEBACK")


def look(escrow_id: str, chargeback_id: str, actor: Actor) -> None:
    """The look at one whose time has come; what the provider can't say now is asked again, later each time: left
    due, it would be first in every run and keep all behind it from their look."""
    if _due(escrow_id, chargeback_id) is None:
        return
    try:
        follow(chargeback_id, actor)
    except (RailThrottled, RailOutcomeUnknown):
        found = _due(escrow_id, chargeback_id)
        if found is not None:
            _wait(*found, [], actor)


def _due(escrow_id: str, chargeback_id: str) -> tuple[EscrowFile, Chargeback] | None:
    """It as it is now, where its time has come."""
    file = reads.escrow(escrow_id)
    row = rules.find(file, chargeback_id)
    return None if row is None or row.next_look is None or row.next_look > clock.now() else (file, row)


def follow(chargeback_id: str, actor: Actor) -> None:
    """charge.dispute.*: ask the provider, and write down what is true now. Another product's payment is nobody's."""
    seen = rails.cards().chargeback(chargeback_id)
    escrow_id = lookups.escrow_of(seen.payment_ids)
    file = _file(escrow_id)
    if file is None or file.rail.external_id not in seen.payment_ids:
        return
    if rules.find(file, chargeback_id) is None:
        if not file.escrow.deposited:  # told before the payment itself: it is money of ours first
            depositing.look(file.escrow.id, actor)
            file = reads.escrow(file.escrow.id)
        chargebacks.record(file, seen, actor)
        _react(file, settlements.live(file), actor)
        file = reads.escrow(file.escrow.id)
    row = rules.find(file, chargeback_id)
    if row is not None:
        _write(file, row, seen, actor)


def _file(escrow_id: str | None) -> EscrowFile | None:
    try:
        return reads.escrow(escrow_id or "")
    except NotFound:
        return None


def _write(file: EscrowFile, row: Chargeback, seen: ChargebackSeen, actor: Actor) -> None:
    if row.status is not ChargebackStatus.OPEN:
        _note_closed(file, row, seen, actor)
    elif seen.claim is Claim.WON:
        _win(file, row, seen, actor)
    elif seen.claim is Claim.LOST:
        _lose(file, row, seen, actor)
    else:
        _note_open(file, row, seen, actor)


def _note_open(file: EscrowFile, row: Chargeback, seen: ChargebackSeen, actor: Actor) -> None:
    """Nothing is decided: an inquiry became a chargeback, the fee was taken, or only a day has passed."""
    now, inquiry = clock.now(), seen.claim is Claim.INQUIRY
    changed = (row.amount, row.inquiry) != (seen.amount, inquiry)
    lines = _news(file, row, seen)
    if not changed and not lines and row.next_look is not None and row.next_look > now:
        return
    row.inquiry, row.next_look = inquiry, now + rules.LOOK
    action = "note_chargeback" if changed or lines else "look_again"
    table.commit(file.escrow, row, *lines, action=action, actor=actor, details=_about(row))


def _note_closed(file: EscrowFile, row: Chargeback, seen: ChargebackSeen, actor: Actor) -> None:
    """A part of the fee comes back weeks later. One that was won may be opened again, and one that was lost be won
    after all: the books follow, an end of the escrow stays an end, and people are told."""
    lines = rules.charge_fee(file, row, seen.fee, clock.now())
    about = {"escrowId": file.escrow.id, "chargeback": row.id}
    if row.status is ChargebackStatus.WON and seen.claim is not Claim.WON:
        logger.error("a chargeback that was won is open or lost again", extra=about)
        _reopen(file, row, seen, lines, actor)
        return
    if row.status is ChargebackStatus.LOST and seen.claim is Claim.WON:
        logger.error("a chargeback that was lost is won after all", extra=about)
        if seen.returned:
            _reinstate(file, row, seen, lines, actor)
            return
    if lines or row.next_look is not None:  # what was waited for is none any more
        row.next_look = row.unknown_since = None
        table.commit(file.escrow, row, *lines, action="note_chargeback", actor=actor, details=_about(row))


def _reinstate(file: EscrowFile, row: Chargeback, seen: ChargebackSeen, lines: list[LedgerLine], actor: Actor) -> None:
    """What the bank gave back has its place; where that goes by who has the asset, Roblox says so first, or has said
    nothing for too long, and people decide."""
    owner, proof = Owner.UNKNOWN, list[Snapshot]()
    if rules.goes_by_owner(file, row, seen.returned):
        owner, proof = ownership.look(file.escrow)
        if owner is Owner.UNKNOWN and not rules.unknown_too_long(row, clock.now()):
            _wait(file, row, lines, actor)
            return
    back = rules.reinstate(file, row, seen.returned, owner=owner, actor=actor, now=clock.now())
    rows: list[Entity] = [*lines, *back.rows, *proof]
    buyer = table.get(Deals, user_id=file.escrow.buyer_id)
    if kyc.allow_card(buyer, row.id):
        rows.append(buyer)
    table.commit(file.escrow, row, *rows, action="reinstate_chargeback", actor=actor, details=_about(row))
    _react(file, back.started, actor)


def _reopen(file: EscrowFile, row: Chargeback, seen: ChargebackSeen, lines: list[LedgerLine], actor: Actor) -> None:
    """All of it stops once more; lost already, that is written down at once."""
    file = chargebacks.reopen(file, row, seen, actor, lines)
    _react(file, settlements.live(file), actor)
    _write(file, next(one for one in file.chargebacks if one.id == row.id), seen, actor)


def _win(file: EscrowFile, row: Chargeback, seen: ChargebackSeen, actor: Actor) -> None:
    """Only this hold is lifted; what it stopped goes on, the funding or a settlement that was parked."""
    lines = _news(file, row, seen)
    resumed = rules.win(file, row, clock.now())
    table.commit(file.escrow, row, *lines, *resumed, action="win_chargeback", actor=actor, details=_about(row))
    _react(file, settlements.live(file), actor)


def _lose(file: EscrowFile, row: Chargeback, seen: ChargebackSeen, actor: Actor) -> None:
    """The bank keeps the money. Nothing is booked while a leg may have moved it, or a settlement has only to end; nor
    while the trade would end by it, and Roblox does not say whether the buyer has the asset."""
    if settling.ask_for_legs(file, actor):
        file = reads.escrow(file.escrow.id)
        row = next(one for one in file.chargebacks if one.id == row.id)
    lines = _news(file, row, seen)
    proof = None if losses.waits(file) else _look(file, row)
    if proof is None:
        _wait(file, row, lines, actor)
        return
    around = reads.around(file.escrow) if rules.ends_by(file, row) else None
    with read_together("lose_chargeback"):
        lost = rules.lose(file, row, actor=actor, now=clock.now())
        if around is not None:
            finish(around, EscrowStatus.REFUNDED, sold=False, disputed=file.was_disputed)
    buyer = around.buyer if around is not None else table.get(Deals, user_id=file.escrow.buyer_id)
    rows: list[Entity] = [*lines, *lost.rows, *proof, kyc.block_card(buyer, row.id)]
    if around is not None:
        rows += [around.listing, around.seller]
    freed = around.freed() if around is not None else []
    about = {"escrowId": file.escrow.id, "chargeback": row.id, "status": str(file.escrow.status)}
    logger.error("a chargeback was lost", extra=about)
    table.commit(file.escrow, row, *rows, deletes=freed, action="lose_chargeback", actor=actor, details=_about(row))
    _react(file, lost.started, actor)


def _look(file: EscrowFile, row: Chargeback) -> list[Snapshot] | None:
    """The look at the asset that losing it turns on, if any; None while Roblox does not say."""
    return ownership.before_end(file) if rules.turns_on_owner(file, row) else []


def _wait(file: EscrowFile, row: Chargeback, lines: list[LedgerLine], actor: Actor) -> None:
    """It can't be told or booked yet: looked at again, later each time."""
    row.next_look = clock.now() + escrows.repair_delay(row.looks)
    row.looks += 1
    action = "note_chargeback" if lines else "look_again"
    table.commit(file.escrow, row, *lines, action=action, actor=actor, details=_about(row))
    _react(file, settlements.live(file), actor)


def _news(file: EscrowFile, row: Chargeback, seen: ChargebackSeen) -> list[LedgerLine]:
    """The amount as the bank has it now, and the fee that is not booked yet."""
    chargebacks.check(file, seen)
    row.amount = seen.amount
    return rules.charge_fee(file, row, seen.fee, clock.now())


def _about(row: Chargeback) -> dict[str, object]:
    return {"chargeback": row.id, "amount": row.amount, "inquiry": row.inquiry}


def _react(file: EscrowFile, started: list[Settlement], actor: Actor) -> None:
    sagas.react(file.escrow, actor)
    for settlement in started:
        sagas.react(settlement, actor)
