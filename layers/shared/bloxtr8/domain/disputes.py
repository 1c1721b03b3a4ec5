"""Disputes: what ends one without an arbiter (states.md, section 7)."""

import datetime as dt

from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import DISPUTE
from bloxtr8.entities import Dispute


def close_by_refund(file: EscrowFile, role: Role, now: dt.datetime) -> list[Dispute]:
    """The seller refunds everything: a live dispute has nothing left to decide. Returns what it closed."""
    dispute = file.dispute
    if dispute is None:
        return []
    DISPUTE.apply("refund_escrow", dispute, role)
    dispute.outcome, dispute.closed_at = "REFUNDED_BY_SELLER", now
    return [dispute]
