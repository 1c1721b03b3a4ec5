"""The index of a settlement's call on chain: the contract carries out each index once (rail-usdc.md, The contracts).

It names what is settled and is never "the next free number": two indexes for one thing would pay it twice. One name,
one index:

    0-62    the n-th milestone, from 0
    63      the buyer's part, where each side is paid apart
    64      a split
    65      a refund, of the whole or of the last rest
    66      a release, of the whole or of the last rest
    67-119  the n-th return of surplus, from 1
"""

from typing import NamedTuple

from bloxtr8.entities import SettlementKind

_FIRST_RETURN, _LAST = 67, 119
MILESTONES = 63
RETURNS = _LAST - _FIRST_RETURN + 1


class Action(NamedTuple):
    """What is settled. `n`: the milestone's number from 0, the return's from 1; 0 where there is only one."""

    kind: SettlementKind
    n: int = 0


BUYERS_PART = Action(SettlementKind.SPLIT, 1)
_FIXED = {
    BUYERS_PART: 63,
    Action(SettlementKind.SPLIT): 64,
    Action(SettlementKind.REFUND): 65,
    Action(SettlementKind.RELEASE): 66,
}


def index(action: Action) -> int:
    """0 to 119. Raises ValueError for what has no index: a milestone or a return too many."""
    kind, n = action
    if action in _FIXED:
        return _FIXED[action]
    if kind is SettlementKind.MILESTONE and 0 <= n < MILESTONES:
        return n
    if kind is SettlementKind.RETURN and 1 <= n <= RETURNS:
        return _FIRST_RETURN + n - 1
    raise ValueError(f"{kind} {n} has no index")


def action(number: int) -> Action:
    """What an index settles. Raises ValueError outside of 0 to 119."""
    if 0 <= number < MILESTONES:
        return Action(SettlementKind.MILESTONE, number)
    if _FIRST_RETURN <= number <= _LAST:
        return Action(SettlementKind.RETURN, number - _FIRST_RETURN + 1)
    for fixed, its in _FIXED.items():
        if its == number:
            return fixed
    raise ValueError(f"no action has the index {number}")
