"""What counts as a deposit (rail-usdc.md, Deposits): a final Transfer of the one token to the vault, in a block that is
the chain's, and a vault that holds exactly what came less what left.

A search goes on where the last one stopped: its cursor is `{"block", "arrived", "balance"}`, all of the final block up
to which everything is known, in base units.
"""

import datetime as dt
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ulid import ULID

from bloxtr8 import money
from bloxtr8.ids import ulid_of
from bloxtr8.rails.base import DepositSeen, Funding, RailOutcomeUnknown, ReclaimSeen
from bloxtr8.rails.usdc import calls, vault
from bloxtr8.rails.usdc.chain import Block, Chain, Log
from bloxtr8.rails.usdc.vault import Terms

logger = logging.getLogger(__name__)
RANGE = 2_000  # blocks a question: what every provider answers
RANGES = 100  # a look: the next one goes on
BLOCK_SECONDS = {8453: 2, 84532: 2}
MARGIN = 1_000  # blocks, before the moment that is looked for


@dataclass(frozen=True, slots=True)
class Found:
    deposits: tuple[DepositSeen, ...]
    cursor: Mapping[str, int]
    reached: bool  # whether the search came to the tag


def start(chain: Chain, terms: Terms, escrow_id: str, tag: Block) -> Mapping[str, int]:
    """From where to search: the tag, where nothing lies in the vault yet; nothing leaves before we send it."""
    if chain.token_balance(terms.token, vault.address(terms), at=tag.number) == 0:
        return {"block": tag.number, "arrived": 0, "balance": 0}
    return _since_accept(chain, escrow_id, tag)


def search(chain: Chain, terms: Terms, funding: Funding, tag: Block) -> Found:
    """What arrived after the cursor. RailOutcomeUnknown where the chain does not agree with itself, or with what is
    recorded."""
    cursor = funding.cursor or _since_accept(chain, funding.escrow_id, tag)
    place = vault.address(terms)
    if tag.number < cursor["block"]:
        raise RailOutcomeUnknown(f"the node is behind: {tag.number} < {cursor['block']}")
    end = min(tag.number, cursor["block"] + RANGES * RANGE)
    came, left = list[Log](), 0
    for first, last in ranges(cursor["block"] + 1, end):
        came += chain.logs(terms.token, [calls.TRANSFER, None, calls.topic(place)], first, last)
        paid = chain.logs(terms.escrow_contract, [[calls.SETTLED, calls.RECLAIMED], calls.topic(place)], first, last)
        left += sum(_left(log, terms) for log in paid)
    deposits, arrived = _deposits(chain, terms, funding, came, cursor["arrived"])
    balance = chain.token_balance(terms.token, place, at=end)
    _agree(chain, funding, tag, balance, cursor["balance"] + arrived - cursor["arrived"] - left)
    if end == tag.number and arrived < funding.known_units:
        logger.error("a recorded deposit is no longer on the chain", extra={"escrowId": funding.escrow_id})
        raise RailOutcomeUnknown(f"{funding.escrow_id}: less arrived than is recorded")
    return Found(tuple(deposits), {"block": end, "arrived": arrived, "balance": balance}, end == tag.number)


def settled(chain: Chain, terms: Terms, escrow_id: str, index: int) -> Log | None:
    """The log of an action's settlement, in whatever block it is; the newest blocks are asked first."""
    head = chain.block("latest")
    topics = [calls.SETTLED, calls.topic(vault.address(terms)), calls.number_topic(index)]
    return _newest(chain, terms, topics, _since_accept(chain, escrow_id, head)["block"], head.number)


def reclaimed(chain: Chain, terms: Terms, tag: Block) -> tuple[ReclaimSeen, ...]:
    """What went back to the buyer after the term, up to the tag."""
    term = dt.datetime.fromtimestamp(terms.reclaim_after, dt.UTC)
    if tag.at < term:
        return ()
    topics = [calls.RECLAIMED, calls.topic(vault.address(terms)), calls.topic(terms.token)]
    first = _at(chain, tag, term)
    found = [
        log
        for low, high in ranges(first, tag.number)
        for log in chain.logs(terms.escrow_contract, topics, low, high)
        if chain.log_counts(log, terms.escrow_contract)
    ]
    return tuple(
        ReclaimSeen(ref=_ref(chain, log), units=calls.numbers(log.data)[0], at=chain.block(log.block).at)
        for log in found
    )


def ranges(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Both ends included, at most RANGE blocks each."""
    for low in range(first, last + 1, RANGE):
        yield low, min(low + RANGE - 1, last)


def _deposits(
    chain: Chain, terms: Terms, funding: Funding, logs: Sequence[Log], arrived: int
) -> tuple[list[DepositSeen], int]:
    """Each log as a deposit, and the units that arrived with all of them. Cents are those of all units so far."""
    deposits = []
    for log in logs:
        units = calls.numbers(log.data)[0]
        if units == 0:
            continue  # a transfer of nothing: a trick of swindlers, who want to be in a list of senders
        if not chain.log_counts(log, terms.token):
            raise RailOutcomeUnknown(f"{funding.escrow_id}: {log.tx_hash} is not what its log says")
        ref = _ref(chain, log)
        deposits.append(
            DepositSeen(
                ref=ref,
                amount=money.cents_of(arrived + units) - money.cents_of(arrived),
                currency=funding.currency,
                at=chain.block(log.block).at,
                external_ids=(ref,),
                units=units,
                sender=calls.address_in(log.topics[1]),
            )
        )
        arrived += units
    return deposits, arrived


def _agree(chain: Chain, funding: Funding, tag: Block, balance: int, expected: int) -> None:
    """The logs are all there are, and no block was exchanged while they were read."""
    if chain.block(tag.number).hash != tag.hash:
        raise RailOutcomeUnknown(f"{funding.escrow_id}: block {tag.number} was exchanged")
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


def _newest(chain: Chain, terms: Terms, topics: Sequence[str], first: int, last: int) -> Log | None:
    for low, high in reversed(list(ranges(first, last))):
        found = chain.logs(terms.escrow_contract, topics, low, high)
        if found:
            return found[-1]
    return None


def _since_accept(chain: Chain, escrow_id: str, tag: Block) -> Mapping[str, int]:
    """The escrow's id holds when its terms were frozen: no vault of theirs was known before."""
    accepted = ULID.from_str(ulid_of(escrow_id)).datetime
    return {"block": _at(chain, tag, accepted), "arrived": 0, "balance": 0}


def _at(chain: Chain, tag: Block, moment: dt.datetime) -> int:
    """A block before the moment: from Base's even pace, or the first of all where the pace is not known."""
    seconds = BLOCK_SECONDS.get(chain.id)
    if seconds is None:
        return 0
    return max(0, tag.number - int((tag.at - moment).total_seconds()) // seconds - MARGIN)


def _ref(chain: Chain, log: Log) -> str:
    return f"{chain.id}:{log.tx_hash}:{log.index}"
