"""The clock the local platform replaces."""

import datetime as dt


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
