"""What sending keeps between its steps, in the rail's own words. Who keeps it lies above (bloxtr8.chain_book)."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol


class TxStatus(StrEnum):
    """How far an action has come on chain (rail-usdc.md, Sending)."""

    RESERVED = "RESERVED"  # it owns a nonce; nothing is signed
    SIGNED = "SIGNED"  # raw bytes are stored: from here on it may be mined at any time
    SENT = "SENT"  # a node has taken it
    MINED = "MINED"  # in a block that may still be undone
    FINAL = "FINAL"  # carried out
    REVERTED = "REVERTED"  # mined for good, without effect
    CANCELLED = "CANCELLED"  # its nonce was spent on nothing, or nobody can sign for it any more


OVER = frozenset({TxStatus.FINAL, TxStatus.REVERTED, TxStatus.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Signed bytes, stored before they were sent. Fees in wei a unit of gas."""

    hash: str
    raw: str
    cap: int  # maxFeePerGas
    tip: int  # maxPriorityFeePerGas
    at: dt.datetime
    cancel: bool = False  # to ourselves, so that the nonce is spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A call that is to be carried out once."""

    escrow_id: str
    name: str  # the index of a settlement's call ("66"), or "postpone"
    chain_id: int
    to: str
    data: str
    gas: int = 0
    attempt: int = 1  # of the leg; after an attempt that was undone the next one has a nonce of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Tx:
    """An action with its nonce and every attempt to get it mined."""

    action: Action
    signer: str
    nonce: int
    status: TxStatus
    version: int  # as it was read: `TxBook.keep` writes under it
    created_at: dt.datetime
    attempts: tuple[Attempt, ...] = ()  # the newest last
    mined_hash: str | None = None
    mined_block: int | None = None
    error: str | None = None
    next_look: dt.datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def is_cancel(self) -> bool:
        """Whether its nonce is being spent on nothing: attempts are all of one kind."""
        return any(attempt.cancel for attempt in self.attempts)

    def gives_way_to(self, attempt: int) -> bool:
        """Whether this attempt may have a nonce of its own: nothing of the Tx happened, nor ever should.

        Its nonce was given up, or it was refused and this is a later attempt.
        """
        if self.status is TxStatus.CANCELLED:
            return attempt >= self.action.attempt
        return self.status is TxStatus.REVERTED and attempt > self.action.attempt

    def with_attempt(self, attempt: Attempt) -> "Tx":
        return replace(self, status=TxStatus.SIGNED, attempts=(*self.attempts, attempt))


class TxBook(Protocol):
    """Where a Tx is kept. Each write is whole or not at all; of two writers of one version one wins."""

    def find(self, escrow_id: str, name: str) -> Tx | None: ...

    def reserve(self, action: Action, signer: str, first_nonce: Callable[[], int]) -> Tx:
        """The action's Tx: the one that is there, unless it came to nothing and `action.attempt` is a later one; else a
        new one with the signer's next nonce, both in one transaction. `first_nonce` is asked where the signer has none
        yet."""
        ...

    def keep(self, tx: Tx) -> Tx | None:
        """Writes it under the version it was read with; None where another was first: read it again."""
        ...

    def abandon(self, tx: Tx, why: str) -> Tx | None:
        """CANCELLED, its nonce left unused; which comes next of that signer the chain is asked again, should he return.
        One transaction; None where another was first."""
        ...
