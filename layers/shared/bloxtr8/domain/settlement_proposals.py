"""Settlements that the parties agree on: one names both parts, the other takes them or not (states.md, section 5; M46).
What an offer asks for is `proposals`, another thing.

One proposal lives at a time. It ends with its seven days, lazily, or as soon as what it divides is decided otherwise.
"""

import datetime as dt

from bloxtr8 import ids
from bloxtr8.actors import Actor
from bloxtr8.domain import disputes, escrows, legs, plans, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW, PROPOSAL
from bloxtr8.entities import (
    Entity,
    EscrowStatus,
    Hold,
    ProposalStatus,
    Settlement,
    SettlementProposal,
    SettlementStatus,
    Side,
)
from bloxtr8.errors import Conflict, Expired, InvalidState, NotFound, Unprocessable

STANDS = dt.timedelta(days=7)
MOST = 20  # of one side, in one escrow: the partition is read as a whole


# --- what there is to divide


def refused_payout(file: EscrowFile) -> Settlement | None:
    """The settlement that another plan may replace: it is parked because its payout was refused, and nothing of it
    moved, nor may have."""
    escrow = file.escrow
    if escrow.settlement_id is None or Hold.PAYOUT_FAILED not in escrow.holds:
        return None
    settlement = file.settlement(escrow.settlement_id)
    moved = any(leg.status in legs.MOVED for leg in file.legs_of(settlement.id))
    return None if moved or settlement.status is not SettlementStatus.PARKED else settlement


def to_divide(file: EscrowFile) -> int:
    """What a proposal divides, in cents: what remains, and what the refused payout would have settled."""
    replaced = refused_payout(file)
    return plans.remaining(file) + (replaced.seller_share + replaced.buyer_share if replaced else 0)


def standing(file: EscrowFile, proposal: SettlementProposal, now: dt.datetime) -> ProposalStatus:
    """Its status as of now: EXPIRED where its time is over, or what it divides has changed, written or not."""
    held = file.escrow.status in escrows.MONEY_HELD
    lives = held and proposal.expires_at > now and proposal.remaining == to_divide(file)
    if proposal.status is ProposalStatus.OPEN and not lives:
        return ProposalStatus.EXPIRED
    return proposal.status


def find(file: EscrowFile, proposal_id: str) -> SettlementProposal:
    """The proposal named in a path. Raises NotFound."""
    for proposal in file.proposals:
        if proposal.id == proposal_id:
            return proposal
    raise NotFound("There is no such proposal.")


# --- guards


def check_propose(file: EscrowFile, role: Role, now: dt.datetime) -> None:
    """Whether a party may propose now. Raises InvalidState, Conflict PROPOSAL_OPEN, Unprocessable
    TOO_MANY_PROPOSALS."""
    _check_place("propose_settlement", file, role)
    live = file.proposal
    if live is not None and standing(file, live, now) is ProposalStatus.OPEN:
        raise Conflict("A proposal waits for its answer.", "PROPOSAL_OPEN", proposalId=live.id)
    if sum(row.proposed_by == Side(role) for row in file.proposals) >= MOST:
        raise Unprocessable(f"Each side proposes at most {MOST} times.", "TOO_MANY_PROPOSALS")


def check_answer(action: str, file: EscrowFile, role: Role, proposal: SettlementProposal, now: dt.datetime) -> None:
    """Whether `role` may accept, reject or withdraw it now. Raises Forbidden, InvalidState, Expired PROPOSAL_EXPIRED;
    for accept_settlement, which starts money, SETTLEMENT_IN_PROGRESS or ESCROW_ON_HOLD too."""
    _check_place(action, file, role)
    if standing(file, proposal, now) is ProposalStatus.EXPIRED:
        raise Expired("The proposal stands no more.", "PROPOSAL_EXPIRED")
    PROPOSAL.check(action, proposal, _part(proposal, role))
    if action == "accept_settlement":
        _check_money(file)


def check_live(action: str, file: EscrowFile, role: Role, now: dt.datetime) -> None:
    """The same for the proposal that waits, for `allowedActions`. Raises NotFound where there is none."""
    if file.proposal is None:
        raise NotFound("There is no proposal.")
    check_answer(action, file, role, file.proposal, now)


def _check_place(action: str, file: EscrowFile, role: Role) -> None:
    """The escrow's own row: from SETTLING only while a refused payout may be replaced."""
    ESCROW.check(action, file.escrow, role)
    if file.escrow.status is EscrowStatus.SETTLING and refused_payout(file) is None:
        raise InvalidState("The money is on its way.", currentStatus=str(file.escrow.status))


def _check_money(file: EscrowFile) -> None:
    """No other settlement under way, and no hold but the one that the refused payout placed."""
    if refused_payout(file) is None:
        escrows.check_money_may_start(file.escrow)
    elif file.escrow.holds != {Hold.PAYOUT_FAILED}:
        raise Conflict("The escrow is on hold.", "ESCROW_ON_HOLD", holds=sorted(file.escrow.holds))


def _part(proposal: SettlementProposal, role: Role) -> Role:
    return Role.PROPOSER if str(proposal.proposed_by) == str(role) else Role.RESPONDER


# --- moves


def propose(
    file: EscrowFile, role: Role, *, to_seller: int, to_buyer: int, reason: str, now: dt.datetime
) -> list[SettlementProposal]:
    """propose_settlement: returns the new one first, and the one before it where that has expired unseen.

    Raises as `check_propose`, and Unprocessable SUM_MISMATCH.
    """
    check_propose(file, role, now)
    rest = to_divide(file)
    plans.check_sums(rest, to_seller, to_buyer)
    expired = plans.expire_proposal(file, now)
    proposal = SettlementProposal(
        escrow_id=file.escrow.id,
        id=ids.new("prp"),
        proposed_by=Side(role),
        seller_amount=to_seller,
        buyer_amount=to_buyer,
        remaining=rest,
        reason=reason,
        expires_at=now + STANDS,
        created_at=now,
    )
    file.proposals.append(proposal)
    return [proposal, *expired]


def end(action: str, file: EscrowFile, role: Role, proposal: SettlementProposal, now: dt.datetime) -> None:
    """reject_settlement or withdraw_settlement: nothing else changes. Raises as `check_answer`."""
    check_answer(action, file, role, proposal, now)
    PROPOSAL.apply(action, proposal, _part(proposal, role))
    proposal.ended_at = now


def accept(
    file: EscrowFile, role: Role, proposal: SettlementProposal, *, actor: Actor, now: dt.datetime
) -> list[Entity]:
    """accept_settlement: the parts become a plan; a live dispute has nothing left to decide, a refused payout gives
    way. Returns the rows beside the escrow. Raises as `check_answer`."""
    action = "accept_settlement"
    end(action, file, role, proposal, now)
    dropped = _give_way(file, role, now)
    planned = plans.plan_split(
        file,
        action,
        role,
        actor=actor,
        to_seller=proposal.seller_amount,
        to_buyer=proposal.buyer_amount,
        reason=proposal.reason,
        now=now,
    )
    return [proposal, *dropped, *planned.rows, *disputes.close_by_agreement(file, role, now)]


def _give_way(file: EscrowFile, role: Role, now: dt.datetime) -> list[Settlement]:
    """The refused payout is DROPPED, and the hold it placed is gone with it."""
    replaced = refused_payout(file)
    if replaced is None:
        return []
    settlements.drop(replaced, "accept_settlement", role, now)
    file.escrow.settlement_id = None
    file.escrow.holds = frozenset(file.escrow.holds - {Hold.PAYOUT_FAILED})
    return [replaced]
