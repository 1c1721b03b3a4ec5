"""A proposal to settle, as both parties and staff see it."""

from collections.abc import Collection
from typing import Self

from bloxtr8 import clock
from bloxtr8.domain import escrow_moves, settlement_proposals
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import PROPOSAL
from bloxtr8.entities import ProposalStatus, SettlementProposal, Side
from bloxtr8.shapes import Moment, View

_ANSWERS = {move.action for move in PROPOSAL.moves if move.sources}


class ProposalTerms(View):
    """Cents of what remains, before fees: `seller_amount` and `buyer_amount` are all of it."""

    id: str
    proposed_by: Side
    seller_amount: int
    buyer_amount: int
    reason: str
    expires_at: Moment
    created_at: Moment
    ended_at: Moment | None


class ProposalView(ProposalTerms):
    """With its status as of now: EXPIRED too where it was not written yet."""

    status: ProposalStatus
    allowed_actions: list[str]

    @classmethod
    def of(cls, file: EscrowFile, proposal: SettlementProposal, roles: Collection[Role]) -> Self:
        """The view for someone in these roles."""
        now = clock.now()
        allowed = escrow_moves.allowed_actions(file, roles, now) if proposal is file.proposal else []
        return cls(
            **ProposalTerms.model_validate(proposal).model_dump(),
            status=settlement_proposals.standing(file, proposal, now),
            allowed_actions=[action for action in allowed if action in _ANSWERS],
        )
