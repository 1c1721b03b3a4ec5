"""Screening wallets, and keeping what was found as evidence (rail-usdc.md, Wallet risk): `{"risk", "source", "version",
"at"}`."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from bloxtr8.domain import quarantine, wallet_risk
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.wallets import Risk, is_fresh
from bloxtr8.entities import Deposit, User
from bloxtr8.outside import screening
from bloxtr8.rails.base import DepositSeen

BATCH = 20  # rows of one commit, and causes of one audit entry: both have a limit, the number of deposits has none


def of_wallet(address: str) -> dict[str, Any]:
    """What is known of a wallet now. UNKNOWN where a source gave no answer; it never raises for that."""
    return screening.screen(address).evidence


def refresh(users: Iterable[User], now: dt.datetime) -> list[User]:
    """Screen the wallets whose last screening is too old or said nothing. Returns the profiles to save."""
    stale = [user for user in users if not is_fresh(user.wallet_screening, now)]
    for user in stale:
        user.wallet_screening = of_wallet(user.wallet)
    return stale


def of_small(file: EscrowFile, seen: DepositSeen, now: dt.datetime) -> dict[str, Any] | None:
    """What is known of the sender of small money, before any of it counts: from another deposit of his of the last
    day, or asked. None where it is not small."""
    if seen.sender is None or not quarantine.is_small(file.rail, seen.sender, seen.units):
        return None
    known = (row.screening for row in file.deposits if row.sender == seen.sender and is_fresh(row.screening, now))
    return next(known, None) or of_wallet(seen.sender)


def of_senders(deposits: Iterable[Deposit], now: dt.datetime) -> list[Deposit]:
    """Screen the senders that nobody has told about yet, or not since a day, each once. Returns the deposits of which
    more is known now; where no source answers, what was known stays, as old as it is."""
    rows = wallet_risk.unscreened(deposits, now)
    found = {address: of_wallet(address) for address in {row.sender for row in rows}}
    told = [row for row in rows if wallet_risk.risk(found[row.sender]) != Risk.UNKNOWN]
    for row in told:
        row.screening = found[row.sender]
    return told
