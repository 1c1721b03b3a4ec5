"""Lost races are run again, because reading, deciding and committing again is safe; a job's bad row stops no other."""

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

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


def each[R: Entity](rows: Iterable[R], act: Callable[[R], object]) -> None:
    """Act on every row of a job's page; one that fails is logged by its id and does not stop the others."""
    for row in rows:
        try:
            again(functools.partial(act, row))
        except Exception:
            escrow_id = getattr(row, "escrow_id", None)
            about = {"row": row.label} | ({"escrowId": escrow_id} if escrow_id else {})
            logger.exception("a row could not be processed", extra=about)
