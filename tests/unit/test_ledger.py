"""No cent without an account, no total without a line, and nothing can be changed unseen (states.md, section 10)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8.domain import ledger
from bloxtr8.domain.ledger import Entry
from bloxtr8.entities import Account, Currency, Escrow, EscrowStatus, LedgerLine
from tests.unit.escrow_rows import START, escrow, paid, pay_out, start

TOTALS = ("deposited", "held", "released", "refunded", "fees", "surplus", "ledger_seq")


def booked(*entries: tuple[Account, Account, int]) -> tuple[Escrow, list[LedgerLine]]:
    """An escrow and the lines of its entries."""
    row = escrow()
    lines = ledger.book(row, [Entry(*entry, "memo") for entry in entries], now=START, external_id="x")
    return row, lines


def story() -> tuple[Escrow, list[LedgerLine]]:
    """A trade with every kind of line: paid too much, split, its fee, and money that came late."""
    file = paid(EscrowStatus.DISPUTED)
    more = [
        Entry(Account.BUYER, Account.HELD, 500, "more"),
        Entry(Account.HELD, Account.SURPLUS, 500, "too much"),
        Entry(Account.SURPLUS, Account.BUYER, 500, "returned"),
        Entry(Account.HELD, Account.SELLER, 3_237, "paid"),
        Entry(Account.HELD, Account.FEES, 96, "fee"),
        Entry(Account.HELD, Account.BUYER, 6_667, "refunded"),
        Entry(Account.BUYER, Account.SURPLUS, 700, "late"),
    ]
    lines = [*file.ledger, *ledger.book(file.escrow, more, now=START)]
    file.escrow.status = EscrowStatus.SPLIT
    return file.escrow, lines


def test_a_line_moves_the_totals_with_it() -> None:
    row, lines = booked((Account.BUYER, Account.HELD, 10_000), (Account.HELD, Account.SELLER, 9_710))

    assert [(line.seq, line.debit, line.credit, line.amount) for line in lines] == [
        (1, Account.BUYER, Account.HELD, 10_000),
        (2, Account.HELD, Account.SELLER, 9_710),
    ]
    assert [getattr(row, name) for name in TOTALS] == [10_000, 290, 9_710, 0, 0, 0, 2]
    assert (lines[0].at, lines[0].currency, lines[0].external_id, lines[0].escrow_id) == (START, "USD", "x", row.id)


def test_an_entry_of_nothing_is_no_line() -> None:
    row, lines = booked((Account.BUYER, Account.HELD, 5), (Account.HELD, Account.FEES, 0))

    assert (len(lines), row.ledger_seq) == (1, 1)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([(Account.BUYER, Account.HELD, -1)], "negative"),
        ([(Account.BUYER, Account.HELD, 5), (Account.HELD, Account.SELLER, 6)], "more than is there"),
        ([(Account.BUYER, Account.HELD, 5), (Account.SURPLUS, Account.BUYER, 1)], "more than is there"),
    ],
)
def test_money_that_is_not_there_is_not_booked(entries: list[tuple[Account, Account, int]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        booked(*entries)


def test_the_whole_story_balances() -> None:
    row, lines = story()

    found = ledger.balance(row, lines)

    assert found.balanced
    assert sum(found.accounts.values()) == 0
    assert found.accounts == {
        Account.BUYER: -10_000 - 500 + 500 + 6_667 - 700,
        Account.SELLER: 3_237,
        Account.FEES: 96,
        Account.BANK: 0,
        Account.LOSS: 0,
        Account.HELD: 0,
        Account.SURPLUS: 700,
    }


@given(st.lists(st.tuples(st.sampled_from(list(Account)), st.sampled_from(list(Account)), st.integers(0, 50_000))))
def test_whatever_is_booked_balances_after_every_line(moves: list[tuple[Account, Account, int]]) -> None:
    row, lines = booked((Account.BUYER, Account.HELD, 50_000))
    for debit, credit, amount in moves:
        before = {name: getattr(row, name) for name in TOTALS}
        try:
            lines += ledger.book(row, [Entry(debit, credit, amount, "m")], now=START)
        except ValueError:  # nothing was there to move: the commit never happens, so the row is read anew
            for name, value in before.items():
                setattr(row, name, value)
        found = ledger.balance(row, lines)
        assert found.balanced
        assert sum(found.accounts.values()) == 0
        assert (found.accounts[Account.HELD], found.accounts[Account.SURPLUS]) == (row.held, row.surplus)
        assert row.deposited == row.held + row.surplus + row.released + row.refunded + row.fees + _outside(lines)


def _outside(lines: list[LedgerLine]) -> int:
    """What went to or came from the accounts that have no total of their own, or between those outside."""
    counted = {Account.HELD, Account.SURPLUS}
    total = 0
    for line in lines:
        if line.debit not in counted and line.debit is not Account.BUYER:
            total -= line.amount
        if line.credit in {Account.BANK, Account.LOSS}:
            total += line.amount
    return total


@pytest.mark.parametrize("n", range(8))
@pytest.mark.parametrize(
    "change",
    [{"amount": 1}, {"amount": -1}, {"currency": Currency.USDC}, {"seq": 99}, {"escrow_id": "esc_another"}],
)
def test_a_line_that_was_changed_shows(n: int, change: dict[str, Any]) -> None:
    row, lines = story()
    for name, value in change.items():
        setattr(lines[n], name, lines[n].amount + value if name == "amount" else value)

    assert not ledger.balance(row, lines).balanced


@pytest.mark.parametrize("n", range(8))
@pytest.mark.parametrize("side", ["debit", "credit"])
def test_a_line_of_another_account_shows(n: int, side: str) -> None:
    for account in Account:
        row, lines = story()
        if account is getattr(lines[n], side):
            continue
        setattr(lines[n], side, account)
        assert not ledger.balance(row, lines).balanced, (n, side, account)


def test_a_line_turned_round_with_its_sign_shows() -> None:
    row, lines = story()
    line = next(line for line in lines if (line.debit, line.credit) == (Account.HELD, Account.SURPLUS))
    line.debit, line.credit, line.amount = line.credit, line.debit, -line.amount

    assert not ledger.balance(row, lines).balanced


@pytest.mark.parametrize("n", range(8))
def test_a_line_that_is_gone_doubled_or_out_of_order_shows(n: int) -> None:
    row, lines = story()

    assert not ledger.balance(row, lines[:n] + lines[n + 1 :]).balanced
    assert not ledger.balance(row, [*lines[:n], lines[n], *lines[n:]]).balanced
    assert not ledger.balance(row, [*lines[n:], *lines[:n]] if n else lines[::-1]).balanced


@pytest.mark.parametrize("name", TOTALS)
@pytest.mark.parametrize("by", [1, -1])
def test_a_total_that_was_changed_shows(name: str, by: int) -> None:
    row, lines = story()
    setattr(row, name, getattr(row, name) + by)

    assert not ledger.balance(row, lines).balanced


@pytest.mark.parametrize("end", sorted(ledger.ENDS))
def test_an_escrow_that_ended_holds_nothing(end: EscrowStatus) -> None:
    file = paid(EscrowStatus.DELIVERED)
    file.escrow.status = end

    assert not ledger.balance(file.escrow, file.ledger).balanced
    file.escrow.status = EscrowStatus.SETTLING
    assert ledger.balance(file.escrow, file.ledger).balanced


def test_money_leaves_with_the_confirmation_and_not_before() -> None:
    file = paid()
    planned = start(file, None)

    assert (file.escrow.held, len(file.ledger)) == (10_000, 1)
    pay_out(file, planned)
    assert (file.escrow.held, file.escrow.released, file.escrow.fees) == (0, 9_710, 290)
    assert {line.leg_id for line in file.ledger[1:]} == {planned.legs[0].id}


def test_an_empty_ledger_balances() -> None:
    found = ledger.balance(escrow(), [])

    assert (found.balanced, set(found.accounts.values())) == (True, {0})
