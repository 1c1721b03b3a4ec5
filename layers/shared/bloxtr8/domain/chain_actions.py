"""The index of a settlement's call on chain: the contract carries out each index once (rail-usdc.md, The contracts).

It names what is settled and is never "the next free number": two indexes for one thing would pay it twice. One name,
one index:

    0-63    the n-th milestone, from 0
    64      a split
    65      a refund, of the whole or of the last rest
    66      a release, of the whole or of the last rest
    67-119  the n-th return of surplus, from 1
"""

from typing import NamedTuple

from bloxtr8.entities import SettlementKind

_ENDS = {SettlementKind.SPLIT: 64, SettlementKind.REFUND: 65, SettlementKind.RELEASE: 66}
_FIRST_RETURN, _LAST = 67, 119
MILESTONES = 64
RETURNS = _LAST - _FIRST_RETURN + 1


class Action(NamedTuple):
    """What is settled. `n`: the milestone's number from 0, the return's from 1; 0 where there is only one."""

    kind: SettlementKind
    n: int = 0


def index(action: Action) -> int:
    """0 to 119. Raises ValueError for what has no index: a milestone or a return too many."""
    kind, n = action
    if kind in _ENDS and n == 0:
        return _ENDS[kind]
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
    for kind, fixed in _ENDS.items():
        if fixed == number:
            return Action(kind)
    raise ValueError(f"no action has the index {number}")
