"""The doubles of the outside services as tests hold them: one address a session, a fresh double for every test."""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bloxtr8.outside import http
from local.doubles.discord import DiscordDouble
from local.doubles.roblox import RobloxDouble
from local.doubles.web import Clock, Double
from tests import emulator
from tests.emulator import SECRETS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Stage:
    """A WSGI app that hands every request to the double of the test that runs now."""

    double: Double

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self.double.wsgi(environ, start_response)


class ShortWay:
    """The product's way to the doubles of a test: past the network, which takes longer than all that they do, unless
    something shall go wrong there. tests/outside, tests/local and tests/flows go over loopback."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.doubles: dict[str, Double] = {}  # by address

    def request(self, method: str, url: str, *, body: Any = None, headers: Any = None, **options: Any) -> Any:
        """As of a PoolManager."""
        base = next((known for known in self.doubles if url.startswith((f"{known}/", f"{known}?"))), "")
        double = self.doubles.get(base)
        if double is None or double.faults.any:
            return self._pool.request(method, url, body=body, headers=headers, **options)
        asked = EnvironBuilder(url.removeprefix(base) or "/", base, method=method, data=body, headers=headers)
        parts_of_body, status, heads = run_wsgi_app(double.wsgi, asked.get_environ(), buffered=True)
        asked.close()
        answer = io.BytesIO(b"".join(parts_of_body))
        return urllib3.HTTPResponse(answer, dict(heads), int(status[:3]), preload_content=False)


def shorten(monkeypatch: pytest.MonkeyPatch, base: str, double: Double) -> None:
    """From here on in the test, requests to this address take the short way."""
    if not isinstance(http._pool, ShortWay):
        monkeypatch.setattr(http, "_pool", ShortWay(http._pool))
    http._pool.doubles[base] = double  # type: ignore[attr-defined]


class Roblox(RobloxDouble):
    """Roblox, open to the product's key. Owners are users of ours (their linked account), or Roblox ids, or None."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, SECRETS["roblox"])

    def set_group(self, group_id: str, **changes: Any) -> None:
        """Make a group, or change what is named: owner, locked, members, name, description."""
        names: dict[str, str] = {"locked": "isLocked", "members": "memberCount"}
        self.put_group(group_id, **{names.get(name, name): _account(value) for name, value in changes.items()})

    def forget_group(self, group_id: str) -> None:
        """From now on there is no such group."""
        with self.lock:
            del self._groups[group_id]

    def set_game(self, game_id: str, **changes: Any) -> None:
        """Make a game, or change what is named: user or group (who holds it), name, visibility."""
        self.put_game(game_id, **{name: _account(value) for name, value in changes.items()})

    def down(self) -> None:
        """No host of Roblox gives a usable answer, until `up`."""
        self.faults.put(r"^/(cloud|v1|v2)/", status=503, times=None)

    def up(self) -> None:
        """Every host answers again."""
        self.faults.clear()


class Discord(DiscordDouble):
    """Discord, open to the product's client."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, SECRETS["discord"])


def agree(url: str, account_id: str) -> str:
    """What the browser does at the provider's page: the account agrees; the code that comes back."""
    answer = urllib3.request("GET", f"{url}&as={account_id}", redirect=False, retries=False)
    assert answer.status == 302, answer.data
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def _account(value: Any) -> Any:
    return getattr(value, "roblox_id", value)


def still(clock: emulator.Clock) -> Clock:
    """A test's clock for a double: it reads the time and does not make it go on."""
    return lambda: clock.moment
