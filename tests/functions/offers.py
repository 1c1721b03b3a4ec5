"""What the tests of the room start from and look at."""

import datetime as dt
from typing import Any

import pytest

from bloxtr8 import clock, config, table
from bloxtr8.entities import Deals, Listing, Offer, User
from tests import factories
from tests.emulator import Answer, Platform

BODY: dict[str, Any] = {"amount": 100_000, "currency": "USD"}
MISSING = "off_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"
BAD_IDS = ("off_1", "lst_01K6ZZ8Q3V7M2N4P5R6S7T8V9W", "off_" + "0" * 3000, "off_\x00", "../me", MISSING)
BAD_TERMS: tuple[dict[str, Any], ...] = (
    {"amount": ...},
    {"amount": 0},
    {"amount": -100},
    {"amount": 1_000_000_001},
    {"amount": 100.0},
    {"amount": 99.5},
    {"amount": "100000"},
    {"amount": True},
    {"amount": None},
    {"conditions": ""},
    {"conditions": " \n "},
    {"conditions": "x" * 2001},
    {"conditions": "x" * 10_000},
    {"conditions": "a\x00b"},
    {"conditions": "\ud800"},
    {"conditions": 5},
    {"expiresAt": "tomorrow"},
    {"expiresAt": "2026-11-25T12:00:00"},
    {"expiresAt": 1_795_000_000},
    {"expiresAt": "1795000000"},
    {"expiresAt": "9999-12-31T23:59:59-01:00"},
    {"milestones": []},
    {"milestones": [{"title": "All of it"}]},
    {"milestones": [{"title": "Part", "amountCents": 1}] * 21},
    {"milestones": [{"title": "x" * 256, "amountCents": 100_000}]},
    {"milestones": [{"title": "a\nb", "amountCents": 100_000}]},
    {"milestones": [{"title": "All", "amountCents": 100_000.0}]},
    {"milestones": [{"title": "All", "amountCents": 100_000, "transfersAsset": 1}]},
    {"buyerId": "usr_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"},
)


def body(**changes: Any) -> dict[str, Any]:
    """A good request, changed; a field changed to ... is left out."""
    return {name: value for name, value in (BODY | changes).items() if value is not ...}


def row(offer: Any) -> Offer:
    """The offer as it lies in the table now."""
    return factories.offer_row(getattr(offer, "id", offer))


def listing_row(listing: Any) -> Listing:
    """The listing as it lies in the table now."""
    return table.get(Listing, id=getattr(listing, "id", listing))


def volume(user: User) -> tuple[int, int]:
    """(cents accepted in all, open deals) of a user."""
    deals = table.get(Deals, user_id=user.id)
    return sum(deals.volume.values()), deals.open


def shown(aws: Platform, user: User, offer: Any) -> tuple[str, str | None, list[str]]:
    """(status, reason, allowedActions) of an offer as a party reads it."""
    answer = aws.call("get_offer", user, offer_id=getattr(offer, "id", offer))
    assert answer.status == 200, answer.body
    return answer.body["status"], answer.body["reason"], answer.body["allowedActions"]


def accept(aws: Platform, user: User, offer: Offer, **options: Any) -> Answer:
    """Accept an offer, naming its terms as they are now."""
    return aws.call("accept_offer", user, {"termsHash": factories.terms_hash(offer)}, offer_id=offer.id, **options)


def counter(aws: Platform, user: User, offer: Any, amount: int, **changes: Any) -> Offer:
    """The child that a counter made."""
    answer = aws.call("counter_offer", user, {"amount": amount, **changes}, offer_id=getattr(offer, "id", offer))
    assert answer.status == 201, answer.body
    return row(answer.body["id"])


def settings(monkeypatch: pytest.MonkeyPatch, **changes: int) -> None:
    """Other limits, in snake_case, until the test ends."""
    for name, value in changes.items():
        monkeypatch.setenv(name.upper(), str(value))
    config.settings.cache_clear()


def later(**by: float) -> str:
    """A moment from now, as a request has it."""
    return clock.iso(clock.now() + dt.timedelta(**by))


def same_but(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> set[str]:
    """The kinds of the rows that are new or other than before."""
    return {item["type"]["S"] for item in after if item not in before}
