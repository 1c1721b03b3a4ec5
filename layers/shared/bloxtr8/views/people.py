"""People as callers see them: the full profile to the person alone, the public card to everybody else (M09)."""

import datetime as dt
from typing import TYPE_CHECKING, Self

from bloxtr8 import addresses, clock
from bloxtr8.domain import kyc, people, wallets
from bloxtr8.domain.wallets import Risk
from bloxtr8.entities import Deals, OAuthState, PlatformRole, Tier, User, WalletNonce
from bloxtr8.shapes import Moment, View

if TYPE_CHECKING:
    from bloxtr8.sessions import Tokens  # brings pyjwt, which most who show a person don't need


class OAuthStart(View):
    """Where the browser goes to agree, and the state it comes back with."""

    url: str
    state: str
    expires_at: Moment

    @classmethod
    def of(cls, state: OAuthState, url: str) -> Self:
        return cls(url=url, state=state.state, expires_at=state.expires_at)


class TokenPair(View):
    """Secrets: never logged, never stored. `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


class SignedInUser(View):
    """Who signed in, as Discord names him now."""

    id: str
    discord_id: str
    username: str
    avatar: str | None


class SignedIn(TokenPair):
    """The first tokens of a session, and whose it is."""

    user: SignedInUser

    @classmethod
    def of(cls, tokens: "Tokens", user: SignedInUser) -> Self:
        return cls(**tokens._asdict(), user=user)


class RobloxAccount(View):
    """The linked account: the id never changes, the name may."""

    roblox_id: str
    username: str


class LinkedRoblox(RobloxAccount):
    """What a link made of the person."""

    kyc_tier: Tier

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(roblox_id=user.roblox_id, username=user.roblox_username, kyc_tier=user.tier)


class Limits(View):
    """What the tier allows (D16), in cents. `rolling_30_days` is null where there is no such limit."""

    per_deal: int
    rolling_30_days: int | None
    used_in_30_days: int

    @classmethod
    def of(cls, user: User, deals: Deals, now: dt.datetime) -> Self:
        return cls(
            per_deal=kyc.deal_limit(user.tier),
            rolling_30_days=kyc.rolling_limit(user.tier),
            used_in_30_days=kyc.used(deals, now),
        )


class PayoutAccount(View):
    """The seller's account at Stripe. `ready`: the last that was heard of it."""

    account_id: str
    country: str
    ready: bool


class WalletChallenge(View):
    """What the wallet shall sign, to the letter (EIP-4361)."""

    message: str
    nonce: str
    expires_at: Moment

    @classmethod
    def of(cls, challenge: WalletNonce) -> Self:
        return cls(message=challenge.message, nonce=challenge.nonce, expires_at=challenge.expires_at)


class LinkedWallet(View):
    """The proven wallet, written as EIP-55 has it, and what its screening found."""

    wallet_address: str
    wallet_risk: Risk
    screened_at: Moment

    @classmethod
    def of(cls, user: User) -> Self:
        found = user.wallet_screening
        return cls(
            wallet_address=addresses.checksum(user.wallet),
            wallet_risk=found["risk"],
            screened_at=clock.parse(found["at"]),
        )


class Profile(View):
    """Everything about the caller. E-mail and phone are unverified. A screening that is too old says UNKNOWN."""

    id: str
    discord_id: str
    username: str
    avatar: str | None
    email: str | None
    phone: str | None
    roblox: RobloxAccount | None
    kyc_tier: Tier
    kyc_verified: bool
    limits: Limits
    open_deals: int
    payout_account: PayoutAccount | None
    wallet_address: str | None
    wallet_risk: Risk | None
    screened_at: Moment | None
    platform_roles: list[PlatformRole]
    banned: bool
    banned_until: Moment | None
    created_at: Moment
    version: int
    allowed_actions: list[str]

    @classmethod
    def of(cls, user: User, deals: Deals) -> Self:
        now = clock.now()
        return cls(
            id=user.id,
            discord_id=user.discord_id,
            username=user.username,
            avatar=user.avatar,
            email=user.email,
            phone=user.phone,
            roblox=_roblox(user),
            kyc_tier=user.tier,
            kyc_verified=people.is_verified(user),
            limits=Limits.of(user, deals, now),
            open_deals=deals.open,
            payout_account=_payout(user),
            wallet_address=addresses.checksum(user.wallet) if user.wallet else None,
            wallet_risk=wallets.risk_of(user, now),
            screened_at=_screened_at(user),
            platform_roles=_roles(user),
            banned=people.is_banned(user, now),
            banned_until=user.banned_until,
            created_at=user.created_at,
            version=user.version,
            allowed_actions=people.allowed_actions(user, deals, now),
        )


class StaffGrant(View):
    """What a person may do for the platform, after an operator changed it."""

    user_id: str
    platform_roles: list[PlatformRole]
    kyc_tier: Tier

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(user_id=user.id, platform_roles=_roles(user), kyc_tier=user.tier)


class Card(View):
    """What everybody may know: no contact data, no Discord id."""

    id: str
    username: str
    avatar: str | None
    roblox_id: str | None
    roblox_username: str | None
    kyc_tier: Tier
    kyc_verified: bool
    completed: int
    disputed: int
    refunded: int

    @classmethod
    def of(cls, user: User, deals: Deals) -> Self:
        return cls(
            id=user.id,
            username=user.username,
            avatar=user.avatar,
            roblox_id=user.roblox_id,
            roblox_username=user.roblox_username,
            kyc_tier=user.tier,
            kyc_verified=people.is_verified(user),
            completed=deals.completed,
            disputed=deals.disputed,
            refunded=deals.refunded,
        )


class CardAllowed(View):
    user_id: str
    card_allowed: bool

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(user_id=user.id, card_allowed=True)


def _roles(user: User) -> list[PlatformRole]:
    return sorted(PlatformRole(role) for role in user.platform_roles)


def _roblox(user: User) -> RobloxAccount | None:
    return RobloxAccount(roblox_id=user.roblox_id, username=user.roblox_username) if user.roblox_id else None


def _screened_at(user: User) -> dt.datetime | None:
    return clock.parse(user.wallet_screening["at"]) if user.wallet_screening else None


def _payout(user: User) -> PayoutAccount | None:
    if user.payout_account_id is None:
        return None
    return PayoutAccount(account_id=user.payout_account_id, country=user.payout_country, ready=user.payouts_ready)
