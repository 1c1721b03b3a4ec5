"""What many tests assert, said once."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests import factories
from tests.emulator import Answer, Platform


def refused(aws: Platform, status: int, code: str, action: str, *args: Any, **options: Any) -> Answer:
    """Call an action that is refused with this status and code as problem+json, and writes nothing."""
    before = aws.rows()
    answer = aws.call(action, *args, **options)
    assert (answer.status, answer.body.get("code")) == (status, code), answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert aws.rows() == before
    return answer


def together[R](*calls: Callable[[], R]) -> list[R]:
    """Run the calls at the same moment, each in a thread of its own; what they returned, in their order."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], R]) -> R:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def bearer(user: Any) -> dict[str, str]:
    """The header of a user who signed in, for public routes that show more to those who do (D23)."""
    return {"Authorization": f"Bearer {factories.session(user)[1].access_token}"}


@contextlib.contextmanager
def everything_logged() -> Iterator[list[str]]:
    """All that the platform's loggers are given, from DEBUG on."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(str(vars(record)))  # type: ignore[method-assign]
    ours = logging.getLogger("bloxtr8")
    level = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        ours.removeHandler(handler)
        ours.setLevel(level)
