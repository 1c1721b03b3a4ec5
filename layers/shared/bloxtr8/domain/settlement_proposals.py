"""Settlements that the parties agree on: one names both parts, the other takes them or not (states.md, section 5; M46).
What an offer asks for is `proposals`, another thing.

One proposal lives at a time. It ends with its seven days, lazily, or as soon as what it divides is decided otherwise.
"""

import datetime as dt

from bloxtr8 import ids
from bloxtr8.actors import Actor
from bloxtr8.domain import disputes, escrows, plans, refused_payouts
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW, PROPOSAL
from bloxtr8.entities import (
    Entity,
    EscrowStatus,
    ProposalStatus,
    SettlementProposal,
    Side,
)
from bloxtr8.errors import Conflict, Expired, InvalidState, NotFound, Unprocessable

STANDS = dt.timedelta(days=7)
MOST = 20  # of one side, in one escrow: the partition is read as a whole


def standing(file: EscrowFile, proposal: SettlementProposal, now: dt.datetime) -> ProposalStatus:
    """Its status as of now: EXPIRED where its time is over, or what it divides has changed, written or not."""
    held = file.escrow.status in escrows.MONEY_HELD
    lives = held and proposal.expires_at > now and proposal.remaining == refused_payouts.to_divide(file)
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
        refused_payouts.check_money_may_start(file)


def check_live(action: str, file: EscrowFile, role: Role, now: dt.datetime) -> None:
    """The same for the proposal that waits, for `allowedActions`. Raises NotFound where there is none."""
    if file.proposal is None:
        raise NotFound("There is no proposal.")
    check_answer(action, file, role, file.proposal, now)


def _check_place(action: str, file: EscrowFile, role: Role) -> None:
    """The escrow's own row: from SETTLING only while a refused payout may be replaced."""
    ESCROW.check(action, file.escrow, role)
    if file.escrow.status is EscrowStatus.SETTLING and refused_payouts.refused(file) is None:
        raise InvalidState("The money is on its way.", currentStatus=str(file.escrow.status))


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
    rest = refused_payouts.to_divide(file)
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
    dropped = refused_payouts.give_way(file, action, role, now)
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
