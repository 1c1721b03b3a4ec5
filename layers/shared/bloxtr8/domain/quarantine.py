"""Small money of doubtful strangers: it is set aside, so that nobody can stop a trade for less than a return is worth.

A deposit below `return_minimum_cents` that is not from the buyer's own wallet, whose sender is not known to be LOW,
never counts towards the price, goes back to nobody and holds nothing: it lies in SURPLUS until the vault's term, when
it is the buyer's. However many there are, each is judged alone.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from bloxtr8 import config, money
from bloxtr8.domain import ledger
from bloxtr8.domain.ledger import Entry
from bloxtr8.domain.wallets import Risk
from bloxtr8.entities import Account, Deposit, Escrow, LedgerLine, RailRow, StablecoinEscrow

MEMO = "set aside: a doubtful wallet"


def is_small(rail: RailRow, sender: str | None, units: int | None) -> bool:
    """Whether it is too little of a stranger's to stop anything."""
    if not isinstance(rail, StablecoinEscrow) or sender in {None, rail.terms["buyer"]} or units is None:
        return False
    return units < money.units_of(config.settings().return_minimum_cents)


def is_doubtful(evidence: Mapping[str, Any] | None) -> bool:
    """UNKNOWN too: a wallet about which a source never answers would stop a trade as well."""
    return evidence is not None and evidence["risk"] != Risk.LOW


def set_aside(escrow: Escrow, deposit: Deposit, now: dt.datetime) -> list[LedgerLine]:
    """quarantine_deposit of one that was clean when it came: it counts no more. Returns the lines to save."""
    deposit.quarantined = True
    amount = min(deposit.amount, escrow.held)
    escrow.quarantined += amount
    return ledger.book(escrow, [Entry(Account.HELD, Account.SURPLUS, amount, MEMO)], now=now, deposit_ref=deposit.ref)
