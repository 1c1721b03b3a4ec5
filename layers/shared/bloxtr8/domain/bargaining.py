"""What an offer may ask for, of which listing, and who may propose it (states.md, section 2; D5, D11, D14, D16)."""

import datetime as dt
from typing import NamedTuple

from bloxtr8 import config
from bloxtr8.domain import kyc, vaults
from bloxtr8.entities import Currency, Deals, Listing, ListingStatus, RailName, Tier, User, Visibility
from bloxtr8.errors import Forbidden, InvalidState, NotFound, Unprocessable, VersionMismatch


class Proposal(NamedTuple):
    """What one side asks for. `amount` in cents; `expires_at` None: the default window."""

    amount: int
    conditions: str | None
    expires_at: dt.datetime | None


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


def check_available(milestones: object) -> None:
    """Raises Unprocessable NOT_AVAILABLE_YET for payment in parts."""
    if milestones is not None:
        raise Unprocessable("Milestones are not available yet.", "NOT_AVAILABLE_YET")


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
