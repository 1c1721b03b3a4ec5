"""Disputes: what is said in one, who decides it, and every way it ends (states.md, section 7; D10, D20)."""

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable
from typing import Any

from bloxtr8 import clock, config, ids
from bloxtr8.domain import deliveries, dossier, escrows, refused_payouts
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.plans import Planned
from bloxtr8.domain.transitions import DELIVERY, DISPUTE, ESCROW
from bloxtr8.entities import (
    Delivery,
    Dispute,
    DisputeMessage,
    DisputeStatus,
    EscrowStatus,
    Freeze,
    PlatformRole,
    Settlement,
    User,
)
from bloxtr8.errors import Conflict, DomainError, Forbidden, NotFound, RateLimited, Unprocessable

LIVE = frozenset({DisputeStatus.OPEN, DisputeStatus.IN_REVIEW})
BY_PLATFORM = "REFUNDED_BY_PLATFORM"
_HOUR = dt.timedelta(hours=1)


def find(file: EscrowFile, dispute_id: str) -> Dispute:
    """The dispute named in a path. Raises NotFound."""
    for dispute in file.disputes:
        if dispute.id == dispute_id:
            return dispute
    raise NotFound("There is no such dispute.")


def digest(*texts: str | None) -> str:
    """What an audit entry keeps of a text: enough to prove it unchanged, and no word of it."""
    return hashlib.sha256("\n".join(text or "" for text in texts).encode()).hexdigest()


# --- while it lives


def post(
    dispute: Dispute, role: Role, author_id: str, text: str, evidence_ids: Iterable[str], now: dt.datetime
) -> DisputeMessage:
    """A message, counted. Raises RateLimited above twenty an hour, Unprocessable TOO_MANY_MESSAGES above a hundred, of
    one person in one dispute."""
    DISPUTE.check("post_dispute_message", dispute, role)
    _check_room(dispute, author_id)
    dispute.posted = {**dispute.posted, author_id: _counted(dispute.posted.get(author_id), now)}
    return DisputeMessage(
        escrow_id=dispute.escrow_id,
        dispute_id=dispute.id,
        id=ids.new("msg"),
        author_id=author_id,
        role=str(role),
        text=text,
        evidence_ids=list(dict.fromkeys(evidence_ids)),
        at=now,
    )


def _check_room(dispute: Dispute, author_id: str) -> None:
    if dispute.posted.get(author_id, {"total": 0})["total"] >= config.settings().messages_a_dispute:
        raise Unprocessable("No more messages in this dispute.", "TOO_MANY_MESSAGES")


def _counted(before: dict[str, Any] | None, now: dt.datetime) -> dict[str, Any]:
    count = before or {"since": clock.iso(now), "recent": 0, "total": 0}
    over = clock.parse(count["since"]) + _HOUR
    if now >= over:
        count = count | {"since": clock.iso(now), "recent": 0}
    elif count["recent"] >= config.settings().messages_an_hour:
        raise RateLimited("Too many messages.", retry_after=int((over - now).total_seconds()) + 1)
    return count | {"recent": count["recent"] + 1, "total": count["total"] + 1}


def assign(
    file: EscrowFile, dispute: Dispute, roles: Collection[Role], actor_id: str, assignee: User, now: dt.datetime
) -> Role:
    """assign_dispute: an arbiter takes an open one; an administrator gives one to an arbiter, taken before or not.
    Returns as what the actor did it.

    Raises Forbidden, CONFLICT_OF_INTEREST where either is a party, Unprocessable NOT_AN_ARBITER, InvalidState.
    """
    if {file.escrow.buyer_id, file.escrow.seller_id} & {actor_id, assignee.id}:
        raise Forbidden("A party decides nothing of its own.", "CONFLICT_OF_INTEREST")
    takes = Role.ARBITER in roles and assignee.id == actor_id
    gives = Role.PADMIN in roles and (not takes or dispute.status is DisputeStatus.IN_REVIEW)
    role = Role.PADMIN if gives else Role.ARBITER
    if not (takes or gives):
        raise Forbidden("Only an administrator assigns it to somebody else.")
    DISPUTE.check("assign_dispute", dispute, role)
    if PlatformRole.ARBITER not in assignee.platform_roles:
        raise Unprocessable("An arbiter decides disputes.", "NOT_AN_ARBITER")
    DISPUTE.apply("assign_dispute", dispute, role)
    dispute.assignee_id, dispute.assigned_at = assignee.id, now
    return role


def is_late(dispute: Dispute, now: dt.datetime) -> bool:
    """Whether it has lived for 30 days, and nobody was alarmed yet."""
    age = dt.timedelta(seconds=config.settings().dispute_sla_seconds)
    return dispute.escalated_at is None and dispute.status in LIVE and now - dispute.created_at >= age


def escalate(dispute: Dispute, now: dt.datetime) -> None:
    """escalate_dispute: people are alarmed, after 30 days or where a card's money was held too long; it is never an
    outcome (M66)."""
    DISPUTE.apply("escalate_dispute", dispute, Role.SYSTEM)
    dispute.escalated_at = now


# --- its end


def check_opener(dispute: Dispute, actor_id: str) -> None:
    """Raises Forbidden for anybody but who opened it."""
    if dispute.opener_id != actor_id:
        raise Forbidden("Who opened it may withdraw it.")


def check_clocks_may_run(file: EscrowFile, now: dt.datetime) -> None:
    """A dispute over the limit of holding a card's money is decided or settled, or the seller refunds: nothing carries
    the money further. Raises Conflict HELD_TOO_LONG."""
    if escrows.is_over_limit(file.escrow, now):
        raise Conflict("By card the money was held too long for the clocks to run again.", "HELD_TOO_LONG")


def withdraw(file: EscrowFile, dispute: Dispute, role: Role, now: dt.datetime) -> list[Delivery]:
    """withdraw_dispute: the escrow is what it was, and its clocks go on where they stood. Returns what it changed.

    After a rejection the asset is to be delivered again: FUNDS_HELD, with at least 48 hours for it.
    """
    escrow = file.escrow
    DISPUTE.check("withdraw_dispute", dispute, role)
    rejected = dispute.delivery_id is not None
    back = EscrowStatus.FUNDS_HELD if rejected else EscrowStatus(str(escrow.frozen_from))
    if rejected:
        escrow.inspect_by = escrow.warned_at = None
        escrow.delivered_at = None if escrow.asset_in_turn else escrow.delivered_at
    ESCROW.apply("withdraw_dispute", escrow, role, becomes=back)
    _end(dispute, "withdraw_dispute", role, "WITHDRAWN", now)
    escrows.thaw(escrow, Freeze.DISPUTE, now)
    escrow.frozen_from, escrow.owner_seen, escrow.looks = None, None, 0
    changed = [_deliver_again(file, dispute, role, now)] if rejected else []
    escrows.plan_look(escrow, now)
    return changed


def _deliver_again(file: EscrowFile, dispute: Dispute, role: Role, now: dt.datetime) -> Delivery:
    """The rejected delivery begins anew."""
    escrow = file.escrow
    delivery = deliveries.find(file, str(dispute.delivery_id))
    DELIVERY.apply("withdraw_dispute", delivery, role)
    delivery.started_at = delivery.delivered_at = delivery.verification = delivery.snapshot_id = None
    least = now + dt.timedelta(seconds=config.settings().redeliver_seconds)
    escrow.deliver_by = max(escrow.deliver_by or least, least)
    return delivery


def check_assigned(dispute: Dispute, actor_id: str) -> None:
    """Raises Forbidden for anybody but the arbiter it is assigned to."""
    if dispute.assignee_id != actor_id:
        raise Forbidden("The arbiter to whom it is assigned decides it.")


def resolve(dispute: Dispute, planned: Planned, outcome: str, resolution: str, now: dt.datetime) -> None:
    """resolve_dispute: decided; the settlement carries it out, and its end closes the dispute. Raises Unprocessable
    OUTCOME_MISMATCH where the amounts are another outcome than the one that was named."""
    settlement = planned.settlement
    if settlement.kind != outcome:
        raise Unprocessable(f"These amounts are a {settlement.kind.lower()}.", "OUTCOME_MISMATCH")
    DISPUTE.apply("resolve_dispute", dispute, Role.ARBITER)
    dispute.decision, dispute.resolution, dispute.resolved_at = outcome, resolution, now
    dispute.seller_amount, dispute.buyer_amount = settlement.seller_share, settlement.buyer_share
    dispute.settlement_id = settlement.id


def decided(dispute: Dispute) -> dict[str, Any]:
    """The audit entry's details of a decision."""
    return {
        "outcome": dispute.decision,
        "sellerAmount": dispute.seller_amount,
        "buyerAmount": dispute.buyer_amount,
        "textSha256": digest(dispute.resolution),
    }


UNDECIDED = {"outcome": None, "sellerAmount": None, "buyerAmount": None, "textSha256": digest(None)}


def sold(file: EscrowFile, settlement: Settlement) -> bool:
    """Whether the asset changed hands for good where the price was divided (section 1, sell_listing). After a dispute
    it is whose Roblox showed it then."""
    seen = [row.facts["owner"]["who"] for row in file.disputes if row.settlement_id == settlement.id and row.facts]
    if seen and seen[-1] != dossier.Owner.UNKNOWN:
        return bool(seen[-1] == dossier.Owner.BUYER)
    return file.escrow.delivered_at is not None


def close_by_settlement(file: EscrowFile, settlement: Settlement, now: dt.datetime) -> list[Dispute]:
    """finish_settlement: what was decided is done. Returns what it closed."""
    decided = [row for row in file.disputes if row.status is DisputeStatus.RESOLVED]
    for dispute in decided:
        outcome = "EXECUTED" if dispute.settlement_id == settlement.id else "SETTLED"
        _end(dispute, "finish_settlement", Role.SYSTEM, outcome, now)
    return decided


def close_by_refund(file: EscrowFile, role: Role, now: dt.datetime) -> list[Dispute]:
    """The seller refunds everything: a live dispute has nothing left to decide. Returns what it closed."""
    return _close(file, "refund_escrow", role, "REFUNDED_BY_SELLER", now)


def close_by_agreement(file: EscrowFile, role: Role, now: dt.datetime) -> list[Dispute]:
    """The same where both sides have agreed."""
    return _close(file, "accept_settlement", role, "SETTLED", now)


def close_by_adoption(file: EscrowFile, now: dt.datetime) -> list[Dispute]:
    """The same where everything was refunded in the provider's Dashboard, decided or not."""
    return _overtake(file, "adopt_refund", BY_PLATFORM, now)


def close_by_compliance(file: EscrowFile, now: dt.datetime) -> list[Dispute]:
    """The same where COMPLIANCE sends all of it back."""
    return _close(file, "decide_hold", Role.COMPLIANCE, "REFUNDED_BY_COMPLIANCE", now)


def close_by_reclaim(file: EscrowFile, now: dt.datetime) -> list[Dispute]:
    """The same where the buyer took the money back from the vault, after its term, decided or not."""
    return _overtake(file, "record_reclaim", "RECLAIMED", now)


def close_by_loss(file: EscrowFile, action: str, outcome: str, now: dt.datetime) -> list[Dispute]:
    """The same where his bank took it back, or somebody gave it back by hand, decided or not."""
    return _overtake(file, action, outcome, now)


def _overtake(file: EscrowFile, action: str, outcome: str, now: dt.datetime) -> list[Dispute]:
    decided = [row for row in file.disputes if row.status is DisputeStatus.RESOLVED]
    for dispute in decided:
        _end(dispute, action, Role.SYSTEM, outcome, now)
    return decided + _close(file, action, Role.SYSTEM, outcome, now)


def _close(file: EscrowFile, action: str, role: Role, outcome: str, now: dt.datetime) -> list[Dispute]:
    dispute = file.dispute
    if dispute is None:
        return []
    _end(dispute, action, role, outcome, now)
    return [dispute]


def _end(dispute: Dispute, action: str, role: Role, outcome: str, now: dt.datetime) -> None:
    DISPUTE.apply(action, dispute, role)
    dispute.outcome, dispute.closed_at = outcome, now


# --- what somebody may do


type Guard = Callable[[EscrowFile, Dispute, str, dt.datetime], object]

GUARDS: dict[str, Guard] = {
    "post_dispute_message": lambda file, dispute, actor_id, now: _check_room(dispute, actor_id),
    "withdraw_dispute": lambda file, dispute, actor_id, now: _check_withdrawable(file, dispute, actor_id, now),
    "assign_dispute": lambda file, dispute, actor_id, now: None,
    "resolve_dispute": lambda file, dispute, actor_id, now: _check_resolvable(file, dispute, actor_id),
}


def _check_withdrawable(file: EscrowFile, dispute: Dispute, actor_id: str, now: dt.datetime) -> None:
    check_opener(dispute, actor_id)
    check_clocks_may_run(file, now)


def _check_resolvable(file: EscrowFile, dispute: Dispute, actor_id: str) -> None:
    check_assigned(dispute, actor_id)
    refused_payouts.check_money_may_start(file)


def check(action: str, file: EscrowFile, dispute: Dispute, role: Role, actor_id: str, now: dt.datetime) -> None:
    """Whether somebody may make this move now. Raises the refusal the action answers with."""
    DISPUTE.check(action, dispute, role)
    GUARDS[action](file, dispute, actor_id, now)


def allowed_actions(
    file: EscrowFile, dispute: Dispute, roles: Iterable[Role], actor_id: str, now: dt.datetime
) -> list[str]:
    """The dispute's own moves that somebody in these roles may make now; those of the escrow are the escrow's to
    list."""
    found = [action for action in GUARDS for role in roles if _may(action, file, dispute, role, actor_id, now)]
    return list(dict.fromkeys(found))


def _may(action: str, file: EscrowFile, dispute: Dispute, role: Role, actor_id: str, now: dt.datetime) -> bool:
    try:
        check(action, file, dispute, role, actor_id, now)
    except DomainError:
        return False
    return True
