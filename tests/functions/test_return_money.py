"""return_money: what the buyer's own wallet, of HIGH risk, has sent goes back to it; the escrow is cancelled (D15)."""

from functools import partial

import pytest

from bloxtr8.entities import Escrow
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import UNITS, FakeChain, Wallets, chain, screened, wallets

__all__ = ["chain", "wallets"]


@pytest.fixture
def escrow(aws: Platform, chain: FakeChain, wallets: Wallets) -> Escrow:
    """One that its buyer paid from a wallet that has turned HIGH."""
    made = chains.payable()
    wallets.risks[chains.sides(made)[0]] = "HIGH"
    chain.pay(made, made.gross * UNITS)
    assert screened(aws, made)["verdict"] == "RETURN"
    return made


def give_back(aws: Platform, escrow: Escrow) -> bool:
    return bool(aws.invoke("return_money", {"escrowId": escrow.id})["returned"])


def test_it_is_cancelled_and_all_of_it_goes_back(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    assert give_back(aws, escrow)
    row, leg = escrows.row(escrow), money.leg(escrow)
    assert (row.status, row.reason, row.held, row.surplus) == ("CANCELLED", "WALLET_RISK", 0, escrow.gross)
    assert (leg.action, leg.amount, leg.destination) == (67, escrow.gross, chains.sides(escrow)[0])
    assert escrows.around(escrow) == {"listing": "ACTIVE", "offer": "CANCELLED", "open": [0, 0], "volume": [0, 0]}
    assert money.actions(aws, escrow)[-1] == "return_money"
    assert money.nothing_happens(aws, "return_money", {"escrowId": escrow.id}) == {"returned": False}
    factories.settle(escrow, money.settlement(escrow).id)
    assert (chain.balance(leg.destination), chain.units(escrow)) == (escrow.gross * UNITS, 0)
    assert escrows.sound(aws, escrow) == {}


def test_a_person_who_is_to_decide_decides(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    escrows.changed(escrow, holds=frozenset({"COMPLIANCE"}))
    assert money.nothing_happens(aws, "return_money", {"escrowId": escrow.id}) == {"returned": False}


def test_twice_at_once_it_goes_back_once(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    assert sorted(together(partial(give_back, aws, escrow), partial(give_back, aws, escrow))) == [False, True]
    assert len(escrows.file(escrow).legs) == 1


def test_then_the_rail_is_closed_for_good(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    give_back(aws, escrow)
    assert aws.invoke("close_funding", {"escrowId": escrow.id}) == {"closed": True}
    assert (escrows.row(escrow).funding_closed, escrows.row(escrow).next_look) == (True, None)
