"""Sign-ins: who a bearer token proves, and the pair of tokens a session hands out (D1, features M02).

Both tokens are JWTs signed with the `tokens` secret and good for one audience each; the session's row says whether they
still count. A refresh token names its generation: an older one that comes back was stolen or replayed, and ends the
session, so that a thief and his victim do not both go on.
"""

import datetime as dt
import re
from itertools import batched
from typing import Any, NamedTuple

import jwt

from bloxtr8 import clock, config, ids, table
from bloxtr8.actors import Actor
from bloxtr8.entities import Session, User
from bloxtr8.errors import Unauthenticated

ALGORITHM = "HS256"
ISSUER = "bloxtr8"
AT_ONCE = 90  # sessions in one transaction, which takes 100 rows
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TOKEN_LIMIT = 2048
_REQUIRED = ["sub", "sid", "exp", "iat", "aud", "iss"]


class Tokens(NamedTuple):
    """A new pair; `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


def open_session(user_id: str) -> Session:
    """A new session of a user; its tokens count from when its row is written."""
    now = clock.now()
    session = Session(
        user_id=user_id,
        id=ids.new("ses"),
        created_at=now,
        expires_at=now + dt.timedelta(seconds=config.settings().session_seconds),
    )
    session.ttl = session.expires_at
    return session


def tokens_for(session: Session) -> Tokens:
    """The access and refresh token of the session's present generation."""
    seconds = config.settings().access_token_seconds
    claims = {"sub": session.user_id, "sid": session.id}
    return Tokens(
        access_token=_sign({**claims, "aud": "access"}, clock.now() + dt.timedelta(seconds=seconds)),
        refresh_token=_sign({**claims, "aud": "refresh", "gen": session.generation}, session.expires_at),
        expires_in=seconds,
    )


def authenticate(header: str) -> Session:
    """The live session that `Authorization: Bearer …` proves. Raises Unauthenticated for any other header."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Send a bearer token.")
    return _live(claims_of(token, "access"))


def refresh(token: str) -> Tokens:
    """A new pair for a refresh token, which is spent by this. Raises Unauthenticated; a token that was spent before
    ends the session: REFRESH_REUSED."""
    claims = claims_of(token, "refresh")
    session = _live(claims)
    if session.generation == claims.get("gen"):
        session.generation += 1
        if table.remember(session, unless_exists=False):
            return tokens_for(session)
    end(session.user_id, session.id)  # spent before, or a twin was faster
    raise Unauthenticated("This refresh token was used before; the session is ended.", "REFRESH_REUSED")


def end(user_id: str, session_id: str) -> None:
    """End one session: both its tokens are worth nothing from now on."""
    table.take(Session, user_id=user_id, id=session_id)


def end_all(actor: Actor) -> None:
    """End every session of the actor, wherever it was opened; the user's audit chain says so."""
    user = table.get(User, id=actor.id)
    found = table.partition(f"USER#{actor.id}", prefix="SESSION#")
    for some in batched(found, AT_ONCE, strict=False):
        table.commit(user, action="end_session", actor=actor, deletes=some, details={"sessions": len(some)})


def claims_of(token: str, audience: str) -> dict[str, Any]:
    """The claims of a token we signed for `audience` (access, refresh) that has not expired. Raises Unauthenticated."""
    if len(token) > _TOKEN_LIMIT or not _TOKEN.fullmatch(token):
        raise _invalid()
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(),
            algorithms=[ALGORITHM],  # never what the token says
            audience=audience,
            issuer=ISSUER,
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        raise _invalid() from None
    if claims["exp"] <= clock.now().timestamp():  # by the platform's own clock
        raise Unauthenticated("This token has expired.")
    return claims


def _invalid() -> Unauthenticated:
    return Unauthenticated("This token is not valid.")


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
