"""Small money of doubtful strangers is set aside: nobody stops a trade, or poisons a return, for less than a dollar."""

import pytest

from bloxtr8 import reclaims
from bloxtr8.actors import system
from bloxtr8.entities import Escrow
from tests import factories
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import STRANGER, UNITS, FakeChain, Wallets, chain, screened, wallets
from tests.functions.holding import desk

__all__ = ["chain", "wallets"]
ENOUGH = {"enough": True, "verdict": "CLEAN"}
DOUBTFUL = ["MEDIUM", "HIGH", "SANCTIONED", "UNKNOWN"]


@pytest.fixture
def escrow(aws: Platform, chain: FakeChain) -> Escrow:
    """One whose vault is open and empty."""
    return chains.payable()


def books(chain: FakeChain, escrow: Escrow) -> tuple[int, int, int]:
    """What is held, what is surplus, and what of it was set aside; asserts that the vault has it (I6)."""
    row = escrows.row(escrow)
    assert chain.units(escrow) // UNITS == row.held + row.surplus
    return row.held, row.surplus, row.quarantined


@pytest.mark.parametrize("risk", DOUBTFUL)
@pytest.mark.parametrize("units", [UNITS, 100 * UNITS - 1])
def test_it_stops_no_trade_and_counts_for_nothing(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow, risk: str, units: int
) -> None:
    wallets.risks[STRANGER] = risk
    ref = chain.pay(escrow, units, STRANGER)
    assert screened(aws, escrow) == {"enough": False, "verdict": "CLEAN"}
    row = escrows.row(escrow)
    assert (row.holds, row.fund_by) == (set(), escrow.fund_by)
    (deposit,) = escrows.file(escrow).deposits
    assert (deposit.quarantined, deposit.screening["risk"]) == (True, risk)
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.details) == ("quarantine_deposit", {"deposit": ref, "screening": deposit.screening})
    cents = units // UNITS
    assert books(chain, escrow) == (0, cents, cents)

    chain.pay(escrow, escrow.gross * UNITS)
    assert screened(aws, escrow) == ENOUGH
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}
    assert books(chain, escrow) == (escrow.gross, cents, cents)
    assert escrows.file(escrow).settlements == []
    assert escrows.refund(aws, escrow).status == 202
    assert factories.settle(escrow).status == "REFUNDED"
    assert books(chain, escrow) == (0, cents, cents)
    assert escrows.sound(aws, escrow) == ({"BUYER": -cents, "SURPLUS": cents} if cents else {})


def test_a_single_unit_stops_nothing(aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow) -> None:
    wallets.risks[STRANGER] = "SANCTIONED"
    chain.pay(escrow, 1, STRANGER)
    chain.pay(escrow, escrow.gross * UNITS)
    assert screened(aws, escrow) == ENOUGH
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}
    assert books(chain, escrow) == (escrow.gross, 0, 0)


def test_it_does_not_make_up_for_what_is_missing(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    wallets.risks[STRANGER] = "MEDIUM"
    chain.pay(escrow, (escrow.gross - 50) * UNITS)
    chain.pay(escrow, 50 * UNITS, STRANGER)
    assert screened(aws, escrow) == {"enough": False, "verdict": "CLEAN"}
    aws.clock.advance(days=6)
    screened(aws, escrow)
    assert aws.invoke("cancel_unfunded", {"escrowId": escrow.id}) == {"outcome": "CANCELLED"}
    plan = money.settlement(escrow)
    assert (plan.kind, plan.to_buyer) == ("RETURN", escrow.gross - 50)
    factories.settle(escrow, plan.id)
    assert books(chain, escrow) == (0, 50, 50)


@pytest.mark.parametrize(
    ("sender", "cents", "risk", "verdict"),
    [
        ("buyer", 50, "MEDIUM", "HOLD"),
        ("buyer", 50, "HIGH", "RETURN"),
        (STRANGER, 50, "LOW", "CLEAN"),
        (STRANGER, 100, "MEDIUM", "HOLD"),
    ],
)
def test_it_is_about_doubtful_strangers_and_less_than_a_dollar_alone(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow, sender: str, cents: int, risk: str, verdict: str
) -> None:
    address = chains.sides(escrow)[0] if sender == "buyer" else sender
    wallets.risks[address] = risk
    chain.pay(escrow, cents * UNITS, address)
    assert screened(aws, escrow)["verdict"] == verdict
    assert books(chain, escrow) == (cents, 0, 0)


def test_many_that_add_up_go_back_to_nobody_and_hold_nothing(aws: Platform, chain: FakeChain, wallets: Wallets) -> None:
    escrow = chains.held(aws, chain)
    wallets.risks[STRANGER] = "SANCTIONED"
    for _ in range(5):
        chain.pay(escrow, 99 * UNITS, STRANGER)
    screened(aws, escrow)
    assert (escrows.file(escrow).settlements, escrows.row(escrow).holds) == ([], set())
    assert books(chain, escrow) == (escrow.gross, 495, 495)

    chain.pay(escrow, 300 * UNITS, "0x" + "07" * 20)
    screened(aws, escrow)
    plan = money.settlement(escrow)
    assert plan.to_buyer == 300
    factories.settle(escrow, plan.id)
    assert (escrows.file(escrow).settlement(plan.id).status, chain.balance(chains.sides(escrow)[0])) == (
        "DONE", 300 * UNITS,
    )  # fmt: skip
    assert books(chain, escrow) == (escrow.gross, 495, 495)
    assert wallets.asked.count(STRANGER) == 1  # one wallet is asked about once a day


def test_one_that_was_clean_when_it_came_is_set_aside_before_it_would_be_held(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    chain.pay(escrow, 50 * UNITS, STRANGER)
    chain.pay(escrow, escrow.gross * UNITS)
    assert screened(aws, escrow) == ENOUGH
    assert books(chain, escrow) == (escrow.gross + 50, 0, 0)
    aws.clock.advance(hours=24)
    wallets.risks[STRANGER] = "HIGH"
    assert screened(aws, escrow) == ENOUGH
    assert books(chain, escrow) == (escrow.gross, 50, 50)
    assert money.actions(aws, escrow).count("quarantine_deposit") == 1
    money.nothing_happens(aws, "screen_deposit", {"escrowId": escrow.id})
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}
    assert escrows.file(escrow).settlements == []
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross - 50, "HELD": escrow.gross, "SURPLUS": 50}


def test_it_keeps_no_party_from_cancelling(aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow) -> None:
    wallets.risks[STRANGER] = "HIGH"
    chain.pay(escrow, 50 * UNITS, STRANGER)
    screened(aws, escrow)
    answer = aws.call("cancel_escrow", escrow.buyer_id, {"reason": "x"}, escrow_id=escrow.id)
    assert (answer.status, answer.body["status"]) == (200, "CANCELLED")
    assert aws.invoke("close_funding", {"escrowId": escrow.id}) == {"closed": True}
    assert books(chain, escrow) == (0, 50, 50)


def test_after_the_term_it_is_the_buyers_with_all_the_rest(aws: Platform, chain: FakeChain, wallets: Wallets) -> None:
    escrow = chains.held(aws, chain)
    wallets.risks[STRANGER] = "HIGH"
    chain.pay(escrow, 50 * UNITS, STRANGER)
    screened(aws, escrow)
    reclaims.record(escrow.id, chain.reclaim(escrow), system("test"))
    assert (escrows.row(escrow).status, books(chain, escrow)) == ("REFUNDED", (0, 0, 0))
    assert escrows.sound(aws, escrow) == {}
    chain.pay(escrow, 200 * UNITS)
    screened(aws, escrow)
    assert money.settlement(escrow).to_buyer == 200


def test_what_a_reclaim_took_with_it_sets_nothing_aside_that_came_later(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.held(aws, chain)
    wallets.risks[STRANGER] = "HIGH"
    chain.pay(escrow, 50 * UNITS, STRANGER)
    screened(aws, escrow)
    taken = chain.reclaim(escrow)
    chain.pay(escrow, 200 * UNITS)  # the buyer's own, before anybody has seen the reclaim
    chain.pay(escrow, 30 * UNITS, STRANGER)
    reclaims.record(escrow.id, taken, system("test"))
    assert books(chain, escrow) == (0, 230, 30)
    assert money.settlement(escrow).to_buyer == 200


def test_the_desk_and_both_sides_see_it(aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow) -> None:
    wallets.risks[STRANGER] = "HIGH"
    chain.pay(escrow, 50 * UNITS, STRANGER)
    screened(aws, escrow)
    (shown,) = escrows.seen(aws, escrow, escrow.buyer_id)["railData"]["deposits"]
    assert (shown["amount"], shown["quarantined"]) == (50, True)
    (told,) = desk(aws, escrow)["deposits"]
    assert (told["sender"], told["screening"]["risk"], told["quarantined"]) == (STRANGER, "HIGH", True)
