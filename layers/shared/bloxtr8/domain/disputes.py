"""Disputes: what ends one without an arbiter (states.md, section 7)."""

import datetime as dt

from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import DISPUTE
from bloxtr8.entities import Dispute


def close_by_refund(file: EscrowFile, role: Role, now: dt.datetime) -> list[Dispute]:
    """The seller refunds everything: a live dispute has nothing left to decide. Returns what it closed."""
    return _close(file, "refund_escrow", role, "REFUNDED_BY_SELLER", now)


def close_by_adoption(file: EscrowFile, now: dt.datetime) -> list[Dispute]:
    """The same where everything was refunded in the provider's Dashboard."""
    return _close(file, "adopt_refund", Role.SYSTEM, "REFUNDED_BY_PLATFORM", now)


def close_by_reclaim(file: EscrowFile, now: dt.datetime) -> list[Dispute]:
    """The same where the buyer took the money back from the vault, after its term."""
    return _close(file, "record_reclaim", Role.SYSTEM, "RECLAIMED", now)


def _close(file: EscrowFile, action: str, role: Role, outcome: str, now: dt.datetime) -> list[Dispute]:
    dispute = file.dispute
    if dispute is None:
        return []
    DISPUTE.apply(action, dispute, role)
    dispute.outcome, dispute.closed_at = outcome, now
    return [dispute]
