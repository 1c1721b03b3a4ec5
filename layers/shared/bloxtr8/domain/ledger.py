"""The double-entry ledger: every cent has an account, and no total changes without a line (states.md, section 10)."""

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from bloxtr8.entities import Account, Escrow, EscrowStatus, LedgerLine

ENDS = frozenset({EscrowStatus.RELEASED, EscrowStatus.REFUNDED, EscrowStatus.SPLIT, EscrowStatus.CANCELLED})


class Entry(NamedTuple):
    """What is to be booked: `amount` cents from `debit` to `credit`."""

    debit: Account
    credit: Account
    amount: int
    memo: str
    part: str = ""  # which of the payments of one outside id: on chain one call makes several (I5)


class Balance(NamedTuple):
    """The sums of all lines by account, and whether they agree with the escrow's totals and with what must always
    hold; and what those totals are by the lines."""

    accounts: dict[Account, int]
    balanced: bool
    totals: dict[str, int]


def book(
    escrow: Escrow,
    entries: Iterable[Entry],
    *,
    now: dt.datetime,
    leg_id: str | None = None,
    deposit_ref: str | None = None,
    external_id: str | None = None,
) -> list[LedgerLine]:
    """Lines for `entries`, and the escrow's totals moved with them: save all of it in one commit. Entries of 0 are
    not made."""
    lines = []
    for entry in entries:
        if entry.amount < 0:
            raise ValueError("a negative entry")
        if entry.amount == 0:
            continue
        escrow.ledger_seq += 1
        lines.append(
            LedgerLine(
                escrow_id=escrow.id,
                seq=escrow.ledger_seq,
                debit=entry.debit,
                credit=entry.credit,
                amount=entry.amount,
                currency=escrow.currency,
                leg_id=leg_id,
                deposit_ref=deposit_ref,
                external_id=f"{external_id}:{entry.part}" if entry.part else external_id,
                memo=entry.memo,
                at=now,
            )
        )
        _move(escrow, entry)
    return lines


def balance(escrow: Escrow, lines: Iterable[LedgerLine]) -> Balance:
    """Add up the lines of an escrow and compare them with its row (I1, I2, I7, and the rule of `balanced`)."""
    accounts = dict.fromkeys(Account, 0)
    lines = list(lines)
    for line in lines:
        accounts[line.debit] -= line.amount
        accounts[line.credit] += line.amount
    totals = dict.fromkeys(_TOTALS, 0)
    for line in lines:
        for name in _moved(line.debit, line.credit):
            totals[name[0]] += name[1] * line.amount
    agrees = all(getattr(escrow, name) == cents for name, cents in totals.items())
    whole = [line.seq for line in lines] == list(range(1, escrow.ledger_seq + 1))
    ours = all(line.escrow_id == escrow.id and line.currency is escrow.currency and line.amount > 0 for line in lines)
    sound = ours and accounts[Account.HELD] >= 0 and accounts[Account.SURPLUS] >= 0
    ended = escrow.status not in ENDS or accounts[Account.HELD] == 0
    return Balance(accounts, agrees and whole and sound and ended, totals)


_TOTALS = ("deposited", "held", "released", "refunded", "fees", "surplus")


def _moved(debit: Account, credit: Account) -> list[tuple[str, int]]:
    """Which totals of the escrow a line moves, and in which direction."""
    moved = []
    if debit is Account.BUYER:
        moved.append(("deposited", 1))
    for account, sign in ((debit, -1), (credit, 1)):
        if account in {Account.HELD, Account.SURPLUS}:
            moved.append((account.lower(), sign))
    outward = {Account.SELLER: "released", Account.FEES: "fees", Account.BUYER: "refunded"}
    if credit in outward:
        moved.append((outward[credit], 1))
    return moved


def _move(escrow: Escrow, entry: Entry) -> None:
    for name, sign in _moved(entry.debit, entry.credit):
        setattr(escrow, name, getattr(escrow, name) + sign * entry.amount)
    if escrow.held < 0 or escrow.surplus < 0:
        raise ValueError("more than is there")
