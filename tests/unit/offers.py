"""The rows that the rules of offers are about, as tests start from them; fields override."""

import datetime as dt
from typing import Any

from bloxtr8.domain.agreements import Deal
from bloxtr8.domain.offers import Bargain
from bloxtr8.entities import Currency, Deals, Listing, Offer, Side, Snapshot, Tier, User

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
ROOT = "01K6ZZ8Q3V7M2N4P5R6S7T8V9W"
LISTING_ID, BUYER_ID, SELLER_ID = (f"{prefix}_{ROOT}" for prefix in ("lst", "usr", "usr"))
BUYER_ID = BUYER_ID[:-1] + "B"


def listing(**fields: Any) -> Listing:
    values: dict[str, Any] = {
        "id": LISTING_ID,
        "seller_id": SELLER_ID,
        "title": "Skyline Racers",
        "summary": "A racing group",
        "price": 120_000,
        "category": "Racing",
        "asset_type": "GROUP",
        "asset_id": "7000001",
        "delivery_days": 7,
        "inspection_days": 7,
        "verified_at": NOW,
        "created_at": NOW,
    } | fields
    return Listing(**values)


def offer(**fields: Any) -> Offer:
    values: dict[str, Any] = {
        "root": ROOT,
        "listing_id": LISTING_ID,
        "buyer_id": BUYER_ID,
        "seller_id": SELLER_ID,
        "proposed_by": Side.BUYER,
        "amount": 100_000,
        "currency": Currency.USD,
        "epoch": 0,
        "expires_at": NOW + dt.timedelta(days=7),
        "created_at": NOW,
    } | fields
    return Offer(**values)


def bargain(made: Offer | None = None, at: Listing | None = None) -> Bargain:
    made = made or offer()
    return Bargain([made], made, at or listing())


def person(user_id: str, **fields: Any) -> User:
    values: dict[str, Any] = {
        "id": user_id,
        "discord_id": "10",
        "username": "trader",
        "roblox_id": "20",
        "roblox_username": "Robloxian",
        "tier": Tier.TIER_1,
        "payout_account_id": "acct_1",
        "payouts_ready": True,
        "created_at": NOW,
    } | fields
    return User(**values)


def deal(**sides: dict[str, Any]) -> Deal:
    return Deal(
        bargain(),
        person(BUYER_ID, **sides.get("buyer", {})),
        person(SELLER_ID, **sides.get("seller", {})),
        Deals(user_id=BUYER_ID),
        Deals(user_id=SELLER_ID),
    )


def proof(**fields: Any) -> Snapshot:
    values: dict[str, Any] = {
        "id": f"snp_{ROOT}",
        "listing_id": LISTING_ID,
        "at": NOW,
        "asset_type": "GROUP",
        "asset_id": "7000001",
        "owner_id": "20",
        "verified": True,
        "source": "CLOUD",
    } | fields
    return Snapshot(**values)
