"""Screening wallets, and keeping what was found as evidence (rail-usdc.md, Wallet risk): `{"risk", "source", "version",
"at"}`."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from bloxtr8.domain import wallet_risk
from bloxtr8.domain.wallets import Risk, is_fresh
from bloxtr8.entities import Deposit, User
from bloxtr8.outside import screening


def of_wallet(address: str) -> dict[str, Any]:
    """What is known of a wallet now. UNKNOWN where a source gave no answer; it never raises for that."""
    return screening.screen(address).evidence


def refresh(users: Iterable[User], now: dt.datetime) -> list[User]:
    """Screen the wallets whose last screening is too old or said nothing. Returns the profiles to save."""
    stale = [user for user in users if not is_fresh(user.wallet_screening, now)]
    for user in stale:
        user.wallet_screening = of_wallet(user.wallet)
    return stale


def of_senders(deposits: Iterable[Deposit]) -> list[Deposit]:
    """Screen the senders that nobody has told about yet, each once. Returns the deposits of which something is known
    now."""
    rows = wallet_risk.unscreened(deposits)
    found = {address: of_wallet(address) for address in {row.sender for row in rows}}
    for row in rows:
        row.screening = found[row.sender]
    return [row for row in rows if wallet_risk.risk(row.screening) != Risk.UNKNOWN]
