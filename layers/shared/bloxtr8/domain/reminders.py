"""A day before a deadline whoever it waits for is reminded, once for each deadline (states.md, One clock).

Not of the end of an inspection: the warning before it is a condition of the release (D13), so the deadline's own look
makes it (`warn_inspection`).
"""

import datetime as dt
from typing import Any, NamedTuple

from bloxtr8 import clock, config
from bloxtr8.domain import disputes, settlement_proposals
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import (
    Contract,
    ContractStatus,
    Dispute,
    Escrow,
    EscrowStatus,
    Offer,
    OfferStatus,
    ProposalStatus,
    SettlementProposal,
    Side,
)

type Waiting = Escrow | Contract | Offer
type Asked = SettlementProposal | Dispute


class Reminder(NamedTuple):
    """Its audit entry: the name, and whose answer is waited for, to what, until when."""

    action: str
    details: dict[str, Any]


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


# --- what one party asks of the other within a trade


def shelves(now: dt.datetime) -> list[str]:
    """Where those lie whose deadline comes within a day: of its date, so that nothing has to be taken off a shelf."""
    return [f"REMIND#{day}" for day in dict.fromkeys((now.date(), (now + ahead()).date()))]


def is_near(row: Asked, now: dt.datetime) -> bool:
    """Whether its one reminder is due, as far as the row itself tells."""
    deadline = _asked_by(row)
    return row.reminded_of is None and deadline - ahead() <= now < deadline


def answer(file: EscrowFile, row: Asked, now: dt.datetime) -> Reminder | None:
    """The reminder of a proposal to the other party, or of a dispute to whoever has to respond; the row is marked.
    None: not yet, no more, or done."""
    found = _of_proposal(file, row, now) if isinstance(row, SettlementProposal) else _of_dispute(file, row)
    if found is None or not is_near(row, now):
        return None
    row.reminded_of = _asked_by(row)
    return found._replace(details=found.details | {"deadline": clock.iso(row.reminded_of)})


def _asked_by(row: Asked) -> dt.datetime:
    return row.expires_at if isinstance(row, SettlementProposal) else row.respond_by


def _of_proposal(file: EscrowFile, row: SettlementProposal, now: dt.datetime) -> Reminder | None:
    if settlement_proposals.standing(file, row, now) is not ProposalStatus.OPEN:
        return None
    other = Side.SELLER if row.proposed_by is Side.BUYER else Side.BUYER
    return Reminder("remind_proposal", {"proposalId": row.id, "parties": [other]})


def _of_dispute(file: EscrowFile, row: Dispute) -> Reminder | None:
    """The system asks both parties, and either answers it."""
    sides = {file.escrow.buyer_id: Side.BUYER, file.escrow.seller_id: Side.SELLER}
    asked = {user_id: side for user_id, side in sides.items() if user_id != row.opener_id}
    if row.status not in disputes.LIVE or row.posted.keys() & asked.keys():
        return None
    return Reminder("remind_response", {"disputeId": row.id, "parties": [*asked.values()]})
