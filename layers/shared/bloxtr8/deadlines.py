"""What a due look at an escrow does: wake the funding machine, or ask Roblox and decide (D12, D13; states.md,
section 4).

An outage never decides: while the owner is unknown the clock is frozen. Each move is one commit that checks the
deadline again.
"""

import datetime as dt
from collections.abc import Iterator

from bloxtr8 import clock, config, depositing, funding, ownership, reads, reclaims, sagas, table
from bloxtr8.actors import Actor
from bloxtr8.domain import deliveries, disputes, escrows, plans
from bloxtr8.domain.dossier import Owner
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Escrow, EscrowStatus, Freeze, RailName, Settlement, Snapshot
from bloxtr8.logs import logger
from bloxtr8.rails.base import RailOutcomeUnknown, RailThrottled

TOO_LONG = "HELD_TOO_LONG"  # why it is disputed, or its dispute escalated


def due_escrows() -> Iterator[list[Escrow]]:
    """What is due now, oldest first; each is read again before anything is decided."""
    return table.all_due(Escrow, "DUE#ESCROW")


def asks_chain(escrow: Escrow) -> bool:
    """Whether the look at it is one at a vault, too."""
    return escrow.rail is RailName.USDC_BASE and sagas.waits_for_funding(escrow)


def due_settlements() -> Iterator[list[Settlement]]:
    """The same for settlements: a lost start, a slow leg, a leg that waits for its time."""
    return table.all_due(Settlement, "DUE#SETTLEMENT")


def settling_escrows_of(seller_id: str) -> list[Escrow]:
    """A seller's newest escrows of which something is settled: it may wait for his account. `next_look` finds any older
    one."""
    page = table.page(Escrow, "gsi2", f"USER#{seller_id}#ESCROW", limit=50)
    return [escrow for escrow in page.items if escrow.settlement_id is not None]


def look_at_settlement(escrow_id: str, settlement_id: str, actor: Actor) -> None:
    """Move its next look on, and start its next run where the last one ended: one audit entry, whichever it is."""
    file = reads.escrow(escrow_id)
    settlement = file.settlement(settlement_id)
    now = clock.now()
    if settlement.next_look is None or settlement.next_look > now:
        return
    settlement.looks += 1
    settlement.next_look = now + escrows.repair_delay(settlement.looks)
    if not sagas.react(settlement, actor):
        table.commit(file.escrow, settlement, action="look_again", actor=actor)


def look(escrow_id: str, actor: Actor) -> None:
    """Look at one escrow whose `next_look` has come, and do what is due. Always leaves a later `next_look`, or none."""
    file = reads.escrow(escrow_id)
    now = clock.now()
    if file.escrow.next_look is None or file.escrow.next_look > now:
        return
    _watch_hold(file.escrow, now)
    if sagas.waits_for_funding(file.escrow):
        _look_at_funding(file, now, actor)
    elif file.escrow.inspecting:
        _look_at_inspection(file, now, actor)
    elif file.escrow.status is EscrowStatus.FUNDS_HELD:
        _look_at_delivery(file, now, actor)
    else:
        _look_later(file, now, actor)
    if escrows.postpones(file.escrow, now):  # last: a term that can't be moved keeps nothing else waiting
        _postpone_term(file, actor)


def _postpone_term(file: EscrowFile, actor: Actor) -> None:
    """Money is held 30 days before the vault's term: nobody may take it meanwhile (rail-usdc.md)."""
    try:
        reclaims.postpone(file, actor)
    except (RailThrottled, RailOutcomeUnknown):
        return  # the next look tries again


def _watch_hold(escrow: Escrow, now: dt.datetime) -> None:
    """Money that is held too long alarms people: Stripe's own limits come near (rail-stripe.md, Holding)."""
    days = escrows.held_too_long(escrow, now)
    if days is not None:
        logger.error("money is held too long", extra={"escrowId": escrow.id, "days": days})


def _look_at_funding(file: EscrowFile, now: dt.datetime, actor: Actor) -> None:
    """Repair a lost start, a lost webhook, or tell the machine of a deadline; it alone takes the escrow out of
    AWAIT_FUNDS."""
    _look_later(file, now, actor)
    sagas.react(file.escrow, actor)
    try:
        file, seen = depositing.look(file.escrow.id, actor)
    except (RailThrottled, RailOutcomeUnknown):
        return  # the next look asks again
    outcome = funding.state(file, seen)
    if outcome is not None:
        sagas.answer(file.rail, outcome)


def _look_at_delivery(file: EscrowFile, now: dt.datetime, actor: Actor) -> None:
    """Nothing was marked as delivered in time (D12): Roblox decides between a delivery and a refund of all that is
    left."""
    escrow = file.escrow
    if not _due_or_frozen(escrow, escrow.deliver_by, now) or escrow.settlement_id is not None:
        _look_later(file, now, actor)  # while the milestone before is being paid nothing is refunded
        return
    if not file.asset_to_come:
        _refund(file, [], now, actor)  # the asset's part is released: what is left to deliver, Roblox can't show
        return
    owner, proof = ownership.look(escrow)
    if owner is Owner.UNKNOWN:
        _unknown(file, now, config.settings().owner_unknown_seconds, actor)
        return
    _known(escrow, now)
    if owner is Owner.BUYER and escrow.asset_in_turn:
        ownership.deliver(file, proof, now, actor)
    elif owner is Owner.BUYER:
        ownership.dispute(file, "ASSET_IS_AHEAD", proof, now, actor)  # handed over before its turn: no refund by clock
    elif _left_the_buyer(escrow, owner, now):
        ownership.dispute(file, "LEFT_THE_BUYER", proof, now, actor)
    elif not escrows.passed(escrow, escrow.deliver_by, now) or not escrows.check_seen(escrow, owner, now):
        _look_later(file, now, actor, soon=True)
    else:
        _refund(file, proof, now, actor)


def _left_the_buyer(escrow: Escrow, owner: Owner, now: dt.datetime) -> bool:
    """Whether it was handed over and is neither his any more nor the seller's again: no refund by clock, or he would
    have both."""
    gone = owner is not Owner.SELLER and escrow.at_buyer_at is not None
    return gone and escrows.passed(escrow, escrow.deliver_by, now)


def _refund(file: EscrowFile, proof: list[Snapshot], now: dt.datetime, actor: Actor) -> None:
    planned = plans.start(
        file, "refund_undelivered", Role.SYSTEM, actor=actor, to_seller=0, reason="NOT_DELIVERED", now=now
    )
    table.commit(file.escrow, *planned.rows, *proof, action="refund_undelivered", actor=actor)


def _look_at_inspection(file: EscrowFile, now: dt.datetime, actor: Actor) -> None:
    """The buyer said nothing (D13): warn a day before, then release only on a fresh proof that it was no rollback."""
    escrow = file.escrow
    if not _due_or_frozen(escrow, escrow.inspect_by, now):
        _warn(file, now, actor)
        return
    if not escrow.asset_in_turn:
        _release(file, [], now, actor)
        return
    owner, proof = ownership.look(escrow)
    if owner is Owner.UNKNOWN:
        _unknown(file, now, config.settings().owner_unknown_dispute_seconds, actor)
        return
    _known(escrow, now)
    if owner in {Owner.SELLER, Owner.NOBODY}:
        ownership.dispute(file, f"OWNER_IS_{owner}", proof, now, actor)
    else:
        _release(file, proof, now, actor)


def _release(file: EscrowFile, proof: list[Snapshot], now: dt.datetime, actor: Actor) -> None:
    """auto_release, where the buyer was warned; a milestone waits until the one before it is paid."""
    escrow = file.escrow
    if not escrows.passed(escrow, escrow.inspect_by, now) or escrow.warned_at is None:
        _warn(file, now, actor)
        return
    if escrow.settlement_id is not None:
        _look_later(file, now, actor)
        return
    rows = deliveries.accept(
        file, "auto_release", Role.SYSTEM, by="SYSTEM", actor=actor, reason="INSPECTION_OVER", now=now
    )
    table.commit(escrow, *rows, *proof, action="auto_release", actor=actor)


def _due_or_frozen(escrow: Escrow, deadline: dt.datetime | None, now: dt.datetime) -> bool:
    """Roblox is asked when the deadline has passed, and again while only its silence stops the clock."""
    return escrows.passed(escrow, deadline, now) or escrow.frozen_causes == {Freeze.UNKNOWN_OWNER}


def _known(escrow: Escrow, now: dt.datetime) -> None:
    """Roblox answered again: the clock goes on."""
    escrows.thaw(escrow, Freeze.UNKNOWN_OWNER, now)
    escrow.unknown_since = None


def _unknown(file: EscrowFile, now: dt.datetime, limit_seconds: int, actor: Actor) -> None:
    """Freeze the clock and look again; unknown for too long is for people to decide, so the system opens a dispute."""
    escrow = file.escrow
    escrow.unknown_since = escrow.unknown_since or now
    if now - escrow.unknown_since >= dt.timedelta(seconds=limit_seconds):
        ownership.dispute(file, "OWNER_UNKNOWN", [], now, actor)
        return
    escrows.freeze(escrow, Freeze.UNKNOWN_OWNER, now)
    _look_later(file, now, actor)


def _warn(file: EscrowFile, now: dt.datetime, actor: Actor) -> None:
    """A day before the release the buyer is told (the audit entry is what `notify` sends); then it is the deadline's
    turn."""
    escrow = file.escrow
    day = dt.timedelta(seconds=config.settings().warn_seconds)
    early = escrow.inspect_by is not None and now < escrow.inspect_by - day
    if escrow.warned_at is not None or escrow.frozen_causes or early or escrows.is_over_limit(escrow, now):
        _look_later(file, now, actor)
        return
    escrow.warned_at = now
    if escrow.inspect_by is not None:  # warned late, he still has his day (section 4: warned 24 h before)
        escrow.inspect_by = max(escrow.inspect_by, now + day)
    escrows.plan_look(escrow, now)
    table.commit(escrow, action="warn_inspection", actor=actor)


def _look_later(file: EscrowFile, now: dt.datetime, actor: Actor, *, soon: bool = False) -> None:
    """Nothing to decide yet: the next look, later each time. `soon`: a second reading of the owner is all that is
    missing. A card's money that was held too long is people's to decide about instead."""
    escrow = file.escrow
    if escrows.is_over_limit(escrow, now) and _bring_to_people(file, now, actor):
        return
    escrow.looks += 1
    escrows.plan_look(escrow, now)
    if soon:
        escrow.next_look = now + dt.timedelta(seconds=config.settings().owner_recheck_seconds)
    table.commit(escrow, action="look_again", actor=actor)


def _bring_to_people(file: EscrowFile, now: dt.datetime, actor: Actor) -> bool:
    """Whatever carried it so far (disputes, holds, an outage), it is disputed and escalated now: never an outcome.
    Returns whether it was not before; what is being settled is not disputed any more."""
    escrow, dispute = file.escrow, file.dispute
    if escrow.status in escrows.UNDECIDED:
        ownership.dispute(file, TOO_LONG, ownership.look(escrow)[1], now, actor)
        return True
    if dispute is None or dispute.escalated_at is not None:
        return False
    disputes.escalate(dispute, now)
    escrows.plan_look(escrow, now)
    table.commit(escrow, dispute, action="escalate_dispute", actor=actor, details={"reason": TOO_LONG})
    return True
