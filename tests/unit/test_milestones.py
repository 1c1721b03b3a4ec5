"""The rules of parts over random deals: whatever order they are delivered and released in, and however it ends, the
shares are those of the contract's rule, to the cent (states.md, sections 5 and 10; I1 to I4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import money
from bloxtr8.domain import bargaining, chain_actions, ledger, plans
from bloxtr8.domain.bargaining import Proposal
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import (
    EscrowStatus,
    MilestoneStatus,
    SettlementKind,
)
from bloxtr8.errors import DomainError, Unprocessable
from bloxtr8.shapes import Milestone as Asked
from tests.unit.escrow_rows import SELLER, START
from tests.unit.milestone_rows import carry_out, confirm, deal, deliver, release

E, M = EscrowStatus, MilestoneStatus
amounts = st.lists(st.integers(50, 3_000_000), min_size=1, max_size=20)
bps = st.integers(0, 1_000)


@given(amounts, bps, bps, st.booleans(), st.data())
def test_whatever_the_order_nothing_drifts(
    parts: list[int], buyer_bps: int, seller_bps: int, chain: bool, data: st.DataObject
) -> None:
    file = deal(parts, chain=chain, buyer_fee_bps=buyer_bps, seller_fee_bps=seller_bps)
    escrow, total = file.escrow, sum(parts)

    def at_once(share: int) -> money.Share:
        return money.settle(
            amount=total, buyer_fee_bps=buyer_bps, seller_fee_bps=seller_bps, seller_share=share, held=escrow.gross
        )

    for _ in range(data.draw(st.integers(0, len(parts)))):
        open_ones = [row.n for row in file.unreleased]
        if not open_ones:
            break
        last = len(open_ones) == 1
        if data.draw(st.booleans()):
            if not escrow.inspecting:
                deliver(file)
            confirm(file)
        else:
            release(file, data.draw(st.sampled_from(open_ones)))
        with pytest.raises(DomainError):  # one at a time
            plans.start(file, "refund_escrow", Role.SELLER, actor=SELLER, to_seller=0, reason="no", now=START)
        done = carry_out(file)
        assert done.kind == (SettlementKind.RELEASE if last else SettlementKind.MILESTONE)
        so_far = sum(row.amount for row in file.milestones if row.status is M.RELEASED)
        assert (escrow.seller_share, plans.remaining(file)) == (so_far, total - so_far)
        shares = at_once(so_far)
        assert (escrow.released, escrow.fees) == (shares.seller, shares.platform)
        assert (escrow.status in ledger.ENDS) == last
    rest = plans.remaining(file)
    if rest:
        to_seller = data.draw(st.integers(0, rest))
        plans.start(file, "refund_escrow", Role.SELLER, actor=SELLER, to_seller=to_seller, reason="x", now=START)
        carry_out(file)
    shares = at_once(escrow.seller_share)
    assert (escrow.released, escrow.fees, escrow.refunded) == (shares.seller, shares.platform, shares.buyer)
    assert (escrow.held, escrow.settlement_id) == (0, None)
    assert {row.status for row in file.milestones} <= {M.RELEASED, M.REFUNDED, M.CANCELLED}
    ended = E.RELEASED if escrow.seller_share == total else E.SPLIT if escrow.seller_share else E.REFUNDED
    assert escrow.status is ended
    if chain:  # each index once, and never two names for one thing
        calls = [leg.action for leg in file.legs]
        assert len(calls) == len(set(calls))
        named = [chain_actions.action(call) for call in calls if call is not None]
        assert [one.kind for one in named] == [plan.kind for plan in file.settlements]


@given(st.lists(st.integers(1, 5_000_000), min_size=1, max_size=20), st.data())
def test_parts_are_taken_where_they_are_the_whole_and_the_asset_is_late_or_large(
    cents: list[int], data: st.DataObject
) -> None:
    marked = data.draw(st.sets(st.integers(0, len(cents) - 1), max_size=2))
    asked = [
        Asked.model_validate({"title": "x", "amountCents": amount, "transfersAsset": n in marked})
        for n, amount in enumerate(cents)
    ]
    amount = data.draw(st.sampled_from([sum(cents), sum(cents) + 1]))
    at = min(marked, default=len(cents) - 1)
    good = (
        amount == sum(cents)
        and min(cents) >= 50
        and len(marked) < 2
        and (at == len(cents) - 1 or 2 * cents[at] >= amount)
    )
    terms = Proposal(amount, None, None, asked)
    if not good:
        with pytest.raises(Unprocessable):
            bargaining.parts(terms)
    else:
        assert [part["transfersAsset"] for part in bargaining.parts(terms)] == [n == at for n in range(len(cents))]
