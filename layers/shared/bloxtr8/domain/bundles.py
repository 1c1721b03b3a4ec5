"""Many small deposits of one vault are counted together, once there are a hundred rows: anybody may send cents for
ever, and the escrow's partition is read whole.

They are judged by who sent them as all small money is (`quarantine`), except that strangers are not asked about any
more: theirs is set aside. What completes the payment is always a row of its own.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Protocol

from bloxtr8 import config, money
from bloxtr8.domain import ledger, quarantine
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.entities import Account, Deposit, EscrowStatus, LedgerLine, StablecoinEscrow

MEMO = "small payments of the buyer"


class Came(Protocol):
    """A deposit as the rail tells of it (rails.base.DepositSeen)."""

    @property
    def ref(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def units(self) -> int | None: ...
    @property
    def sender(self) -> str | None: ...
    @property
    def at(self) -> dt.datetime: ...


def first[T: Came](file: EscrowFile, coming: Iterable[T]) -> list[T]:
    """The deposits at the head of those that come which are counted together; none before there are many."""
    settings, few = config.settings(), list[T]()
    if not isinstance(file.rail, StablecoinEscrow) or len(file.deposits) < settings.deposits_apart:
        return few
    waits = file.escrow.status is EscrowStatus.AWAIT_FUNDS
    missing = file.escrow.gross - file.escrow.held if waits else 0
    for seen in coming:
        small = seen.units is not None and seen.units < money.units_of(settings.return_minimum_cents)
        if not small or 0 < missing <= seen.amount:
            break
        missing -= seen.amount if is_own(file, seen) else 0
        few.append(seen)
    return few


def is_own(file: EscrowFile, seen: Came) -> bool:
    """Whether the buyer's own wallet sent it."""
    return isinstance(file.rail, StablecoinEscrow) and seen.sender == file.rail.terms["buyer"]


def add(
    file: EscrowFile, few: Sequence[Came], *, own: bool, late: bool, now: dt.datetime
) -> tuple[Deposit, list[LedgerLine]]:
    """Counts `few`, all of them the buyer's own or none, in the row of their kind, with one line. Returns both."""
    escrow, amount = file.escrow, sum(seen.amount for seen in few)
    rows = (row for row in file.deposits if row.bundle and row.late is late and row.quarantined is not own)
    row = next(rows, None) or _begin(file, few[0], own=own, late=late)
    row.amount += amount
    row.units += sum(seen.units or 0 for seen in few)
    row.at = few[-1].at
    entry = Entry(Account.BUYER, Account.SURPLUS, amount, MEMO if own else quarantine.MEMO)
    if own and not late:
        entry = entry._replace(credit=Account.HELD)
    escrow.quarantined += 0 if own else amount
    return row, ledger.book(escrow, [entry], now=now, deposit_ref=row.ref, external_id=few[-1].ref)


def close(file: EscrowFile) -> list[Deposit]:
    """What comes after a reclaim is not counted with what came before it. Returns what it changed."""
    bundles = [row for row in file.deposits if row.bundle]
    for row in bundles:
        row.bundle = False
    return bundles


def _begin(file: EscrowFile, seen: Came, *, own: bool, late: bool) -> Deposit:
    row = Deposit(
        escrow_id=file.escrow.id,
        ref=seen.ref,
        amount=0,
        currency=file.escrow.currency,
        units=0,
        sender=seen.sender if own else None,
        late=late,
        quarantined=not own,
        bundle=True,
        external_ids=[seen.ref],
        at=seen.at,
    )
    file.deposits.append(row)
    return row
