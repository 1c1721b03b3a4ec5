"""What an offer may ask for, of which listing, and who may propose it (states.md, section 2; D5, D11, D14, D16)."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from bloxtr8 import config
from bloxtr8.domain import kyc, vaults
from bloxtr8.entities import Currency, Deals, Listing, ListingStatus, RailName, Tier, User, Visibility
from bloxtr8.errors import Forbidden, InvalidState, NotFound, Unprocessable, VersionMismatch
from bloxtr8.shapes import Milestone


class Proposal(NamedTuple):
    """What one side asks for. `amount` in cents; `expires_at` None: the default window; `milestones` None: all of it
    at once."""

    amount: int
    conditions: str | None
    expires_at: dt.datetime | None
    milestones: Sequence[Milestone] | None = None


def check_active(listing: Listing) -> None:
    """Raises InvalidState LISTING_NOT_ACTIVE: while a listing is off the shelf, offers wait."""
    if listing.status is not ListingStatus.ACTIVE:
        raise InvalidState("It is not for sale now.", "LISTING_NOT_ACTIVE", currentStatus=str(listing.status))


def check_offerable(listing: Listing | None, buyer_id: str, seen_version: int | None) -> Listing:
    """The listing, if that user may offer for it, who saw it at `seen_version`.

    Raises NotFound (PRIVATE ones are nobody's but their members'), Unprocessable OWN_LISTING or LISTING_UNVERIFIED,
    InvalidState LISTING_NOT_ACTIVE, VersionMismatch (M23).
    """
    if listing is not None and listing.seller_id == buyer_id:
        raise Unprocessable("You can't buy your own listing.", "OWN_LISTING")
    if listing is None or listing.visibility is not Visibility.PUBLIC:
        raise NotFound("There is no such listing.")
    check_active(listing)
    if seen_version not in {None, listing.version}:
        raise VersionMismatch("The listing has changed since you read it.", version=listing.version)
    if listing.verified_at is None:
        raise Unprocessable("Roblox does not show it as the seller's at the moment.", "LISTING_UNVERIFIED")
    return listing


def check_amount(amount: int, listing: Listing, currency: Currency = Currency.USD) -> None:
    """50 cents ≤ amount ≤ price (D14). Raises Unprocessable AMOUNT_BELOW_MINIMUM or AMOUNT_ABOVE_PRICE; for what goes
    over Base (D5), as `vaults.check_offered`."""
    settings = config.settings()
    if amount < settings.minimum_cents:
        raise Unprocessable("The amount is too small.", "AMOUNT_BELOW_MINIMUM", minimum=settings.minimum_cents)
    if amount > listing.price:
        raise Unprocessable("The amount is above the price.", "AMOUNT_ABOVE_PRICE", price=listing.price)
    if vaults.rail_of(amount, currency) is RailName.USDC_BASE:
        vaults.check_offered(amount)


def check_time(amount: int, currency: Currency, milestones: Sequence[Any], listing: Listing) -> None:
    """By card all windows together, one to deliver and one to inspect for each milestone, are over before Stripe's
    limits of holding money come near; a vault's term counts them. Raises Unprocessable WINDOWS_TOO_LONG."""
    limit = config.settings().card_windows_days
    days = max(1, len(milestones)) * (listing.delivery_days + listing.inspection_days)
    if days > limit and vaults.rail_of(amount, currency) is RailName.STRIPE:
        raise Unprocessable(
            "By card the time to deliver and to inspect all of it would be too long: agree on fewer milestones.",
            "WINDOWS_TOO_LONG", days=days, limit=limit,
        )  # fmt: skip


def parts(asked: Proposal) -> list[dict[str, Any]]:
    """The milestones as the offer keeps them and the contract prints them, [] where there are none:
    `[{"title", "amountCents", "transfersAsset"}]`. One of them hands the asset over, the last unless one says so; were
    it an early one and a small part, the seller would give all for little (D22).

    Raises Unprocessable MILESTONES_SUM, AMOUNT_BELOW_MINIMUM of one of them, MILESTONES_ASSET.
    """
    milestones = asked.milestones or ()
    if not milestones:
        return []
    total, minimum = sum(one.amount_cents for one in milestones), config.settings().minimum_cents
    if total != asked.amount:
        raise Unprocessable("The milestones are not the amount.", "MILESTONES_SUM", amount=asked.amount, sum=total)
    if min(one.amount_cents for one in milestones) < minimum:
        raise Unprocessable("A milestone is too small.", "AMOUNT_BELOW_MINIMUM", minimum=minimum)
    marked = [n for n, one in enumerate(milestones) if one.transfers_asset] or [len(milestones) - 1]
    last = marked[0] == len(milestones) - 1
    if len(marked) > 1 or not (last or 2 * milestones[marked[0]].amount_cents >= asked.amount):
        raise Unprocessable(
            "One milestone hands the asset over: the last, or one of at least half of the amount.", "MILESTONES_ASSET"
        )
    return [
        {"title": one.title, "amountCents": one.amount_cents, "transfersAsset": n == marked[0]}
        for n, one in enumerate(milestones)
    ]


def expiry(asked: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """Until when an offer stands: as asked, or 7 d. Raises Unprocessable EXPIRY_RANGE outside of 1 h to 30 d (D11)."""
    settings = config.settings()
    least, most = (
        now + dt.timedelta(seconds=s) for s in (settings.offer_minimum_seconds, settings.offer_maximum_seconds)
    )
    if asked is None:
        return now + dt.timedelta(seconds=settings.offer_seconds)
    if not least <= asked <= most:
        raise Unprocessable("An offer stands for one hour to thirty days.", "EXPIRY_RANGE")
    return asked


def check_person(user: User, now: dt.datetime) -> None:
    """Whether someone may deal at all. Raises Forbidden BANNED, or KYC_REQUIRED below TIER_1 or without Roblox."""
    kyc.check_not_banned(user, now)
    kyc.check_tier(user, Tier.TIER_1)
    if user.roblox_id is None:
        raise Forbidden("Link your Roblox account first.", "KYC_REQUIRED", requiredTier=str(Tier.TIER_1))


def check_proposer(user: User, deals: Deals, amount: int, now: dt.datetime) -> None:
    """Whether someone may propose this. Raises as `check_person`, and Forbidden KYC_LIMIT (checked again at accept)."""
    check_person(user, now)
    kyc.check_limits(user, deals, amount, now)
