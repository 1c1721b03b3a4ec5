"""A person's wallet: proven by a signature over a message of ours (EIP-4361), screened, one for one person (M06, D29).

While a deal is open it is neither linked, replaced nor unlinked: what a deal pays out to was frozen at accept. A
wallet that is SANCTIONED is not linked; one of HIGH or MEDIUM risk is, and its risk is kept: it starts no deal.
"""

import datetime as dt
import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from bloxtr8 import addresses, clock, config
from bloxtr8.domain import kyc
from bloxtr8.entities import Deals, Identity, Tier, User, WalletNonce
from bloxtr8.errors import Conflict, Unauthenticated, Unavailable, Unprocessable, UpstreamFailed

WALLET = "WALLET"
NONCE_BYTES = 16
STATEMENT = (
    "I own this wallet. Bloxtr8 may send what is mine of a trade to it, and nothing else: "
    "signing this costs nothing and moves no money."
)
_LOW_ADDRESSES = 1 << 16  # zero, and those of the chain's built-in functions (precompiles)
_SYSTEM = ("0x4200", "0x4e59b44847b379578588920ca78fbf26c0b4956c")  # Base's own contracts; the deterministic deployer
_BURNT = "0x000000000000000000000000000000000000dead"


class Risk(StrEnum):
    """What a wallet's screening found (rail-usdc.md). UNKNOWN: nobody said, or a source failed; it is never LOW."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    SANCTIONED = "SANCTIONED"
    UNKNOWN = "UNKNOWN"


def is_fresh(evidence: Mapping[str, Any] | None, now: dt.datetime) -> bool:
    """Whether a screening said something, less than `screening_seconds` ago."""
    if evidence is None or evidence["risk"] == Risk.UNKNOWN:
        return False
    return now - clock.parse(evidence["at"]) < dt.timedelta(seconds=config.settings().screening_seconds)


def risk_of(user: User, now: dt.datetime) -> Risk | None:
    """The risk of the person's wallet, UNKNOWN where the screening is old; None without a wallet."""
    if user.wallet is None:
        return None
    evidence = user.wallet_screening
    return Risk(evidence["risk"]) if is_fresh(evidence, now) else Risk.UNKNOWN


def read_address(text: str) -> str:
    """A wallet's address in lower case.

    Raises Unprocessable BAD_ADDRESS for what is no address, has a wrong checksum, or can't be a person's wallet: a
    built-in function, a contract of the chain or of this deployment, its fee address.
    """
    try:
        address = addresses.parse(text)
    except ValueError as error:
        raise Unprocessable(f"This {error}.", "BAD_ADDRESS") from None
    if int(address, 16) < _LOW_ADDRESSES or address == _BURNT or address.startswith(_SYSTEM) or address in _ours():
        raise Unprocessable("This is nobody's wallet.", "BAD_ADDRESS")
    return address


def _ours() -> set[str]:
    settings = config.settings()
    ours = (settings.usdc_address, settings.fee_address, settings.sanctions_oracle, *config.escrow_contracts())
    return {address.lower() for address in ours}


def check_startable(user: User, now: dt.datetime) -> None:
    """Whether the person may prove a wallet. Raises Forbidden BANNED or KYC_REQUIRED."""
    kyc.check_not_banned(user, now)
    kyc.check_tier(user, Tier.TIER_1)


def check_linkable(user: User, deals: Deals, now: dt.datetime) -> None:
    """The same, and with no deal open. Raises Forbidden BANNED or KYC_REQUIRED, Conflict HAS_OPEN_DEALS."""
    check_startable(user, now)
    kyc.check_free(deals)


def challenge(user: User, text: str, now: dt.datetime) -> WalletNonce:
    """A message for the wallet at the address `text` to sign, good once and for ten minutes.

    Raises Forbidden BANNED or KYC_REQUIRED, Unprocessable BAD_ADDRESS.
    """
    check_startable(user, now)
    address, nonce = read_address(text), secrets.token_hex(NONCE_BYTES)
    expires_at = now + dt.timedelta(seconds=config.settings().wallet_nonce_seconds)
    row = WalletNonce(
        nonce=nonce,
        user_id=user.id,
        address=address,
        message=_message(user, address, nonce, now, expires_at),
        expires_at=expires_at,
    )
    row.ttl = expires_at
    return row


def _message(user: User, address: str, nonce: str, now: dt.datetime, expires_at: dt.datetime) -> str:
    """EIP-4361: the wallet shows it, and warns where the domain is not that of the page which asks."""
    settings = config.settings()
    return "\n".join(
        [
            f"{settings.wallet_domain} wants you to sign in with your Ethereum account:",
            addresses.checksum(address),
            "",
            STATEMENT,
            "",
            f"URI: https://{settings.wallet_domain}",
            "Version: 1",
            f"Chain ID: {settings.chain_id}",
            f"Nonce: {nonce}",
            f"Issued At: {clock.iso(now)}",
            f"Expiration Time: {clock.iso(expires_at)}",
            f"Request ID: {user.id}",
        ]
    )


def check_challenge(row: WalletNonce | None, user_id: str, text: str, now: dt.datetime) -> WalletNonce:
    """A challenge, come back from the person it was made for, about the same address. One answer for every reason it
    is not good. Raises Unauthenticated BAD_SIGNATURE, Unprocessable BAD_ADDRESS."""
    address = read_address(text)
    if row is None or row.user_id != user_id or row.address != address or row.expires_at <= now:
        raise not_proven()
    return row


def not_proven() -> Unauthenticated:
    """The refusal of a signature, whatever is wrong with it."""
    return Unauthenticated("This signature does not prove the wallet. Please ask for a new message.", "BAD_SIGNATURE")


def check_screening(evidence: Mapping[str, Any]) -> None:
    """Whether a wallet may be linked. Raises Unprocessable WALLET_SANCTIONED; where nobody knows, UpstreamFailed, or
    Unavailable if no list is configured."""
    if evidence["risk"] == Risk.SANCTIONED:
        raise Unprocessable("This wallet is on a sanctions list.", "WALLET_SANCTIONED")
    if evidence["risk"] == Risk.UNKNOWN:
        if not evidence["lists"]:
            raise Unavailable("Wallets can't be screened here yet.")
        raise UpstreamFailed("The wallet can't be screened at the moment. Please try again.")


def link(
    user: User, deals: Deals, mark: Identity | None, address: str, evidence: Mapping[str, Any], now: dt.datetime
) -> Identity | None:
    """The person's wallet from now on. The marker to write, None where it is the person's already; the one of an
    earlier wallet goes. `mark` is the marker that exists for the address.

    Raises Forbidden BANNED or KYC_REQUIRED, Conflict HAS_OPEN_DEALS or WALLET_TAKEN, and as `check_screening`.
    """
    check_linkable(user, deals, now)
    if mark is not None and mark.user_id != user.id:
        raise Conflict("This wallet belongs to somebody else here.", "WALLET_TAKEN")
    check_screening(evidence)
    user.wallet, user.wallet_screening = address, dict(evidence)
    return Identity(provider=WALLET, value=address, user_id=user.id) if mark is None else None


def unlink(user: User, deals: Deals) -> None:
    """Forget the wallet, at any tier: only who proved it has one. Raises Conflict HAS_OPEN_DEALS."""
    kyc.check_free(deals)
    user.wallet = user.wallet_screening = None


def check_unlinkable(user: User, deals: Deals) -> None:
    """Raises Conflict where there is no wallet, or HAS_OPEN_DEALS."""
    if user.wallet is None:
        raise Conflict("There is no wallet to unlink.")
    kyc.check_free(deals)
