"""poll_chain: every vault is asked what is in it, and where that is not what the books say, its logs are read
(rail-usdc.md, Deposits).

It finds what no webhook told of, money that came after the end, and what was taken back after the term. It records and
wakes, and moves no escrow out of AWAIT_FUNDS. A run is bounded, and no vault keeps others from being looked at: they
are taken in no order, one look each, those about which the node answers only a little at a time after all others, and
those with more to find again when all had theirs.
"""

import functools
import random
import time
from collections import deque
from collections.abc import Collection
from contextlib import closing

from bloxtr8 import clock, depositing, places, rails, reads, reclaims, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import each
from bloxtr8.domain import holds, legs, settlements, vault_looks
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import Escrow, Hold, StablecoinEscrow
from bloxtr8.logs import logger
from bloxtr8.rails.usdc import balances
from bloxtr8.webhooks import follow_funding

PAGES, ROWS = 40, 50  # each page is one request to the chain
SECONDS = 200.0  # of a run; then no look begins, and the function's time is enough for the last one
SHELF = "DUE#VAULT"


def poll(actor: Actor) -> None:
    """One run. Raises UpstreamFailed where the chain's provider does not answer, at the end; one vault that fails stops
    no other."""
    until = time.monotonic() + SECONDS
    needy, units = list[StablecoinEscrow](), dict[str, int]()
    due = functools.partial(table.due_pages, StablecoinEscrow, SHELF, pages=PAGES, limit=ROWS)
    try:
        with closing(places.walk(SHELF, due)) as pages:
            for rows in pages:
                needy += _needy([row for row in rows if row.external_id is not None], units)
    finally:
        _look_at(needy, units, until, actor)


def _needy(rows: list[StablecoinEscrow], units: dict[str, int]) -> list[StablecoinEscrow]:
    """Ask the chain for a page of vaults at once, and keep the units in each. Those to be looked at: most need nothing,
    and nothing is written."""
    if not rows:
        return []
    units |= balances.at_finality([str(row.external_id) for row in rows])
    escrows = table.load(*(table.ref(Escrow, ulid=row.escrow_ulid) for row in rows), lenient=True)
    return [
        row
        for row, escrow in zip(rows, escrows, strict=True)
        if escrow is not None
        and (vault_looks.difference(escrow, units[str(row.external_id)]) or not vault_looks.is_open(escrow))
    ]


def _look_at(needy: list[StablecoinEscrow], units: dict[str, int], until: float, actor: Actor) -> None:
    random.shuffle(needy)
    waiting = deque(sorted(needy, key=_is_slow))

    def look(row: StablecoinEscrow) -> None:
        if not _look(row.escrow_id, units[str(row.external_id)], actor):
            waiting.append(row)

    while waiting and time.monotonic() < until:
        each([waiting.popleft()], look)
    if waiting:
        logger.warning("not every vault had its look", extra={"vaults": len(waiting)})


def _is_slow(row: StablecoinEscrow) -> bool:
    """Whether the last look at it took all its time over few blocks (rails.usdc.searching)."""
    return any("span" in (cursor or {}) for cursor in (row.cursor, row.reclaims_cursor))


def _look(escrow_id: str, units: int, actor: Actor) -> bool:
    """One look at a vault. False where there is more to find."""
    file = reads.escrow(escrow_id)
    more = vault_looks.difference(file.escrow, units)
    if more > 0:
        seen = follow_funding(escrow_id, actor)
        if seen is not None and not seen.complete:
            return False
        _check_more(reads.escrow(escrow_id), units)
    elif more < 0:
        if not _missing(file, actor):
            return False
        _check_less(reads.escrow(escrow_id), units, actor)
    if not vault_looks.is_open(file.escrow):
        _later(escrow_id, actor)
    return True


def _missing(file: EscrowFile, actor: Actor) -> bool:
    """Less than the books say: somebody sent it back to the buyer after the term. Whether all of that was found."""
    found = rails.chain().reclaimed(depositing.order(file))
    for seen in found.seen:
        reclaims.record(file.escrow.id, seen, actor)
    reclaims.note(file.escrow.id, found, actor)
    return found.complete


def _check_more(file: EscrowFile, units: int) -> None:
    """All that came is known, and there is still more: a payout that is booked is not on the chain any more, unless it
    was paid so lately that it is not final there yet."""
    more = vault_looks.difference(file.escrow, units)
    if more > 0 and not vault_looks.paid_lately(file, clock.now()):
        logger.error("a vault holds more than the books say", extra={"escrowId": file.escrow.id, "cents": more})


def _check_less(file: EscrowFile, units: int, actor: Actor) -> None:
    """Still less: a call of ours paid that is not confirmed yet; else nobody knows why, and a person has to look. What
    is recorded and gone from the chain holds the escrow: there is less to pay out than its books say."""
    more = vault_looks.difference(file.escrow, units)
    if more >= 0 or any(legs.under_way(file, settlement) for settlement in settlements.live(file)):
        return
    logger.error("a vault holds less than the books say", extra={"escrowId": file.escrow.id, "cents": more})
    newest = sorted(file.deposits, key=lambda row: row.at, reverse=True)
    gone = rails.chain().gone(depositing.order(file), [row.ref for row in newest])
    if gone:
        logger.error(
            "a recorded deposit is no longer on the chain", extra={"escrowId": file.escrow.id, "refs": list(gone)}
        )
        _hold(file, gone, actor)


def _hold(file: EscrowFile, gone: Collection[str], actor: Actor) -> None:
    """place_hold COMPLIANCE, where there is anything to stop: once for each deposit, since people decide about it then,
    and about no other."""
    escrow, now = file.escrow, clock.now()
    new = [row for row in file.deposits if row.ref in gone and row.gone_at is None]
    if not new or Hold.COMPLIANCE in escrow.holds or not holds.can_hold(escrow):
        return
    ESCROW.apply("place_hold", escrow, Role.SYSTEM)
    holds.freeze(escrow, now)
    for row in new:
        row.gone_at = now
    details = {"hold": str(Hold.COMPLIANCE), "cause": "a deposit is gone", "deposits": [row.ref for row in new]}
    table.commit(escrow, *new, action="place_hold", actor=actor, details=details)


def _later(escrow_id: str, actor: Actor) -> None:
    """A vault whose escrow has ended is looked at more and more seldom."""
    file, now = reads.escrow(escrow_id), clock.now()
    row = file.rail
    if isinstance(row, StablecoinEscrow) and row.next_look is not None and row.next_look <= now:
        row.next_look = vault_looks.next_look(file.escrow, row.terms, now)
        table.commit(file.escrow, row, action="look_again", actor=actor)
