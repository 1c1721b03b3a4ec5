"""Asking for logs so that a node answers and a look ends: few blocks a question, fewer where the node says it is too
much, and only so many questions, logs and seconds a look; the next one goes on from its cursor.

A cursor's `block` and `log` say up to where all is known; without `log`, to the end of the block.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator

from bloxtr8.rails.base import Cursor, RailOutcomeUnknown
from bloxtr8.rails.usdc.chain import Block, Chain, Log, TooMuch

RANGE = 2_000  # blocks a question: what every provider answers where there is little to tell
RANGES = 100  # a look
NEWEST = 200  # blocks, where something most likely is that was sent just now
SECONDS = 8.0  # of asking for logs: most of who looks has twenty for everything
LOGS = 2_000  # a look, and what the last question brought
FAR = 43_200  # blocks, a day of Base: as much is not searched twice
BLOCK_SECONDS = {8453: 2, 84532: 2}
MARGIN = 1_000  # blocks, before the moment that is looked for


def after(cursor: Cursor, tag: Block, ask: Callable[[int, int], list[Log]]) -> tuple[list[Log], int]:
    """Logs after the cursor, in their order, and the last block of which all are there, at most the tag.
    `ask`: those of a range of blocks, both included.

    Raises RailOutcomeUnknown where the node is behind, and where it does not even answer about one block.
    """
    if tag.number < cursor["block"]:
        raise RailOutcomeUnknown(f"the node is behind: {tag.number} < {cursor['block']}")
    logs, end = list[Log](), cursor["block"]
    first = end if "log" in cursor else end + 1
    for last, found in ranges(first, tag.number, ask):
        logs += sorted(found, key=lambda log: (log.block, log.index))
        end = last
        if len(logs) >= LOGS:
            break
    return [log for log in logs if not _is_known(log, cursor)], end


def ranges(first: int, last: int, ask: Callable[[int, int], list[Log]]) -> Iterator[tuple[int, list[Log]]]:
    """Range after range: its last block and its logs. It ends where a look has asked enough."""
    until, span, low = time.monotonic() + SECONDS, RANGE, first
    for _ in range(RANGES):
        if low > last:
            return
        high = min(low + span - 1, last)
        try:
            found = ask(low, high)
        except TooMuch:
            if high == low:
                raise
            span = (high - low + 1) // 2
            continue
        yield high, found
        low = high + 1
        if time.monotonic() > until:
            return


def block_at(chain: Chain, tag: Block, moment: dt.datetime) -> int:
    """A block before the moment: from Base's even pace, or the first of all where the pace is not known."""
    seconds = BLOCK_SECONDS.get(chain.id)
    if seconds is None:
        return 0
    return max(0, tag.number - int((tag.at - moment).total_seconds()) // seconds - MARGIN)


def unchanged(chain: Chain, tag: Block) -> None:
    """RailOutcomeUnknown where the tag's block was exchanged while logs were read."""
    if chain.block(tag.number).hash != tag.hash:
        raise RailOutcomeUnknown(f"block {tag.number} was exchanged")


def ref(chain: Chain, log: Log) -> str:
    """What a log is called in our rows."""
    return f"{chain.id}:{log.tx_hash}:{log.index}"


def _is_known(log: Log, cursor: Cursor) -> bool:
    return log.block == cursor["block"] and log.index <= cursor.get("log", log.index)
