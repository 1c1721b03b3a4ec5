"""What a person may take on: tiers, the limit of one deal and of thirty days (D16). Amounts in cents, USDC at 1:1.

The limits hold on the Deals row, which is saved under its version: two deals cannot squeeze under one cap.
"""

import datetime as dt

from bloxtr8 import config
from bloxtr8.entities import Deals, Escrow, RailName, Tier, User
from bloxtr8.errors import Conflict, Forbidden

ROLLING_DAYS = 30
_ORDER = list(Tier)


def check_not_banned(user: User, now: dt.datetime) -> None:
    """A ban stops what starts, never what is under way (C10). Raises Forbidden BANNED."""
    if user.banned and (user.banned_until is None or user.banned_until > now):
        raise Forbidden("Your account may not start anything new.", "BANNED")


def check_card(deals: Deals) -> None:
    """Whose bank has taken a payment back and kept it does not pay by card until COMPLIANCE allows it. Raises
    Forbidden CARD_BLOCKED."""
    if deals.lost_chargebacks:
        raise Forbidden("This account can't pay by card at the moment.", "CARD_BLOCKED")


def check_pays(
    escrow: Escrow, buyer: User, seller: User, buyer_deals: Deals, seller_deals: Deals, now: dt.datetime
) -> None:
    """Whether this buyer may pay for this deal still. Raises Forbidden BANNED, KYC_LIMIT or CARD_BLOCKED."""
    check_not_banned(buyer, now)
    for person, deals in ((buyer, buyer_deals), (seller, seller_deals)):  # the deal itself stands in the volume already
        check_limits(person, deals, escrow.amount, now, counted=escrow.amount)
    if escrow.rail is RailName.STRIPE:
        check_card(buyer_deals)


def block_card(deals: Deals, chargeback_id: str) -> Deals:
    """The buyer's bank has kept it."""
    deals.lost_chargebacks = frozenset(deals.lost_chargebacks | {chargeback_id})
    return deals


def allow_card(deals: Deals, chargeback_id: str | None = None) -> list[str]:
    """allow_card, of all of them; of one where the bank gave it back. Returns what it took off."""
    gone = sorted(deals.lost_chargebacks & {chargeback_id} if chargeback_id else deals.lost_chargebacks)
    deals.lost_chargebacks = frozenset(deals.lost_chargebacks.difference(gone))
    return gone


def check_free(deals: Deals) -> None:
    """Raises Conflict HAS_OPEN_DEALS: what an open deal has frozen is neither unlinked nor replaced (D29)."""
    if deals.open > 0:
        raise Conflict("You have open deals. Finish them first.", "HAS_OPEN_DEALS")


def check_tier(user: User, needed: Tier) -> None:
    """Raises Forbidden KYC_REQUIRED naming the tier that is needed."""
    if _ORDER.index(user.tier) < _ORDER.index(needed):
        raise Forbidden(f"This needs {needed}.", "KYC_REQUIRED", requiredTier=str(needed), tier=str(user.tier))


def deal_limit(tier: Tier) -> int:
    """The most one deal may be worth."""
    settings = config.settings()
    return {Tier.TIER_0: 0, Tier.TIER_1: settings.t1_deal_cents, Tier.TIER_2: settings.t2_deal_cents}[tier]


def rolling_limit(tier: Tier) -> int | None:
    """The most that may be accepted within thirty days; None: no limit."""
    return {Tier.TIER_0: 0, Tier.TIER_1: config.settings().t1_rolling_cents, Tier.TIER_2: None}[tier]


def used(deals: Deals, now: dt.datetime) -> int:
    """What was accepted within the last thirty days and did not fall through before money was held."""
    return sum(_recent(deals, now).values())


def check_limits(user: User, deals: Deals, amount: int, now: dt.datetime, *, counted: int = 0) -> None:
    """Both limits for one more deal of `amount`; `counted` of it stands in the volume already. Raises Forbidden
    KYC_LIMIT."""
    rolling = rolling_limit(user.tier)
    over_rolling = rolling is not None and used(deals, now) - counted + amount > rolling
    if amount > deal_limit(user.tier) or over_rolling:
        needed = Tier.TIER_1 if amount <= deal_limit(Tier.TIER_1) and user.tier is Tier.TIER_0 else Tier.TIER_2
        raise Forbidden("This deal is over a limit.", "KYC_LIMIT", requiredTier=str(needed), userId=user.id)


def reserve(user: User, deals: Deals, amount: int, now: dt.datetime) -> None:
    """Count a deal that is being accepted. Raises Forbidden KYC_LIMIT."""
    check_limits(user, deals, amount, now)
    volume = _recent(deals, now)
    day = now.date().isoformat()
    deals.volume = volume | {day: volume.get(day, 0) + amount}
    deals.open += 1


def release(deals: Deals, amount: int, accepted_at: dt.datetime) -> None:
    """A deal fell through before any money was held: it does not count."""
    day = accepted_at.date().isoformat()
    volume = dict(deals.volume)
    if day in volume:
        volume[day] = max(0, volume[day] - amount)
    deals.volume = {day: cents for day, cents in volume.items() if cents}
    deals.open = max(0, deals.open - 1)


def _recent(deals: Deals, now: dt.datetime) -> dict[str, int]:
    """By day: the first of the 31 is only partly over thirty days old, so it counts, or the window would be shorter."""
    first = (now - dt.timedelta(days=ROLLING_DAYS)).date().isoformat()
    return {day: cents for day, cents in deals.volume.items() if day >= first}
