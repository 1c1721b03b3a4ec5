"""Proof of a delivery: Roblox shows the buyer as the owner, by both sources, now (states.md, section 6; M53)."""

import datetime as dt
from collections.abc import Callable

from bloxtr8 import assets, clock, config, ids, table
from bloxtr8.actors import Actor
from bloxtr8.domain import deliveries, dossier
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Evidence, Snapshot
from bloxtr8.errors import Conflict, RateLimited, UpstreamFailed


def prove(file: EscrowFile, actor: Actor) -> list[Snapshot]:
    """The proof for mark_delivered; none of a milestone without the asset, where the seller's word stands. Raises
    Conflict ASSET_NOT_TRANSFERRED with the owner that was seen.

    While Roblox does not answer, UpstreamFailed; the seller's claim is kept as evidence, and the deadline's look
    decides.
    """
    if not file.escrow.asset_in_turn:
        return []
    try:
        seen = assets.look_again(file.escrow, file.escrow.buyer_roblox_id, both_sources=True)
    except UpstreamFailed:
        _keep_claim(file, actor)
        raise
    if not seen.verified:
        said = "Roblox does not show the buyer as the owner."
        if dossier.owner_of(file.escrow, seen) is not dossier.Owner.SELLER:
            said += " If you handed it over to him, open a dispute."
        raise Conflict(said, "ASSET_NOT_TRANSFERRED", observedOwner=seen.owner_id)
    return [seen]


def verify[V](file: EscrowFile, actor: Actor, answer: Callable[[Snapshot], V]) -> V:
    """verify_delivery: a fresh look is kept as a snapshot where it tells something, and where it proves the delivery
    the escrow is DELIVERED.

    One look in ten seconds an escrow: raises RateLimited. Raises UpstreamFailed where the owner is unknown.
    """
    escrow, watch, now = file.escrow, file.watch, clock.now()
    wait = config.settings().verify_pause_seconds
    too_soon = RateLimited("Roblox was asked a moment ago.", retry_after=wait)
    if watch.asked_at is not None and now < watch.asked_at + dt.timedelta(seconds=wait):
        raise too_soon
    seen = assets.look_again(escrow, escrow.buyer_roblox_id, both_sources=True)
    watch.asked_at = now
    first = escrow.at_buyer_at is None
    dossier.keep(file, seen)
    if seen.verified and deliveries.provable(file):
        rows = deliveries.deliver(file, "prove_delivery", Role.SYSTEM, snapshot_id=seen.id, now=now)
        return table.commit(escrow, *rows, seen, action="prove_delivery", actor=actor, answer=lambda: answer(seen))
    told = assets.told_before(seen)
    if told is None or (first and escrow.at_buyer_at is not None):
        return table.commit(escrow, watch, seen, action="verify_delivery", actor=actor, answer=lambda: answer(seen))
    if not table.remember(watch, unless_exists=False):  # nothing new: no entry in the path that a dispute walks
        raise too_soon
    return answer(told)


def _keep_claim(file: EscrowFile, actor: Actor) -> None:
    """The seller said it is done while Roblox was silent: that counts later. Once is enough; nobody else's words, nor
    a file with the same note, stand in its place."""
    note = f"{file.delivery.id}: the seller says it is handed over; Roblox did not answer"
    if any(row.note == note and row.user_id == actor.id and row.sha256 is None for row in file.evidence):
        return
    claim = Evidence(escrow_id=file.escrow.id, id=ids.new("evd"), user_id=actor.id, note=note, at=clock.now())
    table.commit(file.escrow, claim, action="claim_delivery", actor=actor)
