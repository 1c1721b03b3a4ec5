"""The Roblox double as a client over HTTP sees it: OAuth with PKCE, and both APIs of groups and games."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

from local.doubles.oauth import challenge_of
from local.doubles.roblox import RobloxDouble
from local.doubles.web import serve
from tests.emulator import Clock

PAGE = "http://localhost:5173/callback"
SELLER, GROUP, GAME = "261", "7", "13058"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
type Ask = Callable[..., urllib3.BaseHTTPResponse]


@pytest.fixture
def double(clock: Clock) -> RobloxDouble:
    """Roblox, where the seller owns a group and a game."""
    double = RobloxDouble(clock.now)
    double.put_user(SELLER, "seller")
    double.put_group(GROUP, owner=SELLER, memberCount=42, name="The Group")
    double.put_game(GAME, user=SELLER, name="The Game", visits=5)
    return double


@pytest.fixture
def ask(double: RobloxDouble) -> Iterator[Ask]:
    """A request to the double: method, path, and what urllib3 takes."""
    with serve(double.wsgi) as base:

        def ask(method: str, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
            return urllib3.request(method, base + path, redirect=False, retries=False, **more)

        yield ask


def code_of(ask: Ask, double: RobloxDouble, scope: str = "openid profile") -> str:
    query = {
        "client_id": double.secret["clientId"],
        "redirect_uri": PAGE,
        "response_type": "code",
        "scope": scope,
        "state": "s",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        "as": SELLER,
    }
    answer = ask("GET", f"/oauth/v1/authorize?{urlencode(query)}")
    assert answer.status == 302
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def redeem(ask: Ask, double: RobloxDouble, code: str, **changes: str) -> urllib3.BaseHTTPResponse:
    client = {"client_id": double.secret["clientId"], "client_secret": double.secret["clientSecret"]}
    form = client | {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER} | changes
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return ask("POST", "/oauth/v1/token", body=urlencode(form), headers=headers)


def cloud(ask: Ask, double: RobloxDouble, path: str) -> urllib3.BaseHTTPResponse:
    return ask("GET", f"/cloud/v2/{path}", headers={"x-api-key": double.secret["apiKey"]})


def test_the_challenge_is_that_of_rfc_7636() -> None:
    assert challenge_of(VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_userinfo_tells_who_agreed(double: RobloxDouble, ask: Ask) -> None:
    token = redeem(ask, double, code_of(ask, double)).json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 899)
    claims = ask("GET", "/oauth/v1/userinfo", headers={"Authorization": f"Bearer {token['access_token']}"}).json()
    assert (claims["sub"], claims["preferred_username"]) == (SELLER, "seller")


def test_userinfo_without_the_profile_scope_is_the_id_alone(double: RobloxDouble, ask: Ask) -> None:
    token = redeem(ask, double, code_of(ask, double, "openid")).json()["access_token"]
    assert ask("GET", "/oauth/v1/userinfo", headers={"Authorization": f"Bearer {token}"}).json() == {"sub": SELLER}
    assert ask("GET", "/oauth/v1/userinfo", headers={"Authorization": "Bearer other"}).status == 401


@pytest.mark.parametrize("verifier", ["", "x" * 43])
def test_a_code_needs_its_verifier(double: RobloxDouble, ask: Ask, verifier: str) -> None:
    code = code_of(ask, double)
    answer = redeem(ask, double, code, code_verifier=verifier)
    assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")
    assert redeem(ask, double, code).status == 400


def test_a_code_works_once_within_a_minute(double: RobloxDouble, ask: Ask, clock: Clock) -> None:
    code = code_of(ask, double)
    assert [redeem(ask, double, code).status for _ in range(2)] == [200, 400]
    late = code_of(ask, double)
    clock.advance(seconds=60)
    assert redeem(ask, double, late).json()["error"] == "invalid_grant"


def test_both_apis_know_the_group(double: RobloxDouble, ask: Ask) -> None:
    new = cloud(ask, double, f"groups/{GROUP}").json()
    assert (new["path"], new["id"], new["owner"], new["memberCount"]) == ("groups/7", "7", "users/261", 42)
    assert (new["displayName"], new["locked"]) == ("The Group", False)
    old = ask("GET", f"/v1/groups/{GROUP}").json()
    assert (old["id"], old["owner"]["userId"], old["owner"]["username"], old["memberCount"]) == (7, 261, "seller", 42)
    assert "isLocked" not in old


def test_a_group_changes_hands_over_http(double: RobloxDouble, ask: Ask) -> None:
    assert ask("PUT", f"/_double/groups/{GROUP}", json={"owner": "99"}).status == 204
    assert cloud(ask, double, "groups/7").json()["owner"] == "users/99"
    assert ask("GET", "/v1/groups/7").json()["owner"]["username"] == "user99"
    assert ask("PUT", "/_double/users/99", json={"username": "buyer"}).status == 204
    assert ask("GET", "/v1/groups/7").json()["owner"]["username"] == "buyer"
    assert ask("GET", "/v1/groups/7").json()["memberCount"] == 42


def test_an_abandoned_locked_group_looks_so_in_both(double: RobloxDouble, ask: Ask) -> None:
    assert ask("PUT", f"/_double/groups/{GROUP}", json={"owner": None, "isLocked": True}).status == 204
    new, old = cloud(ask, double, "groups/7").json(), ask("GET", "/v1/groups/7").json()
    assert "owner" not in new
    assert new["locked"]
    assert (old["owner"], old["isLocked"]) == (None, True)


def test_missing_groups_have_the_documented_errors(double: RobloxDouble, ask: Ask) -> None:
    new, old = cloud(ask, double, "groups/8"), ask("GET", "/v1/groups/8")
    assert (new.status, new.json()["code"]) == (404, "NOT_FOUND")
    assert (old.status, old.json()["errors"][0]["code"]) == (400, 1)


def test_the_cloud_asks_for_the_key(double: RobloxDouble, ask: Ask) -> None:
    for path in (f"groups/{GROUP}", f"universes/{GAME}"):
        answer = ask("GET", f"/cloud/v2/{path}", headers={"x-api-key": "wrong"})
        assert (answer.status, answer.json()["errors"][0]["message"]) == (401, "Invalid API Key")


def test_a_game_of_a_user_then_of_a_group(double: RobloxDouble, ask: Ask) -> None:
    assert cloud(ask, double, f"universes/{GAME}").json()["user"] == "users/261"
    [old] = ask("GET", f"/v1/games?universeIds={GAME},404").json()["data"]
    assert (old["id"], old["visits"]) == (13058, 5)
    assert (old["creator"]["id"], old["creator"]["name"], old["creator"]["type"]) == (261, "seller", "User")
    assert ask("PUT", f"/_double/games/{GAME}", json={"group": GROUP}).status == 204
    new = cloud(ask, double, f"universes/{GAME}").json()
    assert (new["group"], "user" in new, new["displayName"]) == ("groups/7", False, "The Game")
    [old] = ask("GET", f"/v1/games?universeIds={GAME}").json()["data"]
    assert (old["creator"]["id"], old["creator"]["name"], old["creator"]["type"]) == (7, "The Group", "Group")


def test_missing_games_have_the_documented_answers(double: RobloxDouble, ask: Ask) -> None:
    assert cloud(ask, double, "universes/8").json()["code"] == "NOT_FOUND"
    assert ask("GET", "/v1/games?universeIds=8").json() == {"data": []}
    assert ask("GET", "/v1/games?universeIds=").status == 400
    assert ask("GET", f"/v1/games?universeIds={','.join(['1'] * 101)}").status == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("groups/7", {"owned": "1"}),
        ("groups/7", {"owner": "me"}),
        ("groups/seven", {"owner": "1"}),
        ("games/9", {"name": "a game of nobody"}),
        ("games/9", {"user": "1", "group": "2"}),
        ("users/1", {"name": "x"}),
    ],
)
def test_it_refuses_what_it_would_not_understand(ask: Ask, path: str, body: dict[str, Any]) -> None:
    assert ask("PUT", f"/_double/{path}", json=body).status == 400


def test_an_unknown_path_is_robloxs_404(ask: Ask) -> None:
    answer = ask("GET", "/v1/nothing")
    assert (answer.status, answer.json()) == (404, {"errors": [{"code": 0, "message": "NotFound"}]})
