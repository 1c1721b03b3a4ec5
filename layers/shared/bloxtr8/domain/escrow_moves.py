"""The guards of what people do to an escrow, used by the actions and by `allowedActions` alike (states.md, section
4)."""

import datetime as dt
import functools
from collections.abc import Callable, Iterable

from bloxtr8.domain import (
    compliance,
    deliveries,
    dispute_opening,
    escrows,
    extensions,
    manual_payments,
    milestones,
    plans,
    refused_payouts,
    resuming,
    settlement_proposals,
    vaults,
)
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import DELIVERY, ESCROW
from bloxtr8.entities import DeliveryStatus, Milestone, StablecoinEscrow
from bloxtr8.errors import DomainError, TooLarge, Unprocessable, UnsupportedMedia

MAX_EVIDENCE = 10  # files of the buyer, of the seller, and of all arbiters together
EVIDENCE_BYTES = 25 * 1024 * 1024
EVIDENCE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "video/mp4", "application/pdf", "text/plain"})


def check_evidence_room(file: EscrowFile, role: Role) -> None:
    """Raises Unprocessable above ten files of a side, so that none can take the other's place; a claim that was kept
    without a file takes nobody's."""
    sides = {file.escrow.buyer_id: Role.BUYER, file.escrow.seller_id: Role.SELLER}
    filed = [sides.get(row.user_id, Role.ARBITER) for row in file.evidence if row.sha256 is not None]
    if filed.count(role) >= MAX_EVIDENCE:
        raise Unprocessable(f"Each side files {MAX_EVIDENCE} files at most.", "TOO_MUCH_EVIDENCE")


def check_file(content_type: str, size_bytes: int) -> None:
    """What kind of file is taken, and how large. Raises UnsupportedMedia or TooLarge."""
    if content_type not in EVIDENCE_TYPES:
        raise UnsupportedMedia(f"Evidence is one of {', '.join(sorted(EVIDENCE_TYPES))}.")
    if size_bytes > EVIDENCE_BYTES:
        raise TooLarge("A file has at most 25 MiB.")


# Whose they are, the views of the dispute and of the manual payment know.
OF_A_PART = {"withdraw_dispute", "resolve_dispute", manual_payments.RECORD, manual_payments.WITHDRAW}

type Guard = Callable[[EscrowFile, Role, dt.datetime], object]

GUARDS: dict[str, Guard] = {
    "start_payment": lambda file, _, now: _check_payable(file, now),
    "cancel_escrow": lambda file, _, now: escrows.check_nothing_received(file),
    "refund_escrow": lambda file, _, now: refused_payouts.check_money_may_start(file),
    "confirm_delivery": lambda file, role, now: plans.check_start("confirm_delivery", file.escrow, role),
    "release_milestone": lambda file, role, now: milestones.check_any(file, role),
    "verify_delivery": lambda file, _, now: deliveries.check_shown(file),
    "start_delivery": lambda file, role, now: _check_start(file, role, now),
    "mark_delivered": lambda file, role, now: _delivery_move("mark_delivered", file, role),
    "add_evidence": lambda file, role, now: check_evidence_room(file, role),
    "open_dispute": lambda file, role, now: dispute_opening.check_may_open("open_dispute", file, role),
    "reject_delivery": lambda file, role, now: _rejection(file, role),
    "resume_settlement": lambda file, _, now: resuming.check_parked(file),
    "announce_manual_payment": lambda file, _, now: manual_payments.check_any(file),
    "decide_hold": lambda file, _, now: compliance.check_anything(file, now),
    "extend_deadline": extensions.check_any,
    "propose_settlement": lambda file, role, now: settlement_proposals.check_propose(file, role, now),
    **{
        action: functools.partial(settlement_proposals.check_live, action)
        for action in ("accept_settlement", "reject_settlement", "withdraw_settlement")
    },
}


def _check_payable(file: EscrowFile, now: dt.datetime) -> None:
    escrows.check_fundable(file.escrow, now)
    if isinstance(file.rail, StablecoinEscrow) and not vaults.missing(file.escrow, file.rail):
        raise vaults.already_paid()


def _check_start(file: EscrowFile, role: Role, now: dt.datetime) -> None:
    _delivery_move("start_delivery", file, role)
    extensions.check_delivery(file, now)


def _delivery_move(action: str, file: EscrowFile, role: Role) -> None:
    DELIVERY.check(action, file.delivery, role)


def _rejection(file: EscrowFile, role: Role) -> None:
    dispute_opening.check_may_open("reject_delivery", file, role)
    for delivery in file.deliveries:
        if delivery.status is DeliveryStatus.DELIVERED:
            return
    _delivery_move("reject_delivery", file, role)


def check(action: str, file: EscrowFile, role: Role, now: dt.datetime) -> None:
    """Whether `role` may make this move now. Raises the refusal the action answers with."""
    ESCROW.check(action, file.escrow, role)
    guard = GUARDS.get(action)
    if guard is not None:
        guard(file, role, now)


def allowed_actions(file: EscrowFile, roles: Iterable[Role], now: dt.datetime) -> list[str]:
    """The moves someone in any of these roles may make now, by name."""
    return [
        action
        for role in roles
        for action in ESCROW.allowed(file.escrow, role, functools.partial(check, file=file, role=role, now=now))
        if action not in OF_A_PART
    ]


OF_A_DELIVERY = ("start_delivery", "mark_delivered", "verify_delivery", "confirm_delivery", "reject_delivery")


def allowed_of_milestone(
    file: EscrowFile, milestone: Milestone, roles: Iterable[Role], allowed: Iterable[str]
) -> list[str]:
    """Those of one milestone: of what is `allowed`, its delivery's while it has its turn; and its release."""
    its = OF_A_DELIVERY if file.milestone_of(file.delivery) is milestone else ()
    names = [action for action in allowed if action in its]
    return [*names, *(["release_milestone"] if _releasable(file, milestone, roles) else [])]


def _releasable(file: EscrowFile, milestone: Milestone, roles: Iterable[Role]) -> bool:
    if Role.BUYER not in roles:
        return False
    try:
        milestones.check_release(file, milestone, Role.BUYER)
    except DomainError:
        return False
    return True
