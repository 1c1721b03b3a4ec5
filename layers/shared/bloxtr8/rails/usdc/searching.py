"""Asking for logs so that a node answers and a look ends: few blocks a question at first, more while there is little to
tell, fewer where it is too much or takes too long; and only so many questions, logs and seconds a look. The next one
goes on from its cursor.

A cursor's `block` and `log` say up to where all is known; without `log`, to the end of the block. `span` is how many
blocks the next look asks about first, where the last one came down to fewer than usual.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bloxtr8.rails.base import Cursor, RailOutcomeUnknown, RailThrottled
from bloxtr8.rails.usdc.chain import Block, Chain, Log, TooMuch

SPAN = 100  # blocks, the first question
RANGE = 2_000  # blocks, the largest: what every provider answers where there is little to tell
RANGES = 100  # questions a look
NEWEST = 200  # blocks, where something most likely is that was sent just now
SECONDS = 8.0  # of asking for logs: most of who looks has twenty for everything
LOGS = 2_000  # a look, and what the last question brought
FEW = 200  # logs of an answer, after which the next question is about twice as many blocks
FAR = 43_200  # blocks, a day of Base: as much is not searched twice
PACE = dt.timedelta(seconds=2)  # of Base's blocks, for a first guess
MARGIN = 1_000  # blocks, before the moment that is looked for


@dataclass(frozen=True, slots=True)
class Stretch:
    """Logs after a cursor, in their order, and the last block of which all are there; None where not even one block was
    told of in time. `span`: what the cursor keeps for the next look, nothing where it begins as usual."""

    logs: list[Log]
    end: int | None
    span: Mapping[str, int]


def after(cursor: Cursor, tag: Block, ask: Callable[[int, int], list[Log]]) -> Stretch:
    """From the cursor to at most the tag. `ask`: the logs of a range of blocks, both included.

    Raises RailOutcomeUnknown where the node is behind, and where it does not even answer about one block.
    """
    if tag.number < cursor["block"]:
        raise RailOutcomeUnknown(f"the node is behind: {tag.number} < {cursor['block']}")
    first = cursor["block"] if "log" in cursor else cursor["block"] + 1
    logs, end = list[Log](), None if first <= tag.number else tag.number
    span = cursor.get("span", SPAN)
    for last, found, following in _ranges(first, tag.number, span, ask):
        span = following
        logs += sorted(found, key=lambda log: (log.block, log.index))
        end = last if last >= first else end
        if len(logs) >= LOGS:
            break
    new = [log for log in logs if not _is_known(log, cursor)]
    return Stretch(new, end, {"span": span} if span < SPAN else {})


def _ranges(
    first: int, last: int, span: int, ask: Callable[[int, int], list[Log]]
) -> Iterator[tuple[int, list[Log], int]]:
    """Range after range: the last block that is known, its logs, and how many blocks come next. It ends where a look
    has asked enough, or the node answers no more, as one that is asked too often; raises that where it is the first."""
    until, most, low = time.monotonic() + SECONDS, RANGE, first
    for _ in range(RANGES):
        if low > last:
            return
        high = min(low + span - 1, last)
        try:
            found = ask(low, high)
        except (RailThrottled, RailOutcomeUnknown) as error:
            if high == low or not isinstance(error, TooMuch):
                if low > first:
                    return
                raise
            most, span, high, found = high - low, (high - low + 1) // 2, low - 1, []
        else:
            span = min(span * 2, most) if len(found) < FEW else span
        yield high, found, span
        low = high + 1
        if time.monotonic() > until:
            return


def block_at(chain: Chain, tag: Block, moment: dt.datetime) -> int:
    """A block before the moment, by its own time: Base's pace is a first guess and not believed."""
    back = max(tag.at - moment, dt.timedelta(0)) // PACE + MARGIN
    while back < tag.number and chain.block(tag.number - back).at > moment:
        back *= 2
    return max(0, tag.number - back)


def unchanged(chain: Chain, tag: Block) -> None:
    """RailOutcomeUnknown where the tag's block was exchanged while logs were read."""
    if chain.block(tag.number).hash != tag.hash:
        raise RailOutcomeUnknown(f"block {tag.number} was exchanged")


def ref(chain: Chain, log: Log) -> str:
    """What a log is called in our rows."""
    return f"{chain.id}:{log.tx_hash}:{log.index}"


def _is_known(log: Log, cursor: Cursor) -> bool:
    return log.block == cursor["block"] and log.index <= cursor.get("log", log.index)
