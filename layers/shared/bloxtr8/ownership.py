"""Whose the asset of an escrow is on Roblox now, and the two moves of the system's own that follow from it (states.md,
section 4)."""

import datetime as dt

from bloxtr8 import assets, table
from bloxtr8.actors import Actor
from bloxtr8.domain import deliveries, dispute_opening, dossier
from bloxtr8.domain.dispute_opening import Claim
from bloxtr8.domain.dossier import Owner
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Escrow, Snapshot
from bloxtr8.errors import UpstreamFailed


def look(escrow: Escrow, *, both_sources: bool = True) -> tuple[Owner, list[Snapshot]]:
    """A fresh look, and the snapshot of it. An asset that Roblox no longer knows has no owner.

    By both sources, which must agree, before anything is decided; by one where it only tells whether to ask.
    """
    try:
        seen = assets.look_again(escrow, escrow.buyer_roblox_id, both_sources=both_sources)
    except UpstreamFailed:
        return Owner.UNKNOWN, []
    return dossier.owner_of(escrow, seen), [seen]


def before_end(file: EscrowFile) -> list[Snapshot] | None:
    """A fresh look where a trade ends because nothing was handed over: that the buyer has it is kept on the escrow.
    None while Roblox does not say, and nothing ends by that."""
    who, proof = look(file.escrow)
    if who is Owner.UNKNOWN:
        return None
    for seen in proof:
        dossier.keep(file, seen)
    return proof


def deliver(file: EscrowFile, proof: list[Snapshot], now: dt.datetime, actor: Actor) -> None:
    """prove_delivery, by a look that showed the buyer: nobody has to say so (M53)."""
    rows = deliveries.deliver(file, "prove_delivery", Role.SYSTEM, snapshot_id=proof[0].id, now=now)
    table.commit(file.escrow, *rows, *proof, action="prove_delivery", actor=actor)


def keep(file: EscrowFile, proof: list[Snapshot], actor: Actor) -> None:
    """note_owner: the buyer was seen with the asset for the first time, or somebody else than before in a dispute. That
    alone moves nothing, and is not forgotten."""
    dossier.keep(file, proof[0])
    table.commit(file.escrow, *proof, action="note_owner", actor=actor)


def dispute(file: EscrowFile, reason: str, proof: list[Snapshot], now: dt.datetime, actor: Actor) -> None:
    """open_system_dispute: no outcome, no clock; an arbiter decides, or the seller refunds (section 7)."""
    seen = proof[0] if proof else None
    opened = dispute_opening.begin(
        "open_system_dispute", file, Role.SYSTEM, Claim(reason), opener_id=actor.id, seen=seen, now=now
    )
    details = dispute_opening.noted(opened)
    table.commit(file.escrow, opened, *proof, action="open_system_dispute", actor=actor, details=details)
