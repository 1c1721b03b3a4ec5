"""Sign-ins: who a bearer token proves, and the pair of tokens a session hands out (D1, features M02).

Both tokens are JWTs signed with the `tokens` secret; the session's row says whether they still count. A refresh token names its
generation: an older one that comes back was stolen or replayed, and ends the session.
"""

import datetime as dt
from typing import Any, NamedTuple

import jwt

from bloxtr8 import clock, config, ids, table
from bloxtr8.entities import Session
from bloxtr8.errors import Unauthenticated

ALGORITHM = "HS256"
ISSUER = "bloxtr8"
_REQUIRED = ["sub", "sid", "exp", "iat", "aud", "iss"]


class Tokens(NamedTuple):
    """A new pair; `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


def open_session(user_id: str) -> tuple[Session, Tokens]:
    """A new session of a user, already stored, and its first tokens."""
    now = clock.now()
    session = Session(
        user_id=user_id, id=ids.new("ses"), created_at=now, expires_at=now + dt.timedelta(seconds=config.settings().session_seconds)
    )
    session.ttl = session.expires_at
    table.remember(session)
    return session, tokens_for(session)


def tokens_for(session: Session) -> Tokens:
    """The access and refresh token of the session's present generation."""
    seconds = config.settings().access_token_seconds
    claims = {"sub": session.user_id, "sid": session.id}
    access = _sign({**claims, "aud": "access"}, clock.now() + dt.timedelta(seconds=seconds))
    refresh = _sign({**claims, "aud": "refresh", "gen": session.generation}, session.expires_at)
    return Tokens(access, refresh, seconds)


def authenticate(header: str) -> Session:
    """The live session that `Authorization: Bearer …` proves. Raises Unauthenticated for any other header."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Send a bearer token.")
    return _live(claims_of(token, "access"))


def refresh(token: str) -> Tokens:
    """A new pair for a refresh token, which is spent by this. A spent one that comes back ends the session: 401 REFRESH_REUSED."""
    claims = claims_of(token, "refresh")
    session = _live(claims)
    if session.generation != claims["gen"]:
        table.forget(session)
        raise Unauthenticated("This refresh token was used before; the session is ended.", "REFRESH_REUSED")
    session.generation += 1
    if not table.remember(session, unless_exists=False):  # a twin was faster: the token is spent
        table.forget(session)
        raise Unauthenticated("This refresh token was used before; the session is ended.", "REFRESH_REUSED")
    return tokens_for(session)


def claims_of(token: str, audience: str) -> dict[str, Any]:
    """The claims of a token we signed for `audience` (access, refresh) that has not expired. Raises Unauthenticated."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(),
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=ISSUER,
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        raise Unauthenticated("This token is not valid.") from None
    if claims["exp"] <= clock.now().timestamp():  # by the platform's own clock
        raise Unauthenticated("This token has expired.")
    return claims


def _live(claims: dict[str, Any]) -> Session:
    session = table.find(Session, user_id=claims["sub"], id=claims["sid"])
    if session is None or session.expires_at <= clock.now():
        raise Unauthenticated("This session has ended.")
    return session


def _sign(claims: dict[str, Any], expires_at: dt.datetime) -> str:
    now = int(clock.now().timestamp())
    return jwt.encode({**claims, "iss": ISSUER, "iat": now, "exp": int(expires_at.timestamp())}, _key(), ALGORITHM)


def _key() -> str:
    return str(config.secret("tokens")["key"])
