"""The authorization code grant (RFC 6749 section 4.1), as Discord and Roblox both speak it."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from bloxtr8 import errors
from bloxtr8.outside.http import Talk

_CODE = re.compile(r"[!-~]{1,2048}")  # RFC 6749 appendix A.11: visible ASCII
_TOKEN = re.compile(r"[!-~]{1,8192}")


def authorize_url(page: str, client_id: str, redirect_uri: str, state: str, scope: str, **more: str) -> str:
    """The provider's page where the user agrees; it sends the browser to `redirect_uri` with a code and the state."""
    query = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": scope,
        "state": state,
    }
    return f"{page}?{urlencode(query | more)}"


def exchange(talk: Talk, url: str, client: Mapping[str, str], code: str, redirect_uri: str, **more: str) -> str:
    """The access token for a code, asked for once.

    Raises Invalid STATE_INVALID where the provider refuses the code (expired, used, not ours, wrong verifier), and
    UpstreamFailed for everything else, a wrong client secret included: that is our fault, not the caller's.
    """
    if not _CODE.fullmatch(code):
        raise _refused()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": client["clientId"],
        "client_secret": client["clientSecret"],
    }
    answer = talk.post_form(url, form | more)
    found = talk.object(answer)
    if answer.status == 400 and found.get("error") == "invalid_grant":
        raise _refused()
    if answer.status != 200:
        talk.fail(f"the token endpoint answered {answer.status}")
    token = found.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or str(found.get("token_type")).lower() != "bearer":
        talk.fail("the token endpoint answered without a usable token")
    return token


def _refused() -> errors.Invalid:
    return errors.Invalid("This sign-in is no longer valid. Please start again.", "STATE_INVALID")
