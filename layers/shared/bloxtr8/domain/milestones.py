"""Milestones: parts of the price that are delivered and released one by one (states.md, section 5; D22, M43).

They have their turn in the order of the contract: one is delivered, the buyer answers, and the next one's time begins.
The buyer may release any of them before its turn. Which of them is the last is whichever is the last that is
unreleased: it is settled as all of the rest, and the escrow ends with it.
"""

import datetime as dt

from bloxtr8.actors import Actor
from bloxtr8.domain import escrows, plans
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import DELIVERY, ESCROW, MILESTONE
from bloxtr8.entities import (
    Delivery,
    DeliveryStatus,
    Entity,
    Escrow,
    Freeze,
    Milestone,
    MilestoneStatus,
    Settlement,
    SettlementKind,
)
from bloxtr8.errors import NotFound

_ENDED = {MilestoneStatus.RELEASED, MilestoneStatus.REFUNDED, MilestoneStatus.CANCELLED}
ENDED_BY = {
    SettlementKind.RELEASE: MilestoneStatus.RELEASED,
    SettlementKind.REFUND: MilestoneStatus.REFUNDED,
    SettlementKind.SPLIT: MilestoneStatus.CANCELLED,  # its money went to both, as was decided
}


def find(file: EscrowFile, milestone_id: str) -> Milestone:
    """The milestone named in a path or a body. Raises NotFound."""
    for milestone in file.milestones:
        if milestone.id == milestone_id:
            return milestone
    raise NotFound("There is no such milestone.")


def hold_funds(file: EscrowFile) -> list[Milestone]:
    """The money of all of them is held. Returns what it changed."""
    for milestone in file.milestones:
        MILESTONE.apply("hold_funds", milestone, Role.SYSTEM)
    return file.milestones


def check_release(file: EscrowFile, milestone: Milestone, role: Role) -> None:
    """Whether the buyer may release it now. Raises as `plans.check_start`, and InvalidState of a milestone that was
    released."""
    MILESTONE.check("release_milestone", milestone, role)
    plans.check_start("release_milestone", file.escrow, role)


def check_any(file: EscrowFile, role: Role) -> None:
    """The same for `allowedActions`: raises NotFound where none is left."""
    if not file.unreleased:
        raise NotFound("There is no such milestone.")
    check_release(file, file.unreleased[0], role)


def release_early(
    file: EscrowFile, milestone: Milestone, role: Role, *, actor: Actor, now: dt.datetime
) -> list[Entity]:
    """release_milestone: the buyer pays for it whatever was delivered; his word counts as its confirmation. Returns
    the rows beside the escrow. Raises as `check_release`."""
    check_release(file, milestone, role)
    delivery = next(row for row in file.deliveries if row.n == milestone.n)
    DELIVERY.apply("release_milestone", delivery, role)
    delivery.confirmed_by, delivery.confirmed_at = "BUYER", now
    if milestone.transfers_asset:  # seen at the buyer it is delivered; else from when it is seen there (dossier.keep)
        file.escrow.delivered_at = file.escrow.delivered_at or file.escrow.at_buyer_at
    rows = release(file, "release_milestone", role, milestone, actor=actor, reason="RELEASED_BY_BUYER", now=now)
    return [delivery, *rows]


def release(
    file: EscrowFile, action: str, role: Role, milestone: Milestone, *, actor: Actor, reason: str, now: dt.datetime
) -> list[Entity]:
    """The seller is to be paid for it: a MILESTONE settlement, and the next one has its turn; of the last that is
    unreleased a RELEASE of all the rest, which ends the escrow. Returns the rows beside the escrow.

    Raises Forbidden, InvalidState, SETTLEMENT_IN_PROGRESS or ESCROW_ON_HOLD.
    """
    MILESTONE.check(action, milestone, role)
    in_turn = file.delivery.n == milestone.n
    if file.unreleased == [milestone] or milestone.amount >= plans.remaining(file):  # a bank may have taken the rest
        planned = plans.start(file, action, role, actor=actor, to_seller=None, reason=reason, now=now)
        MILESTONE.apply(action, milestone, role)
        return [milestone, *planned.rows]
    planned = plans.start_part(file, action, role, milestone, actor=actor, reason=reason, now=now)
    MILESTONE.apply(action, milestone, role)
    if in_turn:
        _next_turn(file, now)
    return [milestone, *planned.rows]


def _next_turn(file: EscrowFile, now: dt.datetime) -> None:
    """The next milestone's time to be delivered begins, with nothing of the one before it."""
    escrow, milestone = file.escrow, file.milestone_of(file.delivery)
    escrow.asset_in_turn = milestone is None or milestone.transfers_asset
    escrow.inspect_by = escrow.warned_at = escrow.owner_seen = escrow.unknown_since = None
    escrow.extended = {name: spent for name, spent in escrow.extended.items() if name == "fund_by"}
    escrows.thaw(escrow, Freeze.UNKNOWN_OWNER, now)
    escrow.deliver_by = _whole_window(escrow, now)
    escrow.looks = 0
    escrows.plan_look(escrow, now)


def _whole_window(escrow: Escrow, now: dt.datetime) -> dt.datetime:
    """Until when the seller delivers; while the clock stands still his time begins when it goes on."""
    begins: dt.datetime = escrow.frozen_at or now
    return begins + dt.timedelta(seconds=escrow.deliver_seconds)


def finish(file: EscrowFile, settlement: Settlement, now: dt.datetime) -> Milestone:
    """finish_settlement of a MILESTONE: paid, and the escrow goes on. The one that follows has its whole window from
    now on: a seller may wait for his money before he hands over more."""
    escrow, milestone = file.escrow, find(file, str(settlement.milestone_id))
    ESCROW.apply("finish_settlement", escrow, Role.SYSTEM)
    MILESTONE.apply("finish_settlement", milestone, Role.SYSTEM)
    milestone.released_at = now
    escrow.seller_share += settlement.seller_share
    escrow.settlement_id = None
    if not escrow.inspecting and milestone.n < file.delivery.n:
        escrow.deliver_by = max(escrow.deliver_by, _whole_window(escrow, now))
    escrow.looks = 0
    escrows.plan_look(escrow, now)
    return milestone


def end(file: EscrowFile, becomes: MilestoneStatus, now: dt.datetime, *, paid: int = 0) -> list[Entity]:
    """The escrow ends, and with it every milestone that is not released yet; what is still to be delivered of one that
    nothing was paid for, or was delivered, is cancelled. Returns what it changed.

    `paid`: what a release pays of them, in cents of the price, those first that were decided about. One of which the
    buyer's bank took all is the buyer's.
    """
    milestones = sorted(
        (row for row in file.milestones if row.status not in _ENDED),
        key=lambda row: (row.status is not MilestoneStatus.SETTLING, row.n),
    )
    for milestone in milestones:
        released = becomes is MilestoneStatus.RELEASED and paid > 0
        paid -= milestone.amount
        ends_as = MilestoneStatus.REFUNDED if becomes is MilestoneStatus.RELEASED and not released else becomes
        MILESTONE.apply("end_milestone", milestone, Role.SYSTEM, becomes=ends_as)
        milestone.released_at = now if released else None
    if becomes is MilestoneStatus.RELEASED:
        return [*milestones, *_cancel_deliveries(file, {row.n for row in milestones if row.released_at is None})]
    return [*milestones, *_cancel_deliveries(file, {row.n for row in file.deliveries})]


def _cancel_deliveries(file: EscrowFile, numbers: set[int]) -> list[Delivery]:
    over = {DeliveryStatus.CONFIRMED, DeliveryStatus.CANCELLED}
    open_ones = [row for row in file.deliveries if row.n in numbers and row.status not in over]
    for delivery in open_ones:
        DELIVERY.apply("cancel_delivery", delivery, Role.SYSTEM)
    return open_ones
