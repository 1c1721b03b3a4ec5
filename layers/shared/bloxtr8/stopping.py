"""Stopping an escrow's money for people: the hold, the alarm, and what is being paid out finds it (states.md, section
4, place_hold)."""

from typing import Any

from bloxtr8 import clock, sagas, table
from bloxtr8.actors import Actor
from bloxtr8.domain import holds, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Entity
from bloxtr8.logs import logger


def stop(file: EscrowFile, cause: str, actor: Actor, *rows: Entity, **details: Any) -> bool:
    """place_hold for `cause`, with the `rows` that show why; nothing where it stands. What is being paid out is parked
    by its own machine: its next step finds the hold. Returns whether it was placed; raises InvalidState at an end."""
    escrow = file.escrow
    if not holds.place(escrow, cause, clock.now()):
        return False
    logger.error("an escrow is on hold", extra={"escrowId": escrow.id, "cause": cause, "status": str(escrow.status)})
    said = {"hold": str(holds.hold_of(cause)), "cause": cause} | details
    table.commit(escrow, *rows, action="place_hold", actor=actor, details=said)
    for settlement in settlements.live(file):
        sagas.react(settlement, actor)
    return True
