"""Figures in plain words: exact, and the same in every locale."""

import datetime as dt

from bloxtr8 import clock

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_NETWORKS = {
    8453: "Base",
    84532: "Base Sepolia, a test network, whose tokens are worth nothing",
    31337: "a local test chain, whose tokens are worth nothing",
}
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def usd(cents: int) -> str:
    """1234500 -> "USD 12,345.00"."""
    return f"USD {cents // 100:,}.{cents % 100:02d}"


def usdc(cents: int) -> str:
    """1234500 -> "USDC 12,345.00": one US dollar is one USDC."""
    return usd(cents).replace("USD", "USDC")


def percent(bps: int) -> str:
    """290 -> "2.90 %"."""
    return f"{bps // 100}.{bps % 100:02d} %"


def duration(seconds: int) -> str:
    """259200 -> "3 days"; nothing is rounded away: 90061 -> "1 day 1 hour 1 minute 1 second"."""
    parts = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count:,} {unit}" + ("s" if count > 1 else ""))
    return " ".join(parts)


def moment(iso: str) -> str:
    """An ISO time, to the second before it: "23 November 2026, 12:00:00 UTC"."""
    return _moment(clock.parse(iso))


def unix_moment(seconds: int) -> str:
    """1795867200 -> "28 November 2026, 00:00:00 UTC"; a time beyond the calendar is never."""
    try:
        return _moment(dt.datetime.fromtimestamp(seconds, dt.UTC))
    except (OSError, OverflowError, ValueError):
        return "later than the year 9999"


def _moment(at: dt.datetime) -> str:
    at = at.astimezone(dt.UTC)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M:%S} UTC"


def network(chain_id: int) -> str:
    """The chain in words: "Base"."""
    return _NETWORKS.get(chain_id, "a network known by its chain id only")
