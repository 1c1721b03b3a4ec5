"""Deliveries: which one is meant, and what handing over does to the escrow (states.md, section 6)."""

import datetime as dt

from bloxtr8.domain.escrows import EscrowFile, plan_look, thaw
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import DELIVERY, ESCROW
from bloxtr8.entities import Delivery, Freeze
from bloxtr8.errors import NotFound


def named(file: EscrowFile, delivery_id: str) -> Delivery:
    """The delivery named in a path. Raises NotFound."""
    for delivery in file.deliveries:
        if delivery.id == delivery_id:
            return delivery
    raise NotFound("There is no such delivery.")


def deliver(
    file: EscrowFile, action: str, role: Role, *, verification: str, snapshot_id: str | None, now: dt.datetime
) -> Delivery:
    """mark_delivered or prove_delivery: the asset is the buyer's, his time to inspect starts."""
    escrow, delivery = file.escrow, file.delivery
    ESCROW.check(action, escrow, role)  # the escrow's refusal goes before the delivery's
    DELIVERY.apply(action, delivery, role)
    ESCROW.apply(action, escrow, role)
    delivery.verification, delivery.snapshot_id, delivery.delivered_at = verification, snapshot_id, now
    thaw(escrow, Freeze.UNKNOWN_OWNER, now)
    escrow.delivered_at, escrow.inspect_by = now, now + dt.timedelta(seconds=escrow.inspect_seconds)
    escrow.owner_seen, escrow.unknown_since, escrow.looks = None, None, 0
    plan_look(escrow, now)
    return delivery
