"""screen_deposit on chain: every transfer is recorded to the unit, and its sender judged before it counts (D15)."""

import datetime as dt
from functools import partial

import pytest

from bloxtr8 import table
from bloxtr8.entities import Escrow, Lookup
from bloxtr8.rails.base import RailOutcomeUnknown
from tests.checks import together
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import STRANGER, UNITS, FakeChain, Wallets, chain, screened, wallets

__all__ = ["chain", "wallets"]
ENOUGH = {"enough": True, "verdict": "CLEAN"}


@pytest.fixture
def escrow(aws: Platform, chain: FakeChain) -> Escrow:
    """One whose vault is open and empty."""
    return chains.payable()


def test_a_transfer_is_recorded_once_with_its_sender(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    ref = chain.pay(escrow, escrow.gross * UNITS)
    assert screened(aws, escrow) == ENOUGH
    file = escrows.file(escrow)
    (deposit,) = file.deposits
    buyer, _ = chains.sides(escrow)
    assert (deposit.ref, deposit.units, deposit.amount, deposit.sender) == (
        ref,
        escrow.gross * UNITS,
        escrow.gross,
        buyer,
    )
    assert (deposit.screening["risk"], wallets.asked) == ("LOW", [buyer])
    assert table.get(Lookup, index="TX", value=ref.replace(":", "#")).target == escrow.id
    assert chains.vault_row(escrow).units == escrow.gross * UNITS
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross, "HELD": escrow.gross}
    assert money.nothing_happens(aws, "screen_deposit", {"escrowId": escrow.id}) == ENOUGH
    assert wallets.asked == [buyer]


def test_what_is_below_a_cent_waits_for_more_of_its_kind(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    chain.pay(escrow, 9_999)
    assert screened(aws, escrow)["enough"] is False
    assert (escrows.row(escrow).held, escrows.file(escrow).deposits) == (0, [])
    chain.pay(escrow, escrow.gross * UNITS - 9_999)
    assert screened(aws, escrow) == ENOUGH
    file = escrows.file(escrow)
    assert [(row.amount, row.units) for row in file.deposits] == [(escrow.gross, escrow.gross * UNITS - 9_999)]
    assert chains.vault_row(escrow).units == escrow.gross * UNITS
    assert (file.escrow.held, len(file.ledger)) == (escrow.gross, 1)
    assert chain.units(escrow) // UNITS == file.escrow.held + file.escrow.surplus  # I6


def test_too_little_gets_a_day_more_once_and_two_parts_are_enough(
    aws: Platform, chain: FakeChain, escrow: Escrow
) -> None:
    chain.pay(escrow, 99 * UNITS, STRANGER)  # that much anybody sends: it moves no deadline
    assert screened(aws, escrow) == {"enough": False, "verdict": "CLEAN"}
    assert escrows.row(escrow).fund_by == escrow.fund_by
    chain.pay(escrow, UNITS)
    assert screened(aws, escrow) == {"enough": False, "verdict": "CLEAN"}
    assert escrows.row(escrow).fund_by == escrow.fund_by + dt.timedelta(days=1)
    chain.pay(escrow, (escrow.gross - 100) * UNITS, STRANGER)
    assert screened(aws, escrow) == ENOUGH


def test_deposits_of_one_look_are_all_recorded(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    for part in (1, 2, escrow.gross):
        chain.pay(escrow, part * UNITS, STRANGER)
    assert screened(aws, escrow) == ENOUGH
    assert (len(escrows.file(escrow).deposits), wallets.asked) == (3, [STRANGER] * 2)  # small money, then the price


def test_how_far_was_searched_is_kept_with_each_deposit_and_so_each_counts_once(
    aws: Platform, chain: FakeChain, escrow: Escrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = table.commit, [1]

    def dies(root, *saves, **options):  # type: ignore[no-untyped-def]
        if not left:
            raise SystemExit
        left.pop()
        return real(root, *saves, **options)

    assert chains.vault_row(escrow).cursor == {"block": 0, "arrived": 0}
    for _ in range(2):
        chain.pay(escrow, escrow.gross * UNITS)
    with monkeypatch.context() as patch:
        patch.setattr(table, "commit", dies)
        with pytest.raises(SystemExit):
            screened(aws, escrow)
    for count in (1, 2):
        cursor = {"block": count, "arrived": count * escrow.gross * UNITS}
        assert (chains.vault_row(escrow).cursor, len(escrows.file(escrow).deposits)) == (cursor, count)
        screened(aws, escrow)


@pytest.mark.parametrize(
    ("risk", "sender", "verdict"),
    [
        ("MEDIUM", "buyer", "HOLD"),
        ("MEDIUM", STRANGER, "HOLD"),
        ("HIGH", STRANGER, "HOLD"),
        ("HIGH", "buyer", "RETURN"),
        ("SANCTIONED", "buyer", "HOLD"),
        ("SANCTIONED", STRANGER, "HOLD"),
        ("UNKNOWN", "buyer", "WAIT"),
        ("LOW", STRANGER, "CLEAN"),
    ],
)
def test_the_sender_decides(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow, risk: str, sender: str, verdict: str
) -> None:
    address = chains.sides(escrow)[0] if sender == "buyer" else sender
    wallets.risks[address] = risk
    chain.pay(escrow, escrow.gross * UNITS, address)
    assert screened(aws, escrow) == {"enough": True, "verdict": verdict}
    assert escrows.row(escrow).status == "AWAIT_FUNDS"


def test_the_gravest_sender_decides(aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow) -> None:
    buyer, _ = chains.sides(escrow)
    wallets.risks = {buyer: "HIGH", STRANGER: "MEDIUM"}
    chain.pay(escrow, escrow.gross * UNITS)
    chain.pay(escrow, 100 * UNITS, STRANGER)
    assert screened(aws, escrow)["verdict"] == "HOLD"


def test_nobody_knows_is_asked_again(aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow) -> None:
    buyer, _ = chains.sides(escrow)
    wallets.risks[buyer] = "UNKNOWN"
    chain.pay(escrow, escrow.gross * UNITS)
    assert screened(aws, escrow)["verdict"] == "WAIT"
    assert money.nothing_happens(aws, "screen_deposit", {"escrowId": escrow.id})["verdict"] == "WAIT"
    wallets.risks.clear()
    assert screened(aws, escrow) == ENOUGH


def test_one_transfer_cannot_fund_two_escrows(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    other = chains.payable()
    chain.pay(escrow, escrow.gross * UNITS)
    vaults = [chain.vaults[str(chains.vault_row(one).external_id)] for one in (escrow, other)]
    vaults[1]["deposits"] = vaults[0]["deposits"]
    screened(aws, escrow)
    before = aws.rows()
    with pytest.raises(Exception, match="is of"):
        screened(aws, other)
    assert aws.rows() == before


def test_seen_by_two_at_once_it_is_recorded_once(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    chain.pay(escrow, escrow.gross * UNITS)
    assert together(partial(screened, aws, escrow), partial(screened, aws, escrow)) == [ENOUGH, ENOUGH]
    assert (len(escrows.file(escrow).ledger), chains.vault_row(escrow).units) == (1, escrow.gross * UNITS)


def test_an_unknown_answer_records_nothing(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    chain.pay(escrow, escrow.gross * UNITS)
    chain.faults["look"] = [RailOutcomeUnknown()]
    before = aws.rows()
    with pytest.raises(RailOutcomeUnknown):
        screened(aws, escrow)
    assert aws.rows() == before


# --- late money


@pytest.mark.parametrize("units", [100 * UNITS, 12_345_678])
def test_late_money_goes_back_to_the_buyers_wallet(aws: Platform, chain: FakeChain, units: int) -> None:
    escrow = chains.held(aws, chain)
    chain.pay(escrow, units, STRANGER)
    screened(aws, escrow)
    leg, buyer = money.leg(escrow), chains.sides(escrow)[0]
    assert (leg.action, leg.amount, leg.destination, leg.deposit_ref) == (67, units // UNITS, buyer, None)
    assert money.actions(aws, escrow)[-1] == "return_late_money"
    assert escrows.row(escrow).status == "FUNDS_HELD"
    assert escrows.sound(aws, escrow)["SURPLUS"] == units // UNITS


def test_little_late_money_waits_for_more_and_goes_back_bundled(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.held(aws, chain)
    for _ in range(3):
        chain.pay(escrow, 40 * UNITS, STRANGER)
    screened(aws, escrow)
    assert [(leg.action, leg.amount) for leg in escrows.file(escrow).legs] == [(67, 120)]
    chain.pay(escrow, 99 * UNITS, STRANGER)
    screened(aws, escrow)
    assert len(escrows.file(escrow).legs) == 1
    assert escrows.row(escrow).surplus == 219


def test_a_vault_without_a_return_left_keeps_the_surplus(
    aws: Platform, chain: FakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bloxtr8.domain import chain_actions

    monkeypatch.setattr(chain_actions, "RETURNS", 1)
    escrow = chains.held(aws, chain)
    for cents in (100, 200):
        chain.pay(escrow, cents * UNITS, STRANGER)
        screened(aws, escrow)
    assert [leg.amount for leg in escrows.file(escrow).legs] == [100]
    assert escrows.sound(aws, escrow)["SURPLUS"] == 300
