"""The authorization code grant as the doubles speak it: codes that work once and die soon, PKCE S256, tokens."""

import base64
import datetime as dt
import hashlib
import secrets
from collections.abc import Container, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from local.doubles.web import Clock, Refused, as_json

TOKEN_BYTES = 24


@dataclass(slots=True)
class _Code:
    user_id: str
    scope: str
    redirect_uri: str
    challenge: str | None
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token stands for."""

    user_id: str
    scopes: frozenset[str]
    expires_at: dt.datetime


class AuthorizationServer:
    """Codes and tokens of one client: `clientId` and `clientSecret` of `secret`. The caller holds the double's lock."""

    def __init__(self, clock: Clock, secret: Mapping[str, str], code_seconds: int, token_seconds: int) -> None:
        self._now, self._client = clock, (secret["clientId"], secret["clientSecret"])
        self._code_seconds, self._token_seconds = code_seconds, token_seconds
        self._codes: dict[str, _Code] = {}
        self._grants: dict[str, Grant] = {}

    def authorize(self, request: Request, users: Container[str]) -> Response:
        """The user named by `as` agrees: back to the page of the client, with a code. The rest is the authorize URL."""
        query = request.args
        user_id = query.get("as", "")
        if user_id not in users:
            raise _error(400, "login_required", "Say who agrees: as={the id of a user put here}.")
        if query.get("client_id") != self._client[0]:
            raise _error(400, "invalid_client", "Unknown client_id.")
        if query.get("response_type") != "code":
            raise _error(400, "unsupported_response_type", "Only code is supported.")
        redirect_uri = query.get("redirect_uri", "")
        if urlsplit(redirect_uri).scheme not in {"http", "https"} or not query.get("scope"):
            raise _error(400, "invalid_request", "redirect_uri and scope are required.")
        challenge = query.get("code_challenge")
        if challenge is not None and query.get("code_challenge_method") != "S256":
            raise _error(400, "invalid_request", "Only S256 is supported.")
        code = secrets.token_urlsafe(TOKEN_BYTES)
        expires_at = self._now() + dt.timedelta(seconds=self._code_seconds)
        self._codes[code] = _Code(user_id, query["scope"], redirect_uri, challenge, expires_at)
        back = {"code": code} | ({"state": query["state"]} if "state" in query else {})
        return redirect(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(back)}")

    def token(self, request: Request) -> Response:
        """The token endpoint: the client (by Basic or by form), then the code, its redirect_uri and its verifier."""
        form = request.form
        basic = request.authorization
        given = (form.get("client_id"), form.get("client_secret"))
        if basic is not None and basic.type == "basic":
            given = (basic.username, basic.password)
        if given != self._client:
            raise _error(401, "invalid_client", "The client could not be authenticated.")
        if form.get("grant_type") != "authorization_code":
            raise _error(400, "unsupported_grant_type", "Only authorization_code is supported.")
        code = self._codes.pop(form.get("code", ""), None)  # a wrong attempt burns it too
        if code is None or self._now() >= code.expires_at:
            raise _error(400, "invalid_grant", 'Invalid "code" in request.')
        if form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
            raise _error(400, "invalid_grant", 'Invalid "redirect_uri" in request.')
        if code.challenge is not None and challenge_of(form.get("code_verifier", "")) != code.challenge:
            raise _error(400, "invalid_grant", "The code verifier does not match.")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        expires_at = self._now() + dt.timedelta(seconds=self._token_seconds)
        self._grants[token] = Grant(code.user_id, frozenset(code.scope.split()), expires_at)
        body = {
            "access_token": token,
            "refresh_token": secrets.token_urlsafe(TOKEN_BYTES),
            "token_type": "Bearer",
            "expires_in": self._token_seconds,
            "scope": code.scope,
        }
        return as_json(body)

    def grant_of(self, request: Request) -> Grant | None:
        """What the request's bearer token stands for; None without a live one."""
        header = request.authorization
        if header is None or header.type != "bearer" or header.token is None:
            return None
        grant = self._grants.get(header.token)
        return grant if grant is not None and self._now() < grant.expires_at else None


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _error(status: int, error: str, description: str) -> Refused:
    return Refused(status, {"error": error, "error_description": description})
