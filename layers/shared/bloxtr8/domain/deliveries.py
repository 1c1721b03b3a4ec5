"""Deliveries: whose turn it is, what handing over does to the escrow, and the buyer's answer (states.md, section 6)."""

import datetime as dt

from bloxtr8.actors import Actor
from bloxtr8.domain import escrows, milestones, plans
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import DELIVERY, ESCROW, MILESTONE
from bloxtr8.entities import Delivery, DeliveryStatus, Entity, EscrowStatus, Freeze, Milestone
from bloxtr8.errors import InvalidState, NotFound

WAITED_FOR = frozenset({DeliveryStatus.PENDING, DeliveryStatus.IN_PROGRESS})


# --- which one


def find(file: EscrowFile, delivery_id: str) -> Delivery:
    """The delivery named in a path. Raises NotFound."""
    for delivery in file.deliveries:
        if delivery.id == delivery_id:
            return delivery
    raise NotFound("There is no such delivery.")


def in_turn(file: EscrowFile, delivery: Delivery) -> Delivery:
    """The delivery, where its milestone has its turn. Raises InvalidState NOT_IN_TURN with the milestone that has."""
    if delivery is not file.delivery:
        turn = {"currentStatus": str(delivery.status), "milestoneId": file.delivery.milestone_id}
        raise InvalidState("Another milestone has its turn.", "NOT_IN_TURN", **turn)
    return delivery


def named(file: EscrowFile, delivery_id: str) -> Delivery:
    """The delivery named in a path, which has its turn. Raises as `find` and `in_turn`."""
    return in_turn(file, find(file, delivery_id))


def of_milestone(file: EscrowFile, milestone_id: str | None) -> Delivery:
    """The delivery of that milestone, which has its turn; the one that has it where none is named. Raises NotFound and
    as `in_turn`."""
    if milestone_id is None:
        return file.delivery
    milestone = milestones.find(file, milestone_id)
    return in_turn(file, next(row for row in file.deliveries if row.n == milestone.n))


# --- handing over


def check_shown(file: EscrowFile) -> None:
    """Whether Roblox can show what is delivered now. Raises InvalidState NOTHING_TO_VERIFY of a milestone without the
    asset."""
    if not file.escrow.asset_in_turn:
        raise InvalidState("Roblox shows nothing of this milestone.", "NOTHING_TO_VERIFY")


def provable(file: EscrowFile) -> bool:
    """Whether a look that shows the buyer is a delivery: the asset has its turn and is not delivered yet."""
    return file.escrow.asset_in_turn and file.delivery.status in WAITED_FOR


def deliver(
    file: EscrowFile, action: str, role: Role, *, snapshot_id: str | None, now: dt.datetime
) -> list[Delivery | Milestone]:
    """mark_delivered or prove_delivery of what has its turn: the buyer's time to inspect starts. The asset is proven by
    a snapshot; of anything else the seller's word stands. Of a milestone of which more are to come the escrow stays
    FUNDS_HELD. Returns the rows beside the escrow, the delivery first."""
    escrow, delivery = file.escrow, file.delivery
    milestone = file.milestone_of(delivery)
    ESCROW.check(action, escrow, role)  # the escrow's refusal goes before the delivery's
    DELIVERY.apply(action, delivery, role)
    more = len(file.unreleased) > 1
    ESCROW.apply(action, escrow, role, becomes=EscrowStatus.FUNDS_HELD if more else EscrowStatus.DELIVERED)
    if milestone is not None:
        MILESTONE.apply(action, milestone, role)
    if escrow.asset_in_turn:
        escrow.delivered_at = now
        escrow.at_buyer_at = escrow.at_buyer_at or now
    delivery.verification = "VERIFIED" if escrow.asset_in_turn else "NOT_APPLICABLE"
    delivery.snapshot_id, delivery.delivered_at = snapshot_id, now
    escrows.thaw(escrow, Freeze.UNKNOWN_OWNER, now)
    escrow.inspect_by = now + dt.timedelta(seconds=escrow.inspect_seconds)
    escrow.owner_seen, escrow.unknown_since, escrow.looks = None, None, 0
    escrows.plan_look(escrow, now)
    return [delivery, milestone] if milestone else [delivery]


# --- the buyer's answer


def accept(
    file: EscrowFile, action: str, role: Role, *, by: str, actor: Actor, reason: str, now: dt.datetime
) -> list[Entity]:
    """confirm_delivery or auto_release: the seller is paid for what has its turn. Returns the rows beside the escrow.
    Raises as `plans.check_start`."""
    plans.check_start(action, file.escrow, role)
    delivery = file.delivery
    milestone = file.milestone_of(delivery)
    if milestone is None:
        rows: list[Entity] = [
            *plans.start(file, action, role, actor=actor, to_seller=None, reason=reason, now=now).rows
        ]
    else:
        rows = milestones.release(file, action, role, milestone, actor=actor, reason=reason, now=now)
    DELIVERY.apply(action, delivery, role)
    delivery.confirmed_by, delivery.confirmed_at = by, now
    return [delivery, *rows]


def reject(file: EscrowFile, role: Role, delivery: Delivery) -> list[Entity]:
    """reject_delivery: its milestone is to be delivered again, should the dispute be withdrawn. Returns the rows."""
    milestone = file.milestone_of(delivery)
    if milestone is None:
        return [delivery]
    MILESTONE.apply("reject_delivery", milestone, role)
    return [delivery, milestone]
