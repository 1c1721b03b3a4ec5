"""A flood of cents makes nothing that can not be read: small deposits are counted together once there are many."""

import pytest

from bloxtr8 import reclaims
from bloxtr8.actors import system
from bloxtr8.entities import Escrow
from tests import factories
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import STRANGER, UNITS, FakeChain, Wallets, chain, screened, wallets
from tests.functions.test_small_money import books

__all__ = ["chain", "wallets"]
APART = 4
ENOUGH = {"enough": True, "verdict": "CLEAN"}


@pytest.fixture
def escrow(aws: Platform, chain: FakeChain, monkeypatch: pytest.MonkeyPatch) -> Escrow:
    """One whose vault is open and empty, where four deposits are many."""
    escrows.settings(monkeypatch, deposits_apart=APART)
    return chains.payable()


def flood(chain: FakeChain, escrow: Escrow, times: int, cents: int = 50, sender: str | None = STRANGER) -> None:
    for _ in range(times):
        chain.pay(escrow, cents * UNITS, sender)


def test_a_strangers_flood_is_two_rows_and_keeps_no_payment_waiting(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    flood(chain, escrow, APART + 30)
    screened(aws, escrow)
    wallets.asked.clear()
    flood(chain, escrow, 20, cents=1)
    chain.pay(escrow, escrow.gross * UNITS)
    flood(chain, escrow, 5)

    assert screened(aws, escrow) == ENOUGH

    file = escrows.file(escrow)
    assert [(row.amount, row.quarantined) for row in file.deposits if row.bundle] == [(30 * 50 + 20 + 5 * 50, True)]
    assert (len(file.deposits), len(file.ledger)) == (APART + 2, APART + 4)
    assert set(wallets.asked) == {chains.sides(escrow)[0]}  # nobody is asked about those who are set aside
    assert money.actions(aws, escrow).count("quarantine_deposit") == 3
    aside = 30 * 50 + 20 + 5 * 50
    assert books(chain, escrow) == (escrow.gross + APART * 50, aside, aside)
    money.nothing_happens(aws, "screen_deposit", {"escrowId": escrow.id})
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}
    assert escrows.refund(aws, escrow).status == 202
    assert factories.settle(escrow).status == "REFUNDED"
    escrows.sound(aws, escrow)


def test_a_buyer_who_pays_in_cents_has_paid_with_the_last_of_them(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    buyer = chains.sides(escrow)[0]
    chain.pay(escrow, (escrow.gross - 9 * 99) * UNITS)
    flood(chain, escrow, 9, 99, buyer)
    chain.pay(escrow, 99 * UNITS, STRANGER)

    assert screened(aws, escrow) == ENOUGH

    *_, bundle, last = [row.amount for row in sorted(escrows.file(escrow).deposits, key=lambda row: row.at)][:-1]
    assert (bundle, last) == (5 * 99, 99)
    assert books(chain, escrow) == (escrow.gross, 99, 99)
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}


def test_the_row_of_the_buyers_own_is_judged_by_his_wallet_and_goes_back_to_it(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    buyer = chains.sides(escrow)[0]
    wallets.risks[buyer] = "HIGH"
    flood(chain, escrow, 8, 99, buyer)
    assert screened(aws, escrow) == {"enough": False, "verdict": "RETURN"}
    aws.invoke("return_money", {"escrowId": escrow.id})
    flood(chain, escrow, 3, 99, buyer)  # late
    screened(aws, escrow)
    for row in escrows.file(escrow).settlements:
        factories.settle(escrow, row.id)
    assert books(chain, escrow) == (0, 0, 0)
    assert chain.balance(buyer) == 11 * 99 * UNITS
    assert escrows.sound(aws, escrow) == {}


def test_after_a_reclaim_they_are_counted_anew(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    flood(chain, escrow, APART + 10)
    screened(aws, escrow)
    reclaims.record(escrow.id, chain.reclaim(escrow), system("poll_chain"))
    aws.clock.advance(hours=1)
    flood(chain, escrow, 3)
    screened(aws, escrow)
    assert [row.amount for row in escrows.file(escrow).deposits if row.bundle] == [150]
    assert books(chain, escrow) == (0, 150, 150)
