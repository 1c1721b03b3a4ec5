"""The Discord double as a client over HTTP sees it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

from local.doubles.discord import DiscordDouble
from local.doubles.web import serve
from tests.emulator import Clock

PAGE = "http://localhost:5173/callback"
ALICE, BOB, GUILD = "80351110224678912", "12", "197038439483310086"
SCOPES = "identify guilds guilds.members.read"
type Ask = Callable[..., urllib3.BaseHTTPResponse]


@pytest.fixture
def double(clock: Clock) -> DiscordDouble:
    """Discord, where Alice is an administrator of Bob's guild."""
    double = DiscordDouble(clock.now)
    double.put_user(ALICE, "alice")
    double.put_guild(GUILD, "The Guild", BOB, {ALICE: 1 << 3})
    return double


@pytest.fixture
def ask(double: DiscordDouble) -> Iterator[Ask]:
    """A request to the double: method, path, and what urllib3 takes."""
    with serve(double.wsgi) as base:

        def ask(method: str, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
            return urllib3.request(method, base + path, redirect=False, retries=False, **more)

        yield ask


def authorize(ask: Ask, double: DiscordDouble, **changes: str) -> urllib3.BaseHTTPResponse:
    client = {"client_id": double.secret["clientId"], "redirect_uri": PAGE, "response_type": "code"}
    query = client | {"scope": SCOPES, "state": "s", "as": ALICE} | changes
    return ask("GET", f"/oauth2/authorize?{urlencode(query)}")


def code_of(ask: Ask, double: DiscordDouble, **changes: str) -> str:
    back = urlsplit(authorize(ask, double, **changes).headers["Location"])
    return parse_qs(back.query)["code"][0]


def redeem(ask: Ask, double: DiscordDouble, code: str, **changes: str) -> urllib3.BaseHTTPResponse:
    client = {"client_id": double.secret["clientId"], "client_secret": double.secret["clientSecret"]}
    form = client | {"grant_type": "authorization_code", "code": code, "redirect_uri": PAGE} | changes
    return ask("POST", "/api/v10/oauth2/token", body=urlencode(form), headers=FORM)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def bearer(ask: Ask, double: DiscordDouble, scope: str = SCOPES) -> dict[str, str]:
    token = redeem(ask, double, code_of(ask, double, scope=scope)).json()
    assert token["scope"] == scope
    return {"Authorization": f"Bearer {token['access_token']}"}


def test_authorize_comes_back_with_code_and_state(double: DiscordDouble, ask: Ask) -> None:
    answer = authorize(ask, double, redirect_uri="https://client.example/cb?x=1")
    assert answer.status == 302
    assert answer.headers["Location"].startswith("https://client.example/cb?x=1&code=")
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["state"] == ["s"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "1"}, "invalid_client"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"redirect_uri": "javascript:alert(1)"}, "invalid_request"),
        ({"scope": ""}, "invalid_request"),
        ({"as": "999"}, "login_required"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_authorize_refuses(double: DiscordDouble, ask: Ask, change: dict[str, str], error: str) -> None:
    answer = authorize(ask, double, **change)
    assert (answer.status, answer.json()["error"]) == (400, error)


def test_the_client_is_authenticated_by_form_or_by_basic(double: DiscordDouble, ask: Ask) -> None:
    assert redeem(ask, double, code_of(ask, double)).json()["token_type"] == "Bearer"
    secret = double.secret
    basic = urllib3.util.make_headers(basic_auth=f"{secret['clientId']}:{secret['clientSecret']}")
    form = {"grant_type": "authorization_code", "code": code_of(ask, double), "redirect_uri": PAGE}
    answer = ask("POST", "/api/v10/oauth2/token", body=urlencode(form), headers=FORM | basic)
    assert answer.status == 200


def test_the_token_endpoint_refuses_a_wrong_client(double: DiscordDouble, ask: Ask) -> None:
    code = code_of(ask, double)
    answer = redeem(ask, double, code, client_secret="wrong")
    assert (answer.status, answer.json()["error"]) == (401, "invalid_client")
    assert redeem(ask, double, code).status == 200


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"redirect_uri": "https://elsewhere.example/"}, "invalid_grant"),
    ],
)
def test_the_token_endpoint_refuses(double: DiscordDouble, ask: Ask, change: dict[str, str], error: str) -> None:
    answer = redeem(ask, double, **({"code": code_of(ask, double)} | change))
    assert (answer.status, answer.json()["error"]) == (400, error)


def test_a_code_dies(double: DiscordDouble, ask: Ask, clock: Clock) -> None:
    code = code_of(ask, double)
    clock.advance(seconds=60)
    assert redeem(ask, double, code).json()["error"] == "invalid_grant"


def test_of_many_at_once_one_redeems_the_code(double: DiscordDouble, ask: Ask) -> None:
    code = code_of(ask, double)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: redeem(ask, double, code).status, range(16)))
    assert sorted(statuses) == [200] + [400] * 15


def test_me_is_the_user_who_agreed(double: DiscordDouble, ask: Ask) -> None:
    me = ask("GET", "/api/v10/users/@me", headers=bearer(ask, double)).json()
    assert (me["id"], me["username"], me["avatar"]) == (ALICE, "alice", None)
    double.put_user(ALICE, "renamed")
    assert ask("GET", "/api/v10/users/@me", headers=bearer(ask, double)).json()["username"] == "renamed"


def test_a_token_dies(double: DiscordDouble, ask: Ask, clock: Clock) -> None:
    headers = bearer(ask, double)
    clock.advance(days=8)
    answer = ask("GET", "/api/v10/users/@me", headers=headers)
    assert (answer.status, answer.json()) == (401, {"message": "401: Unauthorized", "code": 0})


def test_every_route_asks_for_its_scope(double: DiscordDouble, ask: Ask) -> None:
    headers = bearer(ask, double, "identify")
    for path in ("guilds", f"guilds/{GUILD}/member"):
        answer = ask("GET", f"/api/v10/users/@me/{path}", headers=headers)
        assert (answer.status, answer.json()["code"]) == (403, 50001)
    assert ask("GET", "/api/v10/users/@me", headers=bearer(ask, double, "guilds")).status == 403
    assert ask("GET", "/api/v10/users/@me").status == 401


def test_guilds_come_with_the_permissions_of_the_user(double: DiscordDouble, ask: Ask) -> None:
    double.put_guild("13", "Alice's own", ALICE, {})
    double.put_guild("14", "Strangers", BOB, {})
    guilds = ask("GET", "/api/v10/users/@me/guilds", headers=bearer(ask, double)).json()
    assert [(one["id"], one["owner"]) for one in guilds] == [("13", True), (GUILD, False)]
    assert guilds[1]["permissions"] == "8"


def test_a_member_is_seen_by_himself_and_by_the_bot(double: DiscordDouble, ask: Ask) -> None:
    mine = ask("GET", f"/api/v10/users/@me/guilds/{GUILD}/member", headers=bearer(ask, double))
    bot = {"Authorization": f"Bot {double.secret['botToken']}"}
    seen = ask("GET", f"/api/v10/guilds/{GUILD}/members/{ALICE}", headers=bot)
    assert mine.json() == seen.json()
    assert seen.json()["user"]["id"] == ALICE
    gone = ask("GET", f"/api/v10/guilds/{GUILD}/members/999", headers=bot)
    assert (gone.status, gone.json()["code"]) == (404, 10007)
    assert ask("GET", "/api/v10/guilds/999/members/1", headers=bot).json()["code"] == 10004
    assert ask("GET", "/api/v10/users/@me/guilds/999/member", headers=bearer(ask, double)).status == 404
    assert ask("GET", f"/api/v10/guilds/{GUILD}/members/{ALICE}", headers={"Authorization": "Bot x"}).status == 401


def test_it_is_driven_over_http(double: DiscordDouble, ask: Ask) -> None:
    assert ask("PUT", "/_double/users/99", json={"username": "carol"}).status == 204
    assert ask("PUT", "/_double/guilds/98", json={"name": "G", "ownerId": "99", "members": {ALICE: "32"}}).status == 204
    guilds = ask("GET", "/api/v10/users/@me/guilds", headers=bearer(ask, double)).json()
    assert ("98", "32") in [(one["id"], one["permissions"]) for one in guilds]
    assert authorize(ask, double, **{"as": "99"}).status == 302
    assert ask("GET", "/_double/messages").json() == {"messages": []}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("users/99", {"name": "carol"}),
        ("users/carol", {"username": "carol"}),
        ("users/99", ["carol"]),
        ("guilds/98", {"name": "G"}),
        ("guilds/98", {"ownerId": "99", "members": ["99"]}),
        ("guilds/98", {"ownerId": "me"}),
    ],
)
def test_it_refuses_what_it_would_not_understand(ask: Ask, path: str, body: Any) -> None:
    assert ask("PUT", f"/_double/{path}", json=body).status == 400


def test_an_unknown_path_is_discords_404(ask: Ask) -> None:
    answer = ask("GET", "/api/v10/nothing")
    assert (answer.status, answer.json()) == (404, {"message": "404: Not Found", "code": 0})
