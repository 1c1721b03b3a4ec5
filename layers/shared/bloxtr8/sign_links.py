"""Magic links: 32 random bytes, fifteen minutes, one use; the table knows only their hash (M35)."""

import datetime as dt
import hashlib
import secrets

from bloxtr8 import clock, config, table
from bloxtr8.entities import SignToken
from bloxtr8.errors import Expired, Unauthenticated

TOKEN_BYTES = 32


def create(contract_id: str, user_id: str) -> tuple[str, dt.datetime]:
    """A new token for one contract and one party, and when it ends."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = clock.now() + dt.timedelta(seconds=config.settings().sign_link_seconds)
    row = SignToken(token_hash=_hash(token), contract_id=contract_id, user_id=user_id, expires_at=expires_at)
    row.ttl = expires_at
    table.remember(row)
    return token, expires_at


def burn(token: str) -> SignToken:
    """Spend a token: of two callers exactly one gets it. Raises Unauthenticated TOKEN_INVALID, Expired."""
    row = table.take(SignToken, token_hash=_hash(token))
    if row is None:
        raise Unauthenticated("This link is not valid.", "TOKEN_INVALID")
    if row.expires_at <= clock.now():
        raise Expired("This link has expired.")
    return row


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
