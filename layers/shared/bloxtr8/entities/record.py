"""The record: audit entries, webhook events, operations, look-ups and idempotency rows."""

import datetime as dt
from enum import StrEnum
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from bloxtr8 import clock
from bloxtr8.entities.base import Entity, EnumAttribute, IntegerAttribute, Root, TimeAttribute


class WebhookStatus(StrEnum):
    RECEIVED = "RECEIVED"
    PROCESSED = "PROCESSED"
    FAILED = "FAILED"
    DEAD = "DEAD"


class AuditEntry(Entity, discriminator="AuditEntry"):
    """One action, one transaction, one entry; `hash` covers the entry and the one before it. Never changed
    (table.md, Audit)."""

    root_id = UnicodeAttribute()
    seq = IntegerAttribute()
    at = TimeAttribute()
    actor = UnicodeAttribute()
    role = UnicodeAttribute()
    action = UnicodeAttribute()
    escrow_id = UnicodeAttribute(null=True)
    changes: Any = JSONAttribute(default=list)  # [{"type", "id", "from", "to", "version"}]
    created: Any = JSONAttribute(default=list)  # [{"type", "id"}]
    details: Any = JSONAttribute(default=dict)
    parent = UnicodeAttribute(null=True)
    previous = UnicodeAttribute()
    hash = UnicodeAttribute()

    @property
    def id(self) -> str:
        return f"{self.root_id}-{self.seq}"

    @property
    def day(self) -> str:
        return clock.iso(self.at)[:10]


class WebhookEvent(Entity, discriminator="WebhookEvent"):
    """A provider's event, stored before anything is done about it; a duplicate finds the row there (section 8)."""

    provider = UnicodeAttribute()
    account = UnicodeAttribute()
    event_id = UnicodeAttribute()
    event_type = UnicodeAttribute()
    payload: Any = JSONAttribute()  # what is read of it (stripe_events.essentials): no person's data, no secret
    body_key = UnicodeAttribute(null=True)  # where a body above 8 KiB lies in the evidence bucket (table.md, Sizes)
    status = EnumAttribute(WebhookStatus, default=WebhookStatus.RECEIVED)
    attempts = IntegerAttribute(default=0)  # that failed, since the last that only had to wait
    waits = IntegerAttribute(default=0)
    error = UnicodeAttribute(null=True)
    received_at = TimeAttribute()
    next_try = TimeAttribute(null=True)  # after a failure: later each time, so that an outage of hours kills no event
    processed_at = TimeAttribute(null=True)

    @property
    def id(self) -> str:
        return f"{self.provider}#{self.account}#{self.event_id}"

    @property
    def queue(self) -> str | None:
        return "QUEUE#WEBHOOK" if self.status in {WebhookStatus.RECEIVED, WebhookStatus.FAILED} else None

    @property
    def turn(self) -> dt.datetime:
        """When it is tried next."""
        return self.next_try or self.received_at


class Operation(Entity, discriminator="Operation"):
    """The intent of a call to a provider that is no leg, stored before it: customer, account, open, cancel
    (rail-stripe.md)."""

    owner = UnicodeAttribute()  # the partition it lies in: USER#… or ESCROW#…
    name = UnicodeAttribute()
    attempt = IntegerAttribute(default=1)
    params_hash = UnicodeAttribute()
    external_id = UnicodeAttribute(null=True)
    first_sent_at = TimeAttribute()


class Lookup(Entity, discriminator="Lookup"):
    """Whose an outside id is; put-if-absent, so an id counts once. index: PI, CH, TR, RE, SHA256."""

    index = UnicodeAttribute()
    value = UnicodeAttribute()
    target = UnicodeAttribute()


class Place(Entity, discriminator="Place"):
    """How far a job came that can't look at all that is due in one run. It goes on from there."""

    shelf = UnicodeAttribute()  # DUE#…
    key: Any = JSONAttribute(null=True)  # of the last row it read; none at the beginning


class Reconciliation(Root, discriminator="Reconciliation"):
    """A day's comparison of the books with the providers' (states.md, I1 to I7). Amounts in cents.

    `suspects` differed once; what differs a second time, minutes later, is one of `differences`: money in motion is
    at one place a moment before it is at the other.
    """

    day = UnicodeAttribute()  # 2026-11-29
    phase = UnicodeAttribute(default="PARKED")
    cursor: Any = JSONAttribute(null=True)  # how far the phase is
    totals: Any = JSONAttribute(default=dict)  # by rail: {"escrows", "held", "surplus"}
    ended = IntegerAttribute(default=0)  # escrows that ended of late and were compared
    balance: Any = JSONAttribute(default=dict)  # of the platform at Stripe: {"before", "after"}, available and pending
    events: Any = JSONAttribute(default=dict)  # of Stripe, replayed: {"seen", "lost"}
    suspects: Any = JSONAttribute(default=list)
    once_more: Any = JSONAttribute(default=list)  # the suspects after these
    differences: Any = JSONAttribute(default=list)  # [{"code", "escrowId", "booked", "found"}]
    recheck_at = TimeAttribute(null=True)
    started_at = TimeAttribute()
    finished_at = TimeAttribute(null=True)

    @property
    def id(self) -> str:
        return f"rec_{self.day}"


class Idempotency(Entity, discriminator="Idempotency"):
    """The answer of a committed action under the caller's Idempotency-Key, kept for a day (table.md)."""

    caller = UnicodeAttribute()
    action = UnicodeAttribute()
    key = UnicodeAttribute()
    fingerprint = UnicodeAttribute()
    answer = UnicodeAttribute()
