"""The outside clients against their doubles, over loopback HTTP."""

from collections.abc import Iterator

import pytest

from bloxtr8 import config
from bloxtr8.outside import http
from local.doubles.discord import DiscordDouble
from local.doubles.roblox import RobloxDouble
from local.doubles.web import serve
from tests.emulator import Clock

SHORT_READ_SECONDS = 0.4


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transport's patience, shortened."""
    monkeypatch.setattr(http, "READ_TIMEOUT_SECONDS", SHORT_READ_SECONDS)
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.01)


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment, to be changed before the settings are read."""
    config.settings.cache_clear()
    yield monkeypatch
    config.settings.cache_clear()


@pytest.fixture
def discord_double(clock: Clock, quick: None, settings_of: pytest.MonkeyPatch) -> Iterator[DiscordDouble]:
    """Discord, known to the product by its address and its secret."""
    double = DiscordDouble(clock.now)
    with serve(double.wsgi) as base:
        settings_of.setenv("DISCORD_API_BASE", base)
        settings_of.setattr(config, "secret", {"discord": double.secret}.__getitem__)
        yield double


@pytest.fixture
def roblox_double(clock: Clock, quick: None, settings_of: pytest.MonkeyPatch) -> Iterator[RobloxDouble]:
    """Roblox, all its hosts at one address."""
    double = RobloxDouble(clock.now)
    with serve(double.wsgi) as base:
        for name in ("ROBLOX_API_BASE", "ROBLOX_GROUPS_BASE", "ROBLOX_GAMES_BASE"):
            settings_of.setenv(name, base)
        settings_of.setattr(config, "secret", {"roblox": double.secret}.__getitem__)
        yield double
