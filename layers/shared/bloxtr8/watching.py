"""watch_chain_txs: what was sent and is not final yet is looked at again, sent again, and paid more for (rail-usdc.md,
Sending).

It moves no money of its own: every transaction was decided by a leg, or is the same nonce spent on nothing.
"""

import importlib
from collections.abc import Iterable

from bloxtr8 import reads, sagas, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import work
from bloxtr8.domain import legs, settlements
from bloxtr8.entities import ChainTx, TxStatus
from bloxtr8.logs import logger
from bloxtr8.rails.usdc import balances

WATCH = ("bloxtr8.usdc", "watch")  # imported when something is due, because it brings web3
OVER = frozenset({TxStatus.FINAL, TxStatus.REVERTED, TxStatus.CANCELLED})
SECONDS = 200.0  # of a run
LOW_CALLS = 20  # the signer has ether for fewer calls than this: somebody has to top it up


def watch(actor: Actor) -> None:
    """One run over what is due. One that fails stops no other; the next run tries again. Raises UpstreamFailed, at the
    end, where the chain's node does not say how much ether there is."""
    rows = list[ChainTx]()

    def look(row: ChainTx) -> None:
        rows.append(row)
        _watch(row, actor)

    work(table.all_due(ChainTx, "DUE#CHAINTX"), look, seconds=SECONDS)
    if rows:
        _check_ether(rows)


def _watch(row: ChainTx, actor: Actor) -> None:
    module, name = WATCH
    getattr(importlib.import_module(module), name)(row)
    after = table.get(ChainTx, escrow_ulid=row.escrow_ulid, action=row.action)
    if after.status in OVER:
        _wake(after, actor)


def _wake(row: ChainTx, actor: Actor) -> None:
    """The leg it was sent for is confirmed, or refused, now and not at its next look."""
    file = reads.escrow(row.escrow_id)
    for settlement in settlements.live(file):
        leg = legs.under_way(file, settlement)
        if leg is not None and str(leg.action) == row.action:
            sagas.react(settlement, actor)


def _check_ether(rows: Iterable[ChainTx]) -> None:
    """Every transaction comes by here before it is final, so a signer that runs low is noticed while it still pays."""
    dearest: dict[str, int] = {}
    for row in rows:
        cap = max((attempt["cap"] for attempt in row.attempts), default=0)
        dearest[row.signer] = max(dearest.get(row.signer, 0), cap * row.gas)
    for signer, wei in balances.ether(list(dearest)).items():
        if wei < LOW_CALLS * dearest[signer]:
            logger.error("the signer runs low on ether", extra={"signer": signer, "wei": str(wei)})
