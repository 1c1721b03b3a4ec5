"""What counts as a deposit (rail-usdc.md, Deposits): a final Transfer of the one token to the vault, in a block that is
the chain's, and a vault that holds exactly what came less what left.

Anybody may send anything to a vault, so a look is bounded (searching.py), and what makes no whole cent is no deposit:
its units are counted, and the cent is of the deposit that makes it whole. Cents are those of what lies in the vault
with it, less those of what lay there before; so all deposits together are, to the cent, what is there.

A cursor is `{"block", "log", "arrived", "left", "span"}`: up to where all is known, and what had come and gone by then,
in base units.
"""

import datetime as dt
import functools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ulid import ULID

from bloxtr8 import money
from bloxtr8.ids import ulid_of
from bloxtr8.rails.base import Cursor, DepositSeen, Funding, RailOutcomeUnknown
from bloxtr8.rails.usdc import calls, searching, vault
from bloxtr8.rails.usdc.chain import Block, Chain, Log
from bloxtr8.rails.usdc.vault import Terms

logger = logging.getLogger(__name__)
DEPOSITS = 25  # a look: each costs three questions, and a commit
REFS = 25


@dataclass(frozen=True, slots=True)
class Found:
    deposits: tuple[DepositSeen, ...]
    cursor: Cursor
    complete: bool  # whether the search came to the tag
    keep: bool  # whether the way was too long to go it twice


def start(chain: Chain, terms: Terms, escrow_id: str, tag: Block) -> Cursor:
    """From where to search: the tag, where nothing lies in the vault yet; nothing leaves before we send it."""
    if chain.token_balance(terms.token, vault.address(terms), at=tag.number) == 0:
        return {"block": tag.number, "arrived": 0, "left": 0}
    return _since_accept(chain, escrow_id, tag)


def search(chain: Chain, terms: Terms, funding: Funding, tag: Block) -> Found:
    """What arrived after the cursor. RailOutcomeUnknown where the chain does not agree with itself, or with what is
    recorded."""
    cursor = funding.cursor or _since_accept(chain, funding.escrow_id, tag)
    place = vault.address(terms)

    def ask(first: int, last: int) -> list[Log]:
        came = chain.logs(terms.token, [calls.TRANSFER, None, calls.topic(place)], first, last)
        paid = chain.logs(terms.escrow_contract, [[calls.SETTLED, calls.RECLAIMED], calls.topic(place)], first, last)
        return came + paid

    stretch = searching.after(cursor, tag, ask)
    moved, end, walk = stretch.logs, stretch.end, _Walk(chain, terms, funding, cursor, stretch.span)
    if end is None:
        return Found((), {**cursor, **stretch.span}, complete=False, keep=True)
    found = [seen for log in moved for seen in walk.past(log)]
    searching.unchanged(chain, tag)
    _agree(funding, walk, chain.token_balance(terms.token, place, at=end))
    last: Cursor = {"block": end, "arrived": walk.arrived, "left": walk.left, **stretch.span}
    if len(found) > DEPOSITS:
        end, last = -1, found[DEPOSITS - 1][1]
    if end == tag.number and walk.arrived < funding.known_units:
        logger.error("a recorded deposit is no longer on the chain", extra={"escrowId": funding.escrow_id})
        raise RailOutcomeUnknown(f"{funding.escrow_id}: less arrived than is recorded")
    long = len(moved) > DEPOSITS or last["block"] - cursor["block"] >= searching.FAR
    deposits = walk.proven(found[:DEPOSITS])
    return Found(deposits, last, complete=end == tag.number, keep=long or end != tag.number)


def gone(chain: Chain, terms: Terms, funding: Funding, refs: Sequence[str], tag: Block) -> tuple[str, ...]:
    """Of recorded deposits those whose log the chain no longer has. RailOutcomeUnknown where the node is behind what
    was searched."""
    if tag.number < (funding.cursor or {"block": 0})["block"]:
        raise RailOutcomeUnknown(f"the node is behind: {tag.number}")
    return tuple(ref for ref in refs[:REFS] if not _stands(chain, terms, ref, tag))


class _Walk:
    """What comes and goes, log after log."""

    def __init__(self, chain: Chain, terms: Terms, funding: Funding, cursor: Cursor, span: Mapping[str, int]) -> None:
        self._chain, self._terms, self._funding, self._span = chain, terms, funding, span
        self.arrived, self.left = cursor["arrived"], cursor["left"]

    def past(self, log: Log) -> list[tuple[Log, Mapping[str, int], int]]:
        """Counts it. The log with the cursor behind it, and the cents it makes whole; nothing where it makes none, as
        a transfer of nothing, by which swindlers get into a list of senders."""
        before = money.cents_of(self.arrived - self.left)
        if log.topics[0] != calls.TRANSFER:
            self.left += _left(log, self._terms)
            return []
        self.arrived += calls.numbers(log.data)[0]
        cents = money.cents_of(self.arrived - self.left) - before
        behind = {"block": log.block, "log": log.index, "arrived": self.arrived, "left": self.left, **self._span}
        return [(log, behind, cents)] if cents > 0 else []

    def proven(self, found: Sequence[tuple[Log, Mapping[str, int], int]]) -> tuple[DepositSeen, ...]:
        """As deposits. RailOutcomeUnknown where one is not what its log says."""
        came, token = [calls.TRANSFER, None, calls.topic(vault.address(self._terms))], self._terms.token
        logs_of = functools.cache(lambda tx_hash: self._chain.logs_of(tx_hash, token, came))
        block = functools.cache(self._chain.block)
        deposits = []
        for log, behind, cents in found:
            if log not in logs_of(log.tx_hash):
                raise RailOutcomeUnknown(f"{self._funding.escrow_id}: {log.tx_hash} is not what its log says")
            ref = searching.ref(self._chain, log)
            deposits.append(
                DepositSeen(
                    ref=ref,
                    amount=cents,
                    currency=self._funding.currency,
                    at=block(log.block).at,
                    external_ids=(ref,),
                    units=calls.numbers(log.data)[0],
                    sender=calls.address_in(log.topics[1]),
                    cursor=behind,
                )
            )
        return tuple(deposits)


def _agree(funding: Funding, walk: _Walk, balance: int) -> None:
    """The logs are all there are: what makes no deposit is proven by this alone."""
    expected = walk.arrived - walk.left
    if balance != expected:
        about = {"escrowId": funding.escrow_id, "balance": balance, "expected": expected}
        logger.error("a vault does not hold what its logs say", extra=about)
        raise RailOutcomeUnknown(f"{funding.escrow_id}: the vault holds {balance}, its logs say {expected}")


def _left(log: Log, terms: Terms) -> int:
    """What a log of the contract says left the vault, of its token."""
    numbers = calls.numbers(log.data)
    if log.topics[0] == calls.SETTLED:
        return sum(numbers)
    return numbers[0] if calls.address_in(log.topics[2]) == terms.token else 0


def _stands(chain: Chain, terms: Terms, ref: str, tag: Block) -> bool:
    _, tx_hash, index = ref.split(":")
    came = [calls.TRANSFER, None, calls.topic(vault.address(terms))]
    logs = chain.logs_of(tx_hash, terms.token, came)
    return any(log.index == int(index) and log.block <= tag.number for log in logs)


def _since_accept(chain: Chain, escrow_id: str, tag: Block) -> Cursor:
    """The escrow's id holds when its terms were frozen: no vault of theirs was known before."""
    return {"block": searching.block_at(chain, tag, accepted(escrow_id)), "arrived": 0, "left": 0}


def accepted(escrow_id: str) -> dt.datetime:
    """When the offer was accepted: the escrow was given its id then."""
    return ULID.from_str(ulid_of(escrow_id)).datetime
