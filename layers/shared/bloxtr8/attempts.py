"""Lost races are run again, because reading, deciding and committing again is safe; a job's bad row stops no other."""

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import takewhile

from bloxtr8.entities import Entity
from bloxtr8.errors import InvalidState, StaleWrite
from bloxtr8.logs import logger

ATTEMPTS = 3


def again[T](attempt: Callable[[], T]) -> T:
    """Run `attempt`, which reads, decides and commits, up to three times while its write is stale."""
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except StaleWrite as error:
            logger.info("stale write", extra={"action": str(error)})
    return attempt()


@contextmanager
def read_together(action: str) -> Iterator[None]:
    """Around a task's rules on rows of two reads: a row that moved on between them is a lost race, not a refusal."""
    try:
        yield
    except InvalidState as error:
        raise StaleWrite(action) from error


def each[R: Entity](rows: Iterable[R], act: Callable[[R], object]) -> int:
    """Act on every row of a job's page; one that fails is logged by its id and does not stop the others. Returns how
    many did not fail."""
    done = 0
    for row in rows:
        try:
            again(functools.partial(act, row))
            done += 1
        except Exception:
            escrow_id = getattr(row, "escrow_id", None)
            about = {"row": row.label} | ({"escrowId": escrow_id} if escrow_id else {})
            logger.exception("a row could not be processed", extra=about)
    return done


def work[R: Entity](
    pages: Iterable[Iterable[R]], act: Callable[[R], object], *, enough: int = 50, seconds: float = 40.0
) -> None:
    """Act on what is due, page after page, until `enough` rows did not fail. Those that fail stay due, and first, so
    they must not count: they would keep all behind them waiting for ever. None is begun after `seconds`."""
    until, done = time.monotonic() + seconds, 0
    for rows in pages:
        done += each(takewhile(lambda _: time.monotonic() < until, rows), act)
        if done >= enough or time.monotonic() >= until:
            return
