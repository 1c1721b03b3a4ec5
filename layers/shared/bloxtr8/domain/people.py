"""Who a person is: the sign-in with Discord and the link to Roblox (D1, D16, D28, D29)."""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Callable
from functools import partial

from bloxtr8 import config, ids
from bloxtr8.domain import kyc, wallets
from bloxtr8.entities import Deals, Identity, OAuthState, PlatformRole, Tier, User
from bloxtr8.errors import Conflict, DomainError, Forbidden, Invalid, Unprocessable

DISCORD, ROBLOX = "DISCORD", "ROBLOX"
STATE_BYTES = 32
VERIFIER_BYTES = 48
type Guard = Callable[[User, Deals, dt.datetime], None]


def open_state(
    provider: str, redirect_uri: str, now: dt.datetime, *, challenge: str | None = None, user_id: str | None = None
) -> OAuthState:
    """A sign-in (with the client's S256 `challenge`) or a link (of `user_id`) that begins now, good for ten minutes.

    Raises Unprocessable REDIRECT_NOT_ALLOWED for a page that is not on the allow-list, to the letter.
    """
    if redirect_uri not in {page.strip() for page in config.settings().redirect_urls.split(",")}:
        raise Unprocessable("This page may not be returned to.", "REDIRECT_NOT_ALLOWED")
    state = OAuthState(
        state=secrets.token_urlsafe(STATE_BYTES),
        provider=provider,
        redirect_uri=redirect_uri,
        challenge=challenge,
        verifier=secrets.token_urlsafe(VERIFIER_BYTES) if user_id else None,
        user_id=user_id,
        expires_at=now + dt.timedelta(seconds=config.settings().oauth_state_seconds),
    )
    state.ttl = state.expires_at
    return state


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def check_login(state: OAuthState | None, verifier: str, now: dt.datetime) -> OAuthState:
    """A sign-in's state, come back from the client that started it (D28). Raises Invalid STATE_INVALID."""
    state = _live(state, DISCORD, now)
    if not hmac.compare_digest(challenge_of(verifier), state.challenge):
        raise _not_this()
    return state


def check_link(state: OAuthState | None, user_id: str, now: dt.datetime) -> OAuthState:
    """A link's state, come back from the user who started it (D28). Raises Invalid STATE_INVALID."""
    state = _live(state, ROBLOX, now)
    if state.user_id != user_id:
        raise _not_this()
    return state


def _live(state: OAuthState | None, provider: str, now: dt.datetime) -> OAuthState:
    if state is None or state.provider != provider or state.expires_at <= now:
        raise _not_this()
    return state


def _not_this() -> Invalid:
    """One answer for every reason: a state tells nobody why it is not good."""
    return Invalid("This sign-in is no longer valid. Please start again.", "STATE_INVALID")


def newcomer(discord_id: str, username: str, avatar: str | None, now: dt.datetime) -> tuple[User, Deals, Identity]:
    """The rows of a person who signs in for the first time: they stand or fall together (M01)."""
    user = User(id=ids.new("usr"), discord_id=discord_id, username=username, avatar=avatar, created_at=now)
    mark = Identity(provider=DISCORD, value=discord_id, user_id=user.id, seen_as=seen_as(username, avatar))
    return user, Deals(user_id=user.id), mark


def rename(user: User, mark: Identity, username: str, avatar: str | None) -> None:
    """Discord shows another name or picture than at the last sign-in. The person is the same: the id decides."""
    user.username, user.avatar = username, avatar
    mark.seen_as = seen_as(username, avatar)


def seen_as(username: str, avatar: str | None) -> str:
    """What an identity looks like, as one text."""
    return f"{username}\n{avatar or ''}"


def is_verified(user: User) -> bool:
    """Whether the identity is verified: from TIER_2 (D16)."""
    return user.tier is Tier.TIER_2


def is_banned(user: User, now: dt.datetime) -> bool:
    """Whether a ban stands. It keeps nobody from signing in and finishing what is under way (M10)."""
    return not _passes(lambda: kyc.check_not_banned(user, now))


def check_linkable(user: User, now: dt.datetime) -> None:
    """Raises Forbidden BANNED, or Conflict ALREADY_LINKED."""
    kyc.check_not_banned(user, now)
    if user.roblox_id is not None:
        raise Conflict("Your account is linked to Roblox already. Unlink it first.", "ALREADY_LINKED")


def link_roblox(user: User, mark: Identity | None, roblox_id: str, username: str, now: dt.datetime) -> Identity:
    """Link a proven Roblox account, which lifts TIER_0 to TIER_1 (M03). `mark` is the marker that exists for it.

    Raises Forbidden BANNED, Conflict ALREADY_LINKED or ROBLOX_LINKED_ELSEWHERE.
    """
    check_linkable(user, now)
    if mark is not None:
        raise Conflict("This Roblox account belongs to somebody else here.", "ROBLOX_LINKED_ELSEWHERE")
    user.roblox_id, user.roblox_username = roblox_id, username
    if user.tier is Tier.TIER_0:
        user.tier = Tier.TIER_1
    return Identity(provider=ROBLOX, value=roblox_id, user_id=user.id, seen_as=username)


def unlink_roblox(user: User, deals: Deals) -> None:
    """Forget the Roblox account. Tier 0 whatever it was: every tier stands on it. Raises Conflict HAS_OPEN_DEALS."""
    kyc.check_free(deals)
    user.roblox_id = user.roblox_username = None
    user.tier = Tier.TIER_0


def check_country(country: str) -> None:
    """Raises Unprocessable COUNTRY_NOT_SUPPORTED where a seller can't be paid out by card money."""
    if country not in config.settings().payout_countries.split():
        raise Unprocessable("Sellers in this country can't be paid out yet.", "COUNTRY_NOT_SUPPORTED")


def _check_unlinkable(user: User, deals: Deals, _: dt.datetime) -> None:
    if user.roblox_id is None:
        raise Conflict("There is no Roblox account to unlink.")
    kyc.check_free(deals)


ACTIONS: dict[str, Guard] = {
    "update_me": lambda user, deals, now: None,
    "start_roblox_link": lambda user, deals, now: check_linkable(user, now),
    "unlink_roblox": _check_unlinkable,
    "open_payout_account": lambda user, deals, now: kyc.check_tier(user, Tier.TIER_1),
    "challenge_wallet": lambda user, deals, now: wallets.check_startable(user, now),
    "link_wallet": wallets.check_linkable,
    "unlink_wallet": lambda user, deals, now: wallets.check_unlinkable(user, deals),
}


def allowed_actions(user: User, deals: Deals, now: dt.datetime) -> list[str]:
    """What a person may do with the own account now."""
    return [action for action, guard in ACTIONS.items() if _passes(partial(guard, user, deals, now))]


def _passes(guard: Callable[[], None]) -> bool:
    try:
        guard()
    except DomainError:
        return False
    return True


def grant(user: User, role: PlatformRole | None, tier: Tier | None, *, revoke: bool) -> bool:
    """Give a platform role (or, with `revoke`, take it) and set a tier. Whether that changed anything.

    Raises Invalid where nothing is asked for, Conflict ROBLOX_NOT_LINKED: every tier above 0 stands on the link.
    """
    if (role is None and tier is None) or (revoke and role is None):
        raise Invalid("Name a role, a tier or both; with revoke, the role.")
    if tier not in {None, Tier.TIER_0} and user.roblox_id is None:
        raise Conflict("A tier above 0 needs a linked Roblox account.", "ROBLOX_NOT_LINKED")
    before = user.platform_roles, user.tier
    if role is not None:
        user.platform_roles = user.platform_roles - {role} if revoke else user.platform_roles | {role}
    user.tier = tier or user.tier
    return before != (user.platform_roles, user.tier)


def check_role(user: User, *roles: PlatformRole) -> None:
    """Platform roles are read from the user's row, never from the token (D23). Raises Forbidden."""
    if not user.platform_roles & set(roles):
        raise Forbidden("This is for staff.")
