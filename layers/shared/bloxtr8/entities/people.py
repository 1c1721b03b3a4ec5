"""People: who someone is, proven by Discord and Roblox, and what they may still take on."""

from enum import StrEnum
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute

from bloxtr8.entities.base import Entity, EnumAttribute, IntegerAttribute, Root, TextSetAttribute, TimeAttribute


class Tier(StrEnum):
    """How well the platform knows a person (D16)."""

    TIER_0 = "TIER_0"
    TIER_1 = "TIER_1"
    TIER_2 = "TIER_2"


class PlatformRole(StrEnum):
    """What a member of staff may do (api.md, Conventions)."""

    SUPPORT = "SUPPORT"
    ARBITER = "ARBITER"
    COMPLIANCE = "COMPLIANCE"
    PADMIN = "PADMIN"


class User(Root, discriminator="User"):
    """A person. E-mail and phone are unverified contact data: shown to the person alone, in no index."""

    id = UnicodeAttribute()
    discord_id = UnicodeAttribute()
    username = UnicodeAttribute()
    avatar = UnicodeAttribute(null=True)
    email = UnicodeAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    roblox_id = UnicodeAttribute(null=True)
    roblox_username = UnicodeAttribute(null=True)
    tier = EnumAttribute(Tier, default=Tier.TIER_0)
    platform_roles = TextSetAttribute()
    banned = BooleanAttribute(default=False)
    banned_until = TimeAttribute(null=True)
    payout_account_id = UnicodeAttribute(null=True)
    payout_country = UnicodeAttribute(null=True)
    payouts_ready = BooleanAttribute(default=False)
    customer_id = UnicodeAttribute(null=True)
    wallet = UnicodeAttribute(null=True)  # proven by a signature; lower case
    wallet_screening: Any = JSONAttribute(null=True)  # evidence: {"risk", "source", "version", "at"}
    created_at = TimeAttribute()


class Deals(Entity, discriminator="Deals"):
    """A person's open deals and 30-day volume: the row on which two deals compete for one limit (D16)."""

    user_id = UnicodeAttribute()
    volume: Any = JSONAttribute(default=dict)  # {"2026-11-23": cents}, at most 31 days
    open = IntegerAttribute(default=0)
    completed = IntegerAttribute(default=0)
    disputed = IntegerAttribute(default=0)
    refunded = IntegerAttribute(default=0)
    card_purchases = IntegerAttribute(default=0)  # as the buyer, paid out to a seller: who has few waits longer
    lost_chargebacks = TextSetAttribute()  # as the buyer, by id: while there is one he does not pay by card


class Identity(Entity, discriminator="Identity"):
    """An outside id belongs to one user: provider DISCORD, ROBLOX, WALLET (later GUILD)."""

    provider = UnicodeAttribute()
    value = UnicodeAttribute()
    user_id = UnicodeAttribute()
    seen_as = UnicodeAttribute(null=True)  # name and picture at the last sign-in: the profile is saved only for others


class Session(Entity, discriminator="Session"):
    """One sign-in and all refresh tokens that came of it; the row is gone when it was ended or revoked."""

    user_id = UnicodeAttribute()
    id = UnicodeAttribute()
    generation = IntegerAttribute(default=0)  # of the refresh token that is still good
    created_at = TimeAttribute()
    expires_at = TimeAttribute()


class OAuthState(Entity, discriminator="OAuthState"):
    """A sign-in or link under way: single use, ten minutes (D28)."""

    state = UnicodeAttribute()
    provider = UnicodeAttribute()
    redirect_uri = UnicodeAttribute()
    challenge = UnicodeAttribute(null=True)  # Discord: the client's S256 challenge
    verifier = UnicodeAttribute(null=True)  # Roblox: our PKCE verifier
    user_id = UnicodeAttribute(null=True)
    expires_at = TimeAttribute()


class SignToken(Entity, discriminator="SignToken"):
    """A magic link's token, by its hash: for one contract and one person, burnt on first use."""

    token_hash = UnicodeAttribute()
    contract_id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    expires_at = TimeAttribute()


class WalletNonce(Entity, discriminator="WalletNonce"):
    """A challenge to prove a wallet (EIP-4361): for one person and one address, burnt on first use."""

    nonce = UnicodeAttribute()
    user_id = UnicodeAttribute()
    address = UnicodeAttribute()
    message = UnicodeAttribute()
    expires_at = TimeAttribute()
