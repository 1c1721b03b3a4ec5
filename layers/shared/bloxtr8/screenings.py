"""Screening wallets, and keeping what was found as evidence (rail-usdc.md, Wallet risk): `{"risk", "source", "version",
"at"}`, and since when no source answers."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from bloxtr8 import clock
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


def of_payee(address: str, before: dict[str, Any] | None, now: dt.datetime) -> dict[str, Any]:
    """The same of a wallet that is about to be paid: where no source answers, with since when."""
    found = of_wallet(address)
    return found if wallet_risk.risk(found) != Risk.UNKNOWN else found | _silent(before, now)


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
    more is known now; where no source answers, what was known stays, as old as it is, with since when."""
    rows = wallet_risk.unscreened(deposits, now)
    found = {address: of_wallet(address) for address in {row.sender for row in rows}}
    changed = []
    for row in rows:
        before, evidence = row.screening, found[row.sender]
        if wallet_risk.risk(evidence) == Risk.UNKNOWN:
            evidence = (before or evidence) | _silent(before, now)
        if evidence != before:
            row.screening = evidence
            changed.append(row)
    return changed


def _silent(before: dict[str, Any] | None, now: dt.datetime) -> dict[str, str]:
    """Since when no source has answered."""
    return {wallet_risk.SILENT: (before or {}).get(wallet_risk.SILENT) or clock.iso(now)}
