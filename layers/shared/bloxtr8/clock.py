"""The platform's one clock. Always call it as `clock.now()`: tests and the local stack replace the function."""

import datetime as dt


def now() -> dt.datetime:
    """The present, an aware UTC datetime."""
    return dt.datetime.now(dt.UTC)


def parse(text: str) -> dt.datetime:
    """An ISO-8601 text with an offset, as aware UTC. Raises ValueError where it has no offset."""
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    return moment.astimezone(dt.UTC)


def iso(moment: dt.datetime) -> str:
    """ISO-8601 in UTC with `Z` and microseconds: sorts as text in the order of time."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
