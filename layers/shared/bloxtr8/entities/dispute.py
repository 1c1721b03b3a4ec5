"""Disputes, and what is said in them."""

from enum import StrEnum
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from bloxtr8.entities.base import EnumAttribute, HasUlid, IntegerAttribute, TimeAttribute
from bloxtr8.entities.escrow import EscrowRow
from bloxtr8.ids import ulid_of


class DisputeStatus(StrEnum):
    OPEN = "OPEN"
    IN_REVIEW = "IN_REVIEW"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"


class Dispute(HasUlid, EscrowRow, discriminator="Dispute"):
    """A dispute, opened by a party or by the system (section 7). Its texts are personal data: in no log, no event and
    no audit entry, which keeps their hash."""

    id = UnicodeAttribute()
    opener_id = UnicodeAttribute()
    opened_by = UnicodeAttribute(default="SYSTEM")  # BUYER, SELLER or SYSTEM
    delivery_id = UnicodeAttribute(null=True)  # the delivery whose rejection opened it
    reason_code = UnicodeAttribute()
    title = UnicodeAttribute(null=True)
    description = UnicodeAttribute(null=True)
    evidence_ids: Any = JSONAttribute(default=list)
    facts: Any = JSONAttribute(null=True)  # what was so when it was opened (domain.dossier.file), never changed
    status = EnumAttribute(DisputeStatus, default=DisputeStatus.OPEN)
    assignee_id = UnicodeAttribute(null=True)
    assigned_at = TimeAttribute(null=True)
    posted: Any = JSONAttribute(default=dict)  # {user id: {"since": iso, "recent": n, "total": n}}
    decision = UnicodeAttribute(null=True)  # RELEASE, REFUND or SPLIT
    seller_amount = IntegerAttribute(null=True)
    buyer_amount = IntegerAttribute(null=True)
    resolution = UnicodeAttribute(null=True)
    resolved_at = TimeAttribute(null=True)
    settlement_id = UnicodeAttribute(null=True)  # the one that carries the decision
    outcome = UnicodeAttribute(null=True)  # how it was closed: WITHDRAWN, EXECUTED, REFUNDED_BY_SELLER …
    respond_by = TimeAttribute()
    reminded_of = TimeAttribute(null=True)  # `respond_by`, once who has to respond was reminded
    escalated_at = TimeAttribute(null=True)
    closed_at = TimeAttribute(null=True)
    created_at = TimeAttribute()

    @property
    def remind(self) -> str | None:
        """The shelf of the day of its deadline, until it was reminded of."""
        waits = self.reminded_of is None and self.closed_at is None
        return f"REMIND#{self.respond_by.date()}" if waits else None


class DisputeMessage(EscrowRow, discriminator="DisputeMessage"):
    """What somebody said in a dispute, never changed; the dispute's own partition keeps them in order."""

    id = UnicodeAttribute()
    dispute_id = UnicodeAttribute()
    author_id = UnicodeAttribute()
    role = UnicodeAttribute()  # BUYER, SELLER or ARBITER
    text = UnicodeAttribute()
    evidence_ids: Any = JSONAttribute(default=list)
    at = TimeAttribute()

    @property
    def dispute_ulid(self) -> str:
        return ulid_of(self.dispute_id)
