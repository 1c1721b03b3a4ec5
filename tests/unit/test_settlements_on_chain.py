"""On chain a settlement is one call that pays seller, fee and buyer together (states.md, section 5; rail-usdc.md)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import actors, money
from bloxtr8.domain import chain_actions, ledger, plans, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.entities import Account, Currency, EscrowStatus, RailName, SettlementKind, Side, StablecoinEscrow
from tests.unit.escrow_rows import START, paid, pay_out, start

E = EscrowStatus
BUYER, SELLER = "0x" + "b0" * 20, "0x" + "5e" * 20
UNITS = 10_000


def held(status: EscrowStatus = E.DELIVERED, **fields: object) -> EscrowFile:
    """An escrow on chain that holds its gross."""
    file = paid(status, rail=RailName.USDC_BASE, currency=Currency.USDC, payout_account_id=None, **fields)
    file.rail = StablecoinEscrow(escrow_id=file.escrow.id, terms={"buyer": BUYER, "seller": SELLER})
    return file


def surplus(file: EscrowFile, cents: int) -> None:
    """More comes than is asked for."""
    file.ledger += ledger.book(file.escrow, [Entry(Account.BUYER, Account.SURPLUS, cents, "late")], now=START)


def give_back(file: EscrowFile, cents: int) -> plans.Planned:
    return plans.give_back(file, None, cents, actor=actors.system("test"), reason="LATE_MONEY", now=START)


@pytest.mark.parametrize(
    ("to_seller", "call", "pays", "amount", "fee", "also_buyer", "to"),
    [
        (None, 66, Side.SELLER, 9_710, 390, 0, SELLER),
        (0, 65, Side.BUYER, 10_100, 0, 0, BUYER),
        (3_333, 64, Side.SELLER, 3_237, 129, 6_734, SELLER),
        (1, 64, Side.SELLER, 1, 0, 10_099, SELLER),
    ],
)
def test_a_plan_is_one_call_to_the_frozen_wallet(
    to_seller: int | None, call: int, pays: Side, amount: int, fee: int, also_buyer: int, to: str
) -> None:
    planned = start(held(buyer_fee_bps=100), to_seller)
    (leg,) = planned.legs
    assert (leg.n, leg.action, leg.pays, leg.amount) == (1, call, pays, amount)
    assert (leg.fee, leg.also_buyer, leg.destination) == (fee, also_buyer, to)


@given(st.integers(50, money.MAX_CENTS), st.integers(0, 1_000), st.integers(0, 1_000), st.data())
def test_every_cent_is_paid_once_and_the_contract_would_take_it(
    amount: int, buyer_bps: int, seller_bps: int, data: st.DataObject
) -> None:
    file = held(amount=amount, buyer_fee_bps=buyer_bps, seller_fee_bps=seller_bps)
    to_seller = data.draw(st.integers(0, amount))
    planned = start(file, to_seller)
    if not planned.legs:
        return  # nothing to pay at all: all of it were fees
    (leg,) = planned.legs
    paid_seller = leg.amount if leg.pays is Side.SELLER else 0
    assert paid_seller + leg.fee <= file.escrow.gross
    assert leg.fee * 10_000 <= (paid_seller + leg.fee) * (buyer_bps + seller_bps)  # Escrow.settle: FeeTooHigh
    pay_out(file, planned)
    settlements.close(file, planned.settlement, None, sold=to_seller > 0, now=START)
    escrow = file.escrow
    assert (escrow.held, escrow.surplus) == (0, 0)
    assert escrow.released + escrow.refunded + escrow.fees == escrow.gross
    ids = [line.external_id for line in file.ledger]
    assert len(set(ids)) == len(ids)  # I5


def test_one_transaction_is_booked_part_by_part() -> None:
    file = held(buyer_fee_bps=100)
    planned = start(file, 3_333)
    (leg,) = planned.legs
    settlements.send(leg, planned.settlement, START)
    lines = settlements.confirm(file, leg, "0xabc", START)
    assert [(line.debit, line.credit, line.amount, line.external_id) for line in lines] == [
        (Account.HELD, Account.SELLER, 3_237, "0xabc:seller"),
        (Account.HELD, Account.FEES, 129, "0xabc:fee"),
        (Account.HELD, Account.BUYER, 6_734, "0xabc:buyer"),
    ]


def test_returns_are_counted_and_go_to_the_buyers_wallet() -> None:
    file = held()
    surplus(file, 700)
    first = give_back(file, 300)
    second = give_back(file, 400)
    legs = [*first.legs, *second.legs]
    assert [(leg.action, leg.amount, leg.destination, leg.source_account) for leg in legs] == [
        (67, 300, BUYER, Account.SURPLUS),
        (68, 400, BUYER, Account.SURPLUS),
    ]


def test_a_vault_has_fifty_three_returns() -> None:
    file = held()
    surplus(file, 1_000)
    for _ in range(chain_actions.RETURNS):
        give_back(file, 1)
    assert file.legs[-1].action == 119
    with pytest.raises(ValueError, match="no index"):
        give_back(file, 1)


def test_surplus_that_a_return_carries_is_not_carried_again() -> None:
    file = held()
    surplus(file, 500)
    assert plans.unreturned(file) == 500
    planned = give_back(file, 500)
    assert plans.unreturned(file) == 0
    surplus(file, 200)
    assert plans.unreturned(file) == 200
    pay_out(file, planned)
    assert plans.unreturned(file) == 200


def test_the_kind_and_not_the_turn_names_the_call() -> None:
    for to_seller, kind in ((None, SettlementKind.RELEASE), (0, SettlementKind.REFUND), (1, SettlementKind.SPLIT)):
        file = held()
        surplus(file, 100)
        give_back(file, 100)  # a return before it changes nothing
        (leg,) = start(file, to_seller).legs
        assert leg.action == chain_actions.index(chain_actions.Action(kind))
