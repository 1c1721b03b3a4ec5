"""A part that the buyer's bank took, of a trade in which something was handed over (states.md, section 4)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bloxtr8 import money
from bloxtr8.domain import (
    chargebacks,
    dispute_opening,
    hand_refunds,
    ledger,
    plans,
    settlement_proposals,
    settlements,
)
from bloxtr8.domain.dossier import Owner
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.losses import Lost
from bloxtr8.entities import Account, EscrowStatus, SettlementStatus
from tests.unit.escrow_rows import BUYER, START, finish, paid, pay_out, start
from tests.unit.milestone_rows import carry_out, confirm, deal, deliver, release

E, S = EscrowStatus, SettlementStatus


def lose(file: EscrowFile, amount: int) -> None:
    """The bank takes so much, and keeps it."""
    row = chargebacks.record(
        file, f"dp_{len(file.chargebacks)}", charge_id="ch_1", amount=amount, inquiry=False, reason=None, now=START
    )
    before = len(file.ledger)
    lost = chargebacks.lose(file, row, actor=BUYER, now=START)
    file.ledger += [line for line in lost.rows if line.entity == "LedgerLine"]  # type: ignore[misc]
    assert len(file.ledger) > before


def reinstate(file: EscrowFile, back: int, owner: Owner = Owner.SELLER) -> Lost:
    """The bank gives so much of it back, and the asset is somebody's then."""
    return chargebacks.reinstate(file, file.chargebacks[0], back, owner=owner, actor=BUYER, now=START)


@given(
    to_seller=st.integers(0, 10_000),
    buyer_bps=st.sampled_from([0, 100, 333]),
    lost=st.integers(1, 10_000),
    again=st.integers(1, 10_000),
    first=st.sampled_from([None, 0, 1]),
)
@example(to_seller=5_000, buyer_bps=100, lost=1_000, again=1, first=1)  # the fee of a smaller part is smaller
@example(to_seller=69, buyer_bps=0, lost=9_998, again=1, first=None)
def test_every_cent_is_paid_once_whatever_the_bank_takes(
    to_seller: int, buyer_bps: int, lost: int, again: int, first: int | None
) -> None:
    """The seller gets all of his part while the bank took no more than is left of the buyer's, and never more; of what
    he gets the fees are as always, whoever was paid before the bank took it (section 10)."""
    file = paid(buyer_fee_bps=buyer_bps)
    planned = start(file, to_seller)
    has_been_paid = [planned.legs[first].pays] if first is not None and len(planned.legs) == 2 else []
    for leg in [one for one in planned.legs if one.pays in has_been_paid]:
        settlements.send(leg, planned.settlement, START)
        file.ledger += settlements.confirm(file, leg, "tr_first", START)
    for amount in (lost, again):
        if file.escrow.status is E.SETTLING:
            lose(file, amount)
    live = [row for row in settlements.live(file) if row.kind not in settlements.APART]
    if file.escrow.status is E.SETTLING:
        (last,) = live
        pay_out(file, plans.Planned(last, file.legs_of(last.id)))
        finish(file, last)
    assert file.escrow.status in {E.RELEASED, E.REFUNDED, E.SPLIT}
    found = ledger.balance(file.escrow, file.ledger)
    assert found.balanced
    bank = sum(row.amount for row in file.chargebacks)
    paid_to_seller = found.accounts[Account.SELLER]
    assert paid_to_seller <= to_seller
    if file.escrow.status is not E.REFUNDED:
        share, buyers = file.escrow.seller_share, 0 if "BUYER" in has_been_paid else 10_000 - to_seller
        assert share == to_seller - (0 if "SELLER" in has_been_paid else max(0, bank - buyers))
        buyer_fee = money.fee(10_000, buyer_bps)
        assert paid_to_seller == share - money.fee(share, 290)
        assert found.accounts[Account.FEES] == money.fee(share, 290) + buyer_fee * share // 10_000
    assert sum(row.status is SettlementStatus.OPEN for row in live) <= 1


@pytest.mark.parametrize("status", [E.DELIVERED, E.DISPUTED])
def test_what_nobody_has_decided_yet_is_less(status: EscrowStatus) -> None:
    file = paid(status)
    lose(file, 3_000)
    assert (file.escrow.status, plans.remaining(file), file.escrow.held) == (status, 7_000, 7_000)
    lose(file, 7_000)
    assert (file.escrow.status, file.escrow.reason, file.escrow.held) == (E.REFUNDED, "CHARGEBACK", 0)


def test_of_milestones_the_bank_takes_first_what_nobody_has_released() -> None:
    file = deal([4_000, 3_000, 3_000])
    deliver(file)
    confirm(file)
    lose(file, 5_000)
    (milestone,) = file.settlements
    assert (file.escrow.status, milestone.status, plans.remaining(file)) == (E.FUNDS_HELD, S.OPEN, 1_000)
    lose(file, 2_000)  # a thousand more than was left
    old, new = (row for row in file.settlements if row.kind not in settlements.APART)
    assert (old.status, new.kind, new.seller_share, plans.remaining(file)) == (S.DROPPED, "RELEASE", 3_000, 0)


@pytest.mark.parametrize("where", [E.FUNDS_HELD, E.DELIVERED, E.DISPUTED])
@pytest.mark.parametrize(("lost", "released"), [(6_000, 3_884), (7_000, 2_913)])
def test_of_milestones_nothing_is_delivered_for_what_the_bank_has_all_of(
    lost: int, released: int, where: EscrowStatus
) -> None:
    """What was released before is the end of the escrow, wherever it stands."""
    file = deal([4_000, 6_000], buyer_fee_bps=100)
    deliver(file)
    confirm(file)
    settlement_proposals.propose(file, Role.BUYER, to_seller=0, to_buyer=6_000, reason="test", now=START)
    if where is E.DELIVERED:
        deliver(file)
    if where is E.DISPUTED:
        claim = dispute_opening.Claim("OTHER")
        dispute_opening.begin("open_dispute", file, Role.BUYER, claim, opener_id=BUYER.id, seen=None, now=START)
    assert file.escrow.status is where

    lose(file, lost)

    (proposal,) = file.proposals
    assert (file.escrow.status, file.escrow.frozen_causes, proposal.status) == (E.SETTLING, frozenset(), "EXPIRED")
    assert [row.outcome for row in file.disputes] == ["CHARGEBACK"] * (where is E.DISPUTED)
    assert carry_out(file).kind == "RELEASE"
    assert (file.escrow.status, file.escrow.held, file.escrow.released) == (E.SPLIT, 0, released)
    assert [str(row.status) for row in file.milestones] == ["RELEASED", "REFUNDED"]
    assert [str(row.status) for row in file.deliveries] == ["CONFIRMED", "CANCELLED"]


def test_of_milestones_what_comes_back_after_the_end_is_for_people_where_the_seller_has_too_little() -> None:
    file = deal([4_000, 3_000, 3_000], buyer_fee_bps=100)
    deliver(file)
    confirm(file)
    lose(file, 7_000)  # a thousand of it is what the first was to be paid
    carry_out(file)
    assert (file.escrow.status, file.escrow.held, file.escrow.refunded) == (E.SPLIT, 0, 70)
    found = reinstate(file, 7_000)
    assert (found.started, file.escrow.surplus, file.escrow.quarantined) == ([], 7_000, 7_000)


def test_of_a_cent_that_the_bank_has_left_the_fee_may_be_all() -> None:
    file = deal([3_448, 6_552])
    deliver(file)
    confirm(file)
    carry_out(file)
    deliver(file)
    lose(file, 6_551)
    confirm(file)
    assert (carry_out(file).to_platform, file.legs[1:]) == (1, [])
    assert (file.escrow.status, file.escrow.held, file.escrow.fees) == (E.SPLIT, 0, 100)


def test_no_escrow_ends_that_holds_money() -> None:
    file = paid()
    planned = start(file, None)
    pay_out(file, planned)
    file.escrow.held = 1
    with pytest.raises(ValueError, match="still holds 1 cent"):
        settlements.close(file, planned.settlement, None, sold=True, now=START)


@pytest.mark.parametrize("handed_over", [False, True])
def test_of_milestones_what_the_buyer_may_have_both_of_is_for_people(handed_over: bool) -> None:
    file = deal([5_000, 5_000], funded_at=START)  # the first hands no asset over
    if handed_over:
        deliver(file)
    lose(file, 10_000)
    assert file.escrow.status is E.REFUNDED
    assert chargebacks.goes_by_owner(file, file.chargebacks[0], 10_000) is not handed_over
    found = reinstate(file, 10_000)
    assert file.escrow.surplus == 10_000
    assert (file.escrow.quarantined, len(found.started)) == ((10_000, 0) if handed_over else (0, 1))


@pytest.mark.parametrize("owner", list(Owner))
def test_what_comes_back_is_the_buyers_only_where_the_seller_is_seen_with_the_asset(owner: Owner) -> None:
    file = paid(E.FUNDS_HELD, funded_at=START)
    lose(file, 10_000)
    found = reinstate(file, 10_000, owner)
    assert (file.escrow.quarantined, len(found.started)) == ((0, 1) if owner is Owner.SELLER else (10_000, 0))


def test_what_comes_back_of_a_trade_that_was_never_paid_for_is_the_buyers() -> None:
    """Whose the asset is has nothing to do with it."""
    file = paid(E.AWAIT_FUNDS)
    lose(file, 10_000)
    assert not chargebacks.goes_by_owner(file, file.chargebacks[0], 10_000)
    assert len(reinstate(file, 10_000, Owner.UNKNOWN).started) == 1


def test_of_milestones_nothing_is_released_that_the_bank_has() -> None:
    file = deal([4_000, 3_000, 3_000])
    deliver(file)
    lose(file, 7_000)
    confirm(file)
    assert carry_out(file).kind == "RELEASE"
    assert (file.escrow.status, file.escrow.held, file.escrow.released) == (E.SPLIT, 0, 2_913)
    assert [str(row.status) for row in file.milestones] == ["RELEASED", "REFUNDED", "REFUNDED"]
    assert [str(row.status) for row in file.deliveries] == ["CONFIRMED", "CANCELLED", "CANCELLED"]
    assert [row.released_at is not None for row in file.milestones] == [True, False, False]


def test_of_milestones_the_one_that_a_rest_is_paid_for_is_released() -> None:
    file = deal([4_000, 3_000, 3_000])
    deliver(file)
    lose(file, 5_000)
    confirm(file)
    carry_out(file)
    release(file, 2)  # before the second: a thousand is left for it
    carry_out(file)
    assert (file.escrow.status, file.escrow.held) == (E.SPLIT, 0)
    assert [str(row.status) for row in file.milestones] == ["RELEASED", "REFUNDED", "RELEASED"]
    assert [str(row.status) for row in file.deliveries] == ["CONFIRMED", "CANCELLED", "CONFIRMED"]


def test_before_anything_was_handed_over_the_trade_is_over_and_the_rest_is_the_buyers() -> None:
    file = paid(E.FUNDS_HELD)
    lose(file, 3_000)
    assert (file.escrow.status, file.escrow.surplus) == (E.REFUNDED, 7_000)


def test_what_was_once_the_buyers_was_handed_over_though_it_waits_to_be_delivered_again() -> None:
    file = paid(E.FUNDS_HELD, at_buyer_at=START)
    lose(file, 3_000)
    assert (file.escrow.status, file.escrow.held, file.escrow.surplus) == (E.FUNDS_HELD, 7_000, 0)


# --- refunded by hand


def by_hand(file: EscrowFile, amount: int) -> None:
    """Somebody refunds so much in the Dashboard."""
    lost = hand_refunds.take(file, f"re_{len(file.legs)}", amount, actor=BUYER, now=START)
    file.ledger += [line for line in lost.rows if line.entity == "LedgerLine"]  # type: ignore[misc]
    file.escrow.holds = frozenset()


@given(
    to_seller=st.integers(0, 10_000),
    buyer_bps=st.sampled_from([0, 100, 333]),
    amounts=st.lists(st.integers(1, 5_000), min_size=1, max_size=3),
    bank=st.integers(0, 3_000),
    first=st.booleans(),
)
def test_every_cent_is_paid_once_whatever_is_refunded_by_hand(
    to_seller: int, buyer_bps: int, amounts: list[int], bank: int, first: bool
) -> None:
    """The buyer has all that is not the seller's; the seller loses nothing while no more than the buyer's went back."""
    file = paid(buyer_fee_bps=buyer_bps)
    gross = file.escrow.gross
    planned = start(file, to_seller)
    if first and len(planned.legs) == 2:
        leg = planned.legs[0]
        settlements.send(leg, planned.settlement, START)
        file.ledger += settlements.confirm(file, leg, "tr_first", START)
    went = 0
    for amount in amounts:
        amount = min(amount, gross - went - bank)  # no more than was paid
        went += amount
        if amount:
            by_hand(file, amount)
    if bank:
        lose(file, bank)
    for row in [one for one in settlements.live(file) if one.kind != "RECOVERY"]:
        pay_out(file, plans.Planned(row, file.legs_of(row.id)))
        finish(file, row)
    assert file.escrow.status in {E.RELEASED, E.REFUNDED, E.SPLIT}
    found = ledger.balance(file.escrow, file.ledger)
    assert found.balanced
    accounts = found.accounts
    assert (accounts[Account.HELD], accounts[Account.SURPLUS], accounts[Account.BANK]) == (0, 0, bank)
    assert gross + accounts[Account.BUYER] >= went  # he has it, and what is due to him of the rest
    share = to_seller - to_seller * 290 // 10_000
    assert accounts[Account.SELLER] <= share
    if went + bank <= 10_000 - to_seller:
        assert accounts[Account.SELLER] == share
        assert accounts[Account.LOSS] == 0


def test_what_goes_back_to_the_buyer_anyway_counts_first() -> None:
    file = paid(E.FUNDS_HELD)
    by_hand(file, 3_000)
    assert (file.escrow.status, file.escrow.reason, file.escrow.surplus) == (E.REFUNDED, "REFUNDED_IN_DASHBOARD", 7_000)
    file.escrow.quarantined = 1_000
    file.settlements[-1].status = S.DROPPED
    plans.give_back(file, None, 6_000, actor=BUYER, reason="test", now=START)
    by_hand(file, 2_500)
    assert (file.escrow.quarantined, file.escrow.surplus) == (0, 4_500)
    assert {row.to_buyer for row in file.settlements if row.kind == "RETURN" and row.status is S.OPEN} == {4_500}
