"""A payment that is charged back is stopped: record_chargeback (states.md, section 4; rail-stripe.md, Webhooks).

Called where an event tells of it, and where a leg that was to be sent finds it (`charge_disputed`): either is enough.
What is decided about it is chargeback_verdicts'.
"""

from collections.abc import Iterable

from bloxtr8 import clock, rails, reads, table
from bloxtr8.actors import Actor
from bloxtr8.domain import chargebacks
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Chargeback, ChargebackStatus, LedgerLine
from bloxtr8.logs import logger
from bloxtr8.rails.base import ChargebackSeen, Claim, RailBug


def record(file: EscrowFile, seen: ChargebackSeen, actor: Actor) -> None:
    """record_chargeback, of one that is not known yet: what is being paid out finds the hold at its next step."""
    check(file, seen)
    now = clock.now()
    row = chargebacks.record(
        file,
        seen.external_id,
        charge_id=seen.charge_id,
        amount=seen.amount,
        inquiry=seen.claim is Claim.INQUIRY,
        reason=seen.reason,
        now=now,
    )
    if seen.claim is Claim.LOST:
        row.next_look = now
    lines = chargebacks.charge_fee(file, row, seen.fee, now)
    escrow = file.escrow
    details = {"chargeback": row.id, "amount": row.amount, "inquiry": row.inquiry}
    about = {"escrowId": escrow.id, "chargeback": row.id, "status": str(escrow.status)}
    logger.error("a payment is charged back", extra=about)
    table.commit(escrow, row, *lines, action="record_chargeback", actor=actor, details=details)


def reopen(
    file: EscrowFile, row: Chargeback, seen: ChargebackSeen, actor: Actor, lines: Iterable[LedgerLine] = ()
) -> EscrowFile:
    """reopen_chargeback: what was won is asked for again; the hold is back. Returns a fresh file."""
    now = clock.now()
    chargebacks.reopen(file, row, inquiry=seen.claim is Claim.INQUIRY, now=now)
    details = {"chargeback": row.id, "amount": row.amount, "inquiry": row.inquiry}
    table.commit(file.escrow, row, *lines, action="reopen_chargeback", actor=actor, details=details)
    return reads.escrow(file.escrow.id)


def check(file: EscrowFile, seen: ChargebackSeen) -> None:
    """Raises RailBug where the provider counts it in another currency."""
    if seen.currency != file.escrow.currency:
        raise RailBug(f"{seen.external_id} of {file.escrow.id} is in another currency")


def stand(file: EscrowFile, actor: Actor) -> bool:
    """Whether the provider has a chargeback of this payment that is not in the books yet; its hold is placed here,
    where its event was lost. Raises what the rail raises."""
    found = rails.cards().chargebacks(str(file.rail.external_id))
    unbooked = [one for one in found if one.claim is not Claim.WON and one.external_id not in chargebacks.booked(file)]
    for seen in unbooked:
        file = reads.escrow(file.escrow.id)
        row = chargebacks.find(file, seen.external_id)
        if row is None:
            record(file, seen, actor)
        elif row.status is ChargebackStatus.WON:
            reopen(file, row, seen, actor)
    return bool(unbooked)
