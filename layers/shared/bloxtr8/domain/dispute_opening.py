"""Opening a dispute: who may, how often, and what it stops (states.md, sections 4 and 7; D9, D19, D32)."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from bloxtr8 import config, ids
from bloxtr8.domain import disputes, dossier, escrows
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import DELIVERY, ESCROW
from bloxtr8.entities import Delivery, Dispute, Freeze, Snapshot
from bloxtr8.errors import Conflict, RateLimited, Unprocessable


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody says is wrong. The system says it by the code alone."""

    reason_code: str
    title: str | None = None
    description: str | None = None
    evidence_ids: tuple[str, ...] = ()


def check_may_open(action: str, file: EscrowFile, role: Role) -> None:
    """Raises Conflict DISPUTE_EXISTS with its id, what the escrow's lifecycle says, RateLimited above three of one
    party in an escrow. Rejections are counted among themselves: a party that used up the ones can't lose the others."""
    live = file.dispute
    if live is not None:
        raise Conflict("A dispute is under way.", "DISPUTE_EXISTS", disputeId=live.id)
    ESCROW.check(action, file.escrow, role)
    rejects = action == "reject_delivery"
    earlier = [row for row in file.disputes if row.opened_by == role and bool(row.delivery_id) == rejects]
    if len(earlier) >= config.settings().disputes_an_escrow:
        raise RateLimited("No more disputes in this escrow.", retry_after=config.settings().dispute_window_seconds)


def check_not_too_often(mine: Iterable[Dispute], now: dt.datetime) -> None:
    """`mine`: the newest that one person opened. Raises RateLimited above five in 30 days, until the oldest of them is
    older; those by rejection don't count (D32)."""
    settings = config.settings()
    window = dt.timedelta(seconds=settings.dispute_window_seconds)
    recent = sorted(row.created_at for row in mine if row.delivery_id is None and row.created_at > now - window)
    if len(recent) >= settings.disputes_a_user:
        free_at = recent[-settings.disputes_a_user] + window
        raise RateLimited("Too many disputes in 30 days.", retry_after=int((free_at - now).total_seconds()) + 1)


def check_evidence(file: EscrowFile, evidence_ids: Collection[str]) -> None:
    """Whatever is named was filed in this escrow. Raises Unprocessable EVIDENCE_UNKNOWN."""
    unknown = set(evidence_ids) - {row.id for row in file.evidence}
    if unknown:
        raise Unprocessable("That is no evidence of this escrow.", "EVIDENCE_UNKNOWN")


def begin(
    action: str,
    file: EscrowFile,
    role: Role,
    claim: Claim,
    *,
    opener_id: str,
    seen: Snapshot | None,
    now: dt.datetime,
    delivery: Delivery | None = None,
) -> Dispute:
    """open_dispute, reject_delivery (of `delivery`) or open_system_dispute: the escrow is DISPUTED and no clock runs.
    It is escalated at once where a card's money was held too long.

    `seen` is what Roblox showed just now, None where it did not answer. Whether it may be opened was checked before.
    """
    escrow = file.escrow
    ESCROW.check(action, escrow, role)
    facts = dossier.file(file, seen, now)
    dossier.keep(file, seen)
    if delivery is not None:
        DELIVERY.apply(action, delivery, role)
    escrow.frozen_from = str(escrow.status)
    ESCROW.apply(action, escrow, role)
    escrows.thaw(escrow, Freeze.UNKNOWN_OWNER, now)
    escrow.unknown_since = None
    escrows.freeze(escrow, Freeze.DISPUTE, now)
    escrows.plan_look(escrow, now)
    dispute = Dispute(
        escrow_id=escrow.id,
        id=ids.new("dsp"),
        opener_id=opener_id,
        opened_by=str(role),
        delivery_id=delivery.id if delivery else None,
        reason_code=claim.reason_code,
        title=claim.title,
        description=claim.description,
        evidence_ids=list(dict.fromkeys(claim.evidence_ids)),
        facts=facts,
        respond_by=now + dt.timedelta(seconds=config.settings().respond_seconds),
        created_at=now,
    )
    file.disputes.append(dispute)
    if escrows.is_over_limit(escrow, now):
        disputes.escalate(dispute, now)
    return dispute


def noted(dispute: Dispute) -> dict[str, Any]:
    """The audit entry's details of a new dispute."""
    return {"reason": dispute.reason_code, "textSha256": disputes.digest(dispute.title, dispute.description)}
