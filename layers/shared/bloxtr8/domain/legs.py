"""Which leg of a settlement has its turn, and how long one waits (states.md, sections 5 and 10)."""

import datetime as dt

from bloxtr8 import config
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Account, Deals, Leg, LegStatus, RailName, Settlement, Side

NEW_BUYER_TRADES = 3
MOVED = {LegStatus.SENT, LegStatus.UNKNOWN, LegStatus.CONFIRMED}  # the provider may have it, or has
# what a leg was refused for where the token takes nothing for one payee's wallet
WALLET_REFUSED = {Side.SELLER: "SELLER_WALLET_REFUSED", Side.BUYER: "BUYER_WALLET_REFUSED"}
_LONGEST = dt.timedelta(days=1)


def under_way(file: EscrowFile, settlement: Settlement) -> Leg | None:
    """The leg that may have been sent: nothing else is, until the provider says what became of it."""
    return _first(file, settlement, LegStatus.SENT, LegStatus.UNKNOWN)


def refused(file: EscrowFile, settlement: Settlement) -> Leg | None:
    """A leg that was refused for good: only a person lets it be tried again."""
    return _first(file, settlement, LegStatus.REJECTED)


def keeps_no_other(file: EscrowFile, settlement: Settlement, leg: Leg) -> bool:
    """Whether another leg goes on beside this refused one: what the token takes nothing for is its payee's alone."""
    rest = (row for row in file.legs_of(settlement.id) if row.status not in {LegStatus.REJECTED, LegStatus.CONFIRMED})
    return leg.error in WALLET_REFUSED.values() and any(rest)


def refused_of_both(file: EscrowFile, settlement: Settlement) -> Side | None:
    """Whom the token refuses, of a call that pays both sides: it was never mined, nor can be. None where it is
    otherwise."""
    leg = refused(file, settlement)
    if leg is None or not leg.also_buyer:
        return None
    return next((side for side, error in WALLET_REFUSED.items() if leg.error == error), None)


def ready(file: EscrowFile, settlement: Settlement, now: dt.datetime) -> Leg | None:
    """The first planned leg whose time has come. One that waits keeps no other waiting: a seller whose account is not
    ready does not hold up the buyer's part of a split."""
    return next((leg for leg in _planned(file, settlement) if leg.next_look is None or leg.next_look <= now), None)


def next_time(file: EscrowFile, settlement: Settlement) -> dt.datetime | None:
    """When the first of the waiting legs has its turn."""
    return min((leg.next_look for leg in _planned(file, settlement) if leg.next_look is not None), default=None)


def waiting(file: EscrowFile, settlement: Settlement, error: str) -> list[Leg]:
    """The planned legs that wait for this reason."""
    return [leg for leg in _planned(file, settlement) if leg.error == error]


def patience(attempt: int) -> dt.timedelta:
    """How long until a leg is tried again that the provider could not carry out yet: an hour, doubling to a day."""
    return min(dt.timedelta(hours=1 << min(attempt - 1, 5)), _LONGEST)


def is_out_of_patience(leg: Leg, now: dt.datetime) -> bool:
    """Whether its payee's account has taken nothing for so long that it counts as a refusal: what else the escrow holds
    must not wait for him for ever."""
    most = dt.timedelta(seconds=config.settings().payee_patience_seconds)
    return leg.unready_since is not None and now - leg.unready_since >= most


def release_at(file: EscrowFile, settlement: Settlement) -> dt.datetime | None:
    """Until when a new buyer's card money waits before its release (CARD_RELEASE_DELAY); None where it does not."""
    delay = config.settings().card_release_delay_seconds
    pays_seller = any(_pays_seller(leg) for leg in _planned(file, settlement))
    if not delay or not pays_seller or file.escrow.rail is not RailName.STRIPE:
        return None
    return settlement.created_at + dt.timedelta(seconds=delay)


def delay(file: EscrowFile, settlement: Settlement, until: dt.datetime, buyer: Deals) -> list[Leg]:
    """The seller's legs wait for `until`, where it is one of the buyer's first card trades. Returns those it moved."""
    if buyer.card_purchases >= NEW_BUYER_TRADES:
        return []
    legs = [leg for leg in _planned(file, settlement) if _pays_seller(leg)]
    moved = [leg for leg in legs if leg.next_look is None or leg.next_look < until]
    for leg in moved:
        leg.next_look = until
    return moved


def _pays_seller(leg: Leg) -> bool:
    """Out of what the trade holds: what he is paid again was his for long."""
    return leg.pays is Side.SELLER and leg.source_account is Account.HELD


def _planned(file: EscrowFile, settlement: Settlement) -> list[Leg]:
    return [leg for leg in file.legs_of(settlement.id) if leg.status is LegStatus.PLANNED]


def _first(file: EscrowFile, settlement: Settlement, *statuses: LegStatus) -> Leg | None:
    return next((leg for leg in file.legs_of(settlement.id) if leg.status in statuses), None)
