"""close_funding on chain: nobody can close an address, so what comes after the end is late money (M41)."""

import pytest

from bloxtr8.entities import Escrow
from bloxtr8.rails.base import RailOutcomeUnknown
from tests import factories
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import STRANGER, UNITS, FakeChain, Wallets, chain, screened, wallets

__all__ = ["chain", "wallets"]


@pytest.fixture
def escrow(aws: Platform, chain: FakeChain) -> Escrow:
    """One that its buyer has cancelled."""
    made = chains.payable()
    answer = aws.call("cancel_escrow", made.buyer_id, {"reason": "No"}, escrow_id=made.id)
    assert answer.status == 200, answer.body
    return factories.escrow_row(made)


def close(aws: Platform, escrow: Escrow) -> bool:
    return bool(aws.invoke("close_funding", {"escrowId": escrow.id})["closed"])


def test_it_is_done_after_one_look(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    chain.faults["look"] = [RailOutcomeUnknown()]
    with pytest.raises(RailOutcomeUnknown):
        close(aws, escrow)
    assert close(aws, escrow)
    row = escrows.row(escrow)
    assert (row.status, row.funding_closed, row.next_look) == ("CANCELLED", True, None)
    assert chains.vault_row(escrow).next_look is not None  # poll_chain goes on looking


@pytest.mark.parametrize("closed_first", [False, True])
def test_a_deposit_to_a_cancelled_escrow_goes_back_to_the_buyers_wallet(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow, closed_first: bool
) -> None:
    if closed_first:
        close(aws, escrow)
    chain.pay(escrow, escrow.gross * UNITS, STRANGER)
    (screened if closed_first else close)(aws, escrow)
    leg, buyer = money.leg(escrow), chains.sides(escrow)[0]
    assert (leg.action, leg.amount, leg.destination) == (67, escrow.gross, buyer)
    factories.settle(escrow, money.settlement(escrow).id)
    assert chain.balance(buyer) == escrow.gross * UNITS
    assert STRANGER in wallets.asked
    assert (escrows.row(escrow).status, escrows.sound(aws, escrow)) == ("CANCELLED", {})
