"""What left a vault: the settlement of an action, by whomever it was sent, and what was taken back after the term."""

import datetime as dt

from bloxtr8 import money
from bloxtr8.rails.base import Cursor, Funding, RailOutcomeUnknown, Reclaims, ReclaimSeen
from bloxtr8.rails.usdc import calls, deposits, searching, vault
from bloxtr8.rails.usdc.chain import Block, Chain, Log
from bloxtr8.rails.usdc.vault import Terms

RECLAIMS = 20  # a look


def settled(chain: Chain, terms: Terms, escrow_id: str, index: int, head: Block) -> Log | None:
    """The log of an action's settlement up to the head; None where the node does not find it.

    An action is done once and for good. Most are asked for soon after, among the newest blocks; else the block is found
    by halves: some twenty questions, however long ago it was.
    """
    topics = [calls.SETTLED, calls.topic(vault.address(terms)), calls.number_topic(index)]
    low, high = searching.block_at(chain, head, deposits.accepted(escrow_id)), head.number
    newest = max(low, high - searching.NEWEST)
    found = chain.logs(terms.escrow_contract, topics, newest, high)
    if found:
        return found[-1]
    while low < high:
        middle = (low + high) // 2
        if state(chain, terms, middle)[2] >> index & 1:
            high = middle
        else:
            low = middle + 1
    found = chain.logs(terms.escrow_contract, topics, low, low)
    return found[-1] if found else None


def reclaimed(chain: Chain, terms: Terms, funding: Funding, tag: Block) -> Reclaims:
    """What went back to the buyer after the term, up to the tag. What was no whole cent the books never had."""
    term = dt.datetime.fromtimestamp(terms.reclaim_after, dt.UTC)
    if tag.at < term:
        return Reclaims()
    cursor: Cursor = funding.reclaims_cursor or {"block": searching.block_at(chain, tag, term)}
    topics = [calls.RECLAIMED, calls.topic(vault.address(terms)), calls.topic(terms.token)]
    stretch = searching.after(cursor, tag, lambda first, last: chain.logs(terms.escrow_contract, topics, first, last))
    if stretch.end is None:
        return Reclaims(cursor={**cursor, **stretch.span}, keep=True, complete=False)
    searching.unchanged(chain, tag)
    whole = [log for log in stretch.logs if money.cents_of(_units(log))]
    seen = whole[:RECLAIMS]
    if not all(chain.log_counts(log, terms.escrow_contract) for log in seen):
        raise RailOutcomeUnknown(f"{funding.escrow_id}: a reclaim is not what its log says")
    last: Cursor = {"block": stretch.end, **stretch.span}
    complete = stretch.end == tag.number
    if len(whole) > RECLAIMS:
        last = {"block": seen[-1].block, "log": seen[-1].index, **stretch.span}
        complete = False
    return Reclaims(
        seen=tuple(
            ReclaimSeen(ref=searching.ref(chain, log), units=_units(log), at=chain.block(log.block).at) for log in seen
        ),
        cursor=last,
        keep=bool(stretch.logs) or not complete or stretch.end - cursor["block"] >= searching.FAR,
        complete=complete,
    )


def state(chain: Chain, terms: Terms, at: int) -> list[int]:
    """`stateOf` at a height: paid, fees, done (a bit an action), postponed; nothing of it before the contract was."""
    found = calls.numbers(chain.call(terms.escrow_contract, calls.state_of(vault.terms_hash(terms)), at=at))
    return found if len(found) == 4 else [0, 0, 0, 0]


def _units(log: Log) -> int:
    return calls.numbers(log.data)[0]
