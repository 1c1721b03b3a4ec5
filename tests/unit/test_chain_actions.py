"""The index of a call on chain: one thing has one, and one belongs to one thing (rail-usdc.md)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8.domain import chain_actions
from bloxtr8.domain.chain_actions import Action
from bloxtr8.entities import SettlementKind

K = SettlementKind


def test_the_table_of_the_contract() -> None:
    known = {
        Action(K.MILESTONE, 0): 0, Action(K.MILESTONE, 62): 62, chain_actions.BUYERS_PART: 63, Action(K.SPLIT): 64,
        Action(K.REFUND): 65, Action(K.RELEASE): 66, Action(K.RETURN, 1): 67, Action(K.RETURN, 53): 119,
    }  # fmt: skip
    assert {action: chain_actions.index(action) for action in known} == known


@given(st.integers(0, 119))
def test_every_index_names_one_thing_and_back(number: int) -> None:
    assert chain_actions.index(chain_actions.action(number)) == number


@given(st.sampled_from(K), st.integers(-3, 200))
def test_a_name_has_one_index_or_none(kind: K, n: int) -> None:
    action = Action(kind, n)
    try:
        number = chain_actions.index(action)
    except ValueError:
        return
    assert 0 <= number <= 119
    assert chain_actions.action(number) == action


@pytest.mark.parametrize(
    "action",
    [Action(K.RETURN, 54), Action(K.RETURN, 0), Action(K.MILESTONE, 63), Action(K.MILESTONE, -1), Action(K.SPLIT, 2)],
)
def test_what_has_no_index_gets_none(action: Action) -> None:
    with pytest.raises(ValueError, match="no index"):
        chain_actions.index(action)


@pytest.mark.parametrize("number", [-1, 120, 255])
def test_an_index_outside_the_contract_names_nothing(number: int) -> None:
    with pytest.raises(ValueError, match="no action"):
        chain_actions.action(number)
