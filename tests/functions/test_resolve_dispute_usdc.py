"""The same on chain: one call pays what the arbiter decided, to the cent of states.md, section 10."""

import pytest

from tests import factories
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions.chain import FEES, UNITS, FakeChain, Wallets, chain, wallets
from tests.functions.disputes import assigned, newest, opened, resolve, withdraw
from tests.functions.escrows import row, sound

__all__ = ["chain", "wallets"]


@pytest.mark.parametrize(
    ("fee", "outcome", "seller", "buyer", "action", "paid"),
    [
        (0, "SPLIT", 3_333, 6_667, 64, [3_237, 96, 6_667]),
        (100, "SPLIT", 3_333, 6_667, 64, [3_237, 129, 6_734]),
        (0, "RELEASE", 10_000, 0, 66, [9_710, 290, 0]),
        (100, "REFUND", 0, 10_000, 65, [0, 0, 10_100]),
    ],
)
def test_one_call_pays_the_decision(
    aws: Platform, chain: FakeChain, wallets: Wallets, monkeypatch: pytest.MonkeyPatch,
    fee: int, outcome: str, seller: int, buyer: int, action: int, paid: list[int],
) -> None:  # fmt: skip
    monkeypatch.setenv("BUYER_FEE_BPS", str(fee))
    escrow = chains.held(aws, chain, amount=10_000)
    assert opened(aws, escrow).status == 201
    judge = assigned(aws, escrow)

    assert resolve(aws, escrow, judge, outcome, seller, buyer).status == 202
    factories.settle(escrow)

    assert [order.action for order in chain.sent] == [action]
    buyers, sellers = chains.sides(escrow)
    assert [chain.balance(address) // UNITS for address in (sellers, FEES, buyers)] == paid
    assert chain.units(escrow) == 0
    assert (str(newest(escrow).status), newest(escrow).outcome) == ("CLOSED", "EXECUTED")
    sound(aws, escrow)


def test_a_withdrawn_dispute_leaves_the_vaults_money_where_it_is(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.held(aws, chain)
    opened(aws, escrow)
    assert row(escrow).next_look is not None  # the vault's term is watched while it lives
    withdraw(aws, escrow)
    assert (str(row(escrow).status), chain.units(escrow)) == ("FUNDS_HELD", escrow.gross * UNITS)
