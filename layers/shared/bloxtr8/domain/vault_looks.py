"""When a vault is looked at, and what it must hold by our books (rail-usdc.md, Deposits; states.md, I6).

A vault takes money as long as it exists on chain. Until its escrow has ended it is due at every run of poll_chain, and
its row is written by none; then it is looked at an hour later, two hours later, and so on, at last once a day, until
nobody could reclaim anything of it any more.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from bloxtr8 import config, money
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import ENDS
from bloxtr8.entities import Escrow, EscrowStatus, StablecoinEscrow

FIRST_STEP, LAST_STEP = dt.timedelta(hours=1), dt.timedelta(days=1)
AFTER_TERM = dt.timedelta(days=90 + 30)  # a term that was postponed ends 90 days later
FINALITY = {"latest": dt.timedelta(0), "safe": dt.timedelta(minutes=5), "finalized": dt.timedelta(minutes=30)}

LATELY = dt.timedelta(hours=1)  # a payout is booked when it is safe, and seen in the vault when it is final


def difference(escrow: Escrow, units: int) -> int:
    """How many cents more are in the vault than the books say, of what lies there at finality (I6).

    Less than a cent is no difference: it stays in the vault until there is a cent of it.
    """
    return money.cents_of(units) - (escrow.held + escrow.surplus)


def paid_lately(file: EscrowFile, now: dt.datetime) -> bool:
    """Whether a payout was booked that the vault, at finality, may not show yet."""
    return any(leg.confirmed_at is not None and leg.confirmed_at > now - LATELY for leg in file.legs)


def is_open(escrow: Escrow) -> bool:
    """Whether its money is still awaited or kept: until then every run looks."""
    closing = escrow.status is EscrowStatus.CANCELLED and not escrow.funding_closed
    return escrow.status not in ENDS or closing


def next_look(escrow: Escrow, terms: Mapping[str, Any], now: dt.datetime) -> dt.datetime | None:
    """When the vault of an escrow that has ended is looked at again; None after the last look."""
    ended_at = escrow.ended_at or now
    if now >= dt.datetime.fromtimestamp(terms["reclaimAfter"], dt.UTC) + AFTER_TERM:
        return None
    return now + min(max(now - ended_at, FIRST_STEP), LAST_STEP)


def hinted_look(row: StablecoinEscrow, now: dt.datetime) -> dt.datetime | None:
    """When money that somebody told of will be final; None where the vault is looked at by then anyway."""
    final_at = now + FINALITY[config.settings().chain_finality]
    return final_at if row.next_look is None or row.next_look > final_at else None
