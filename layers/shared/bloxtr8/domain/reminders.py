"""A day before a deadline whoever it waits for is reminded, once for each deadline (states.md, One clock).

Not of the end of an inspection: the warning before it is a condition of the release (D13), so the deadline's own look
makes it (`warn_inspection`).
"""

import datetime as dt

from bloxtr8 import config
from bloxtr8.entities import Contract, ContractStatus, Escrow, EscrowStatus, Offer, OfferStatus

type Waiting = Escrow | Contract | Offer


def ahead() -> dt.timedelta:
    """How long before a deadline."""
    return dt.timedelta(seconds=config.settings().warn_seconds)


def due(row: Waiting, now: dt.datetime) -> str | None:
    """The reminder that is due, by the name of its audit entry: the buyer's to pay, the seller's to hand over, to sign,
    to answer an offer. None: not yet, no more, or done."""
    found = _deadline(row)
    if found is None:
        return None
    action, deadline = found
    is_due = row.reminded_of != deadline and deadline - ahead() <= now < deadline
    return action if is_due else None


def mark(row: Waiting) -> dt.datetime:
    """It is reminded of its present deadline; one that is moved later is another. Returns the deadline."""
    found = _deadline(row)
    if found is None:
        raise ValueError(f"{row.label} waits for nothing")
    row.reminded_of = found[1]
    return found[1]


def _deadline(row: Waiting) -> tuple[str, dt.datetime] | None:
    """What the row waits for now, and until when."""
    if isinstance(row, Escrow):
        return _of_escrow(row)
    if isinstance(row, Contract):
        return ("remind_signature", row.sign_by) if row.status is ContractStatus.PENDING_SIGNATURE else None
    long = row.expires_at - row.created_at > ahead()  # of one that lives for a day or less there is nothing to forget
    return ("remind_offer", row.expires_at) if long and row.status is OfferStatus.PENDING else None


def _of_escrow(row: Escrow) -> tuple[str, dt.datetime] | None:
    if row.frozen_causes:  # no deadline passes meanwhile
        return None
    if row.status is EscrowStatus.AWAIT_FUNDS and row.deposited < row.gross:
        return "remind_payment", row.fund_by
    if row.status is EscrowStatus.FUNDS_HELD and not row.inspecting and row.deliver_by is not None:
        return "remind_delivery", row.deliver_by
    return None
