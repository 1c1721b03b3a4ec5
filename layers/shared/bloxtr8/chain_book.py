"""Where the rail on chain keeps its transactions: ChainTx rows and the signers' nonces (rails.usdc.book.TxBook).

A nonce is a decision, written with its audit entry on the escrow's chain. How the action fares afterwards only the
chain decides: those steps are written without an entry, or every poll would make one.
"""

import datetime as dt
import random
import time
from collections.abc import Callable

from bloxtr8 import clock, table
from bloxtr8.actors import Actor, system
from bloxtr8.entities import ChainTx, Escrow, SignerNonce
from bloxtr8.entities import TxStatus as Stored
from bloxtr8.errors import StaleWrite
from bloxtr8.ids import ulid_of
from bloxtr8.rails.base import RailThrottled
from bloxtr8.rails.usdc.book import Action, Attempt, Tx, TxStatus

TRIES = 60  # of all who want a nonce at once, one gets it each time
PAUSE_SECONDS = 0.05
FIRST_LOOK = dt.timedelta(seconds=60)


class ChainBook:
    """See rails.usdc.book.TxBook."""

    def __init__(self, actor: Actor | None = None) -> None:
        self._actor = actor or system("chain_book")

    def find(self, escrow_id: str, name: str) -> Tx | None:
        row = _row(escrow_id, name)
        return read(row) if row else None

    def reserve(self, action: Action, signer: str, first_nonce: Callable[[], int]) -> Tx:
        """Raises RailThrottled where too many want a nonce at once: nothing was reserved."""
        for _ in range(TRIES):
            try:
                return self._reserve(action, signer, first_nonce)
            except StaleWrite:
                time.sleep(random.uniform(0, PAUSE_SECONDS))
        raise RailThrottled(f"{action.escrow_id}: no nonce for action {action.name} yet")

    def keep(self, tx: Tx) -> Tx | None:
        row = _row(tx.action.escrow_id, tx.action.name)
        if row is None or row.version != tx.version:
            return None
        row.status = Stored(tx.status)
        row.attempts = [_stored(attempt) for attempt in tx.attempts]
        row.mined_hash, row.mined_block, row.error = tx.mined_hash, tx.mined_block, tx.error
        row.next_look = tx.next_look
        return read(row) if table.remember(row, unless_exists=False) else None

    def abandon(self, tx: Tx, why: str) -> Tx | None:
        row = _row(tx.action.escrow_id, tx.action.name)
        if row is None or row.version != tx.version:
            return None
        escrow = table.get(Escrow, ulid=ulid_of(row.escrow_id))
        counter = table.get(SignerNonce, chain_id=row.chain_id, signer=row.signer)
        row.status, row.error, row.next_look, counter.next = Stored.CANCELLED, why, None, None
        details = {"action": row.action, "nonce": row.nonce, "signer": row.signer, "why": why}
        try:
            table.commit(escrow, row, counter, action="abandon_transaction", actor=self._actor, details=details)
        except StaleWrite:
            return None
        return read(row)

    def _reserve(self, action: Action, signer: str, first_nonce: Callable[[], int]) -> Tx:
        row = _row(action.escrow_id, action.name)
        if row is not None and not read(row).gives_way_to(action.attempt):
            return read(row)
        escrow = table.get(Escrow, ulid=ulid_of(action.escrow_id))
        counter = table.find(SignerNonce, chain_id=action.chain_id, signer=signer)
        counter = counter or SignerNonce(chain_id=action.chain_id, signer=signer)
        nonce = first_nonce() if counter.next is None else counter.next
        row = row or ChainTx(escrow_id=action.escrow_id, action=action.name)
        row.chain_id, row.signer, row.nonce = action.chain_id, signer, nonce
        row.to, row.data, row.gas, row.leg_attempt = action.to, action.data, action.gas, action.attempt
        row.status, row.attempts, row.error = Stored.RESERVED, [], None
        row.mined_hash, row.mined_block = None, None
        row.created_at = clock.now()
        row.next_look = row.created_at + FIRST_LOOK
        counter.next = nonce + 1
        details = {"action": action.name, "nonce": row.nonce, "attempt": action.attempt}
        table.commit(escrow, row, counter, action="reserve_transaction", actor=self._actor, details=details)
        return read(row)


def read(row: ChainTx) -> Tx:
    """A row in the rail's words: what a job hands to the rail's `watch`."""
    return Tx(
        action=Action(
            escrow_id=row.escrow_id,
            name=row.action,
            chain_id=row.chain_id,
            to=row.to,
            data=row.data,
            gas=row.gas,
            attempt=row.leg_attempt,
        ),
        signer=row.signer,
        nonce=row.nonce,
        status=TxStatus(row.status),
        version=row.version,
        created_at=row.created_at,
        attempts=tuple(Attempt(**{**attempt, "at": clock.parse(attempt["at"])}) for attempt in row.attempts),
        mined_hash=row.mined_hash,
        mined_block=row.mined_block,
        error=row.error,
        next_look=row.next_look,
    )


def _stored(attempt: Attempt) -> dict[str, str | int | bool]:
    return {
        "hash": attempt.hash,
        "raw": attempt.raw,
        "cap": attempt.cap,
        "tip": attempt.tip,
        "at": clock.iso(attempt.at),
        "cancel": attempt.cancel,
    }


def _row(escrow_id: str, name: str) -> ChainTx | None:
    return table.find(ChainTx, escrow_ulid=ulid_of(escrow_id), action=name)
