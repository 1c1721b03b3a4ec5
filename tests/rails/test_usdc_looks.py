"""A look ends, whatever anybody sends to a vault and whatever the node refuses; and the next one finds the rest, once.
On Anvil with Circle's own token."""

from typing import Any

import pytest

from bloxtr8.rails.base import FundingStatus, LegStatus, RailOutcomeUnknown
from bloxtr8.rails.usdc import deposits, leaving, searching
from local.chain.chain import Chain
from tests.rails.vaults import BUYER, GROSS, REFUSALS, UNITS, World

DUST = 9_000  # less than a cent


def test_dust_is_counted_and_costs_no_row_and_no_question(world: World) -> None:
    world.in_one_block(*[100] * 40)
    world.pay()
    world.line.asked.clear()
    ((deposit,), _) = world.looks()
    assert (deposit.amount, deposit.units, deposit.sender) == (GROSS, UNITS, BUYER)
    assert deposit.cursor is not None
    assert deposit.cursor["arrived"] == UNITS + 4_000
    assert world.line.asked.count("eth_getTransactionReceipt") == 1


@pytest.mark.parametrize("most", [1, 2, 3, 50])
def test_a_look_brings_so_many_deposits_and_the_next_the_rest_of_the_same_block(
    world: World, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(deposits, "DEPOSITS", most)
    cursor = world.rail.open(world.funding()).cursor
    world.in_one_block(DUST, 10_000, DUST, DUST, 20_000, 30_000, DUST, 0)
    world.chain.mine(3)
    world.pay(10_000)
    found, looks = world.looks(cursor=cursor)
    parts = [(1, 10_000), (1, DUST), (1, DUST), (2, 20_000), (3, 30_000), (1, DUST), (1, 10_000)]
    assert [(seen.amount, seen.units) for seen in found] == parts  # a cent is of what makes it whole
    assert len({seen.ref for seen in found}) == len(parts)
    assert all(len(look.deposits) <= most for look in looks)
    assert [look.keep for look in looks[:-1]] == [True] * (len(looks) - 1)
    assert looks[-1].cursor is not None
    assert looks[-1].cursor["arrived"] == world.balances()["vault"]


def test_what_was_found_before_is_not_found_again(world: World) -> None:
    world.in_one_block(10_000, DUST, 20_000)
    first, second = world.deposits()
    assert [seen.ref for seen in world.deposits(cursor=first.cursor)] == [second.ref]
    assert world.deposits(cursor=second.cursor) == ()


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: str(each["message"])[:30])
def test_a_node_that_refuses_so_many_blocks_is_asked_about_fewer(world: World, refusal: dict[str, Any]) -> None:
    world.pay(10_000)
    world.chain.mine(20)
    world.pay(20_000)
    world.line.limit = (4, refusal)
    found, _ = world.looks()
    assert [seen.amount for seen in found] == [1, 2]


def test_a_slow_node_ends_the_look_and_not_the_search(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SECONDS", -1.0)  # each question takes all the time there is
    for name in ("SPAN", "RANGE"):
        monkeypatch.setattr(searching, name, 4)
    world.pay(10_000)
    world.chain.mine(9)
    world.pay(20_000)
    found, looks = world.looks()
    assert [seen.amount for seen in found] == [1, 2]
    assert len(looks) > 2


def test_a_payment_behind_a_stretch_that_is_not_searched_yet_is_on_its_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deposits, "DEPOSITS", 1)
    world.in_one_block(10_000, 10_000)
    assert not world.rail.look(world.funding()).coming
    world.pay()
    first = world.rail.look(world.funding())
    assert (first.status, first.complete, first.coming) == (FundingStatus.PAID, False, True)
    assert not world.looks()[1][-1].coming


# --- what left


def test_all_that_was_taken_back_is_found_a_part_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "RECLAIMS", 2)
    world.over()
    for units in (UNITS, DUST, 20_000, 30_000):
        world.pay(units)
        world.reclaim()
    first = world.rail.reclaimed(world.funding())
    assert [seen.units for seen in first.seen] == [UNITS, 20_000]  # the books never had what makes no cent
    assert (first.complete, first.keep) == (False, True)
    second = world.rail.reclaimed(world.funding(reclaims_cursor=first.cursor))
    assert ([seen.units for seen in second.seen], second.complete) == ([30_000], True)
    last = world.rail.reclaimed(world.funding(reclaims_cursor=second.cursor))
    assert (last.seen, last.keep, last.complete) == ((), False, True)


def test_the_search_for_it_is_bounded_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPAN", "RANGE"):
        monkeypatch.setattr(searching, name, 2)
    monkeypatch.setattr(searching, "RANGES", 3)
    world.pay()
    world.over()
    world.reclaim()
    cursor, seen = None, []
    for _ in range(30):
        found = world.rail.reclaimed(world.funding(reclaims_cursor=cursor))
        seen += [each.units for each in found.seen]
        cursor = found.cursor
        if found.complete:
            break
        assert found.keep
    assert seen == [UNITS]
    assert cursor == {"block": world.chain.height()}


def test_what_is_below_a_cent_goes_with_what_is_taken_back(world: World) -> None:
    world.pay(15_000)
    world.over()
    world.reclaim()
    world.pay(6_000)  # two cents came in all, and there is none
    world.pay(4_000)
    found, looks = world.looks()
    assert [(seen.amount, seen.units) for seen in found] == [(1, 15_000), (1, 4_000)]
    assert looks[-1].cursor is not None
    assert looks[-1].cursor["left"] == 15_000


def test_a_settlement_that_nobody_remembers_is_found_however_old(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "NEWEST", 3)
    world.pay()
    paid = world.rail.send(world.order())
    world.chain.mine(40)
    monkeypatch.setattr(world.sender, "find", lambda *_: None)
    world.line.asked.clear()
    found = world.rail.find(world.order())
    assert found is not None
    assert (found.external_id, found.status) == (paid.external_id, LegStatus.CONFIRMED)
    assert world.line.asked.count("eth_getLogs") == 2


def test_a_recorded_deposit_that_the_chain_lost_is_told(chain: Chain) -> None:
    world = World(chain)
    world.pay(10_000)
    world.pay(20_000)
    look = world.rail.look(world.funding())
    refs = [seen.ref for seen in look.deposits]
    assert world.rail.gone(world.funding(cursor=look.cursor), refs) == ()
    chain.reorg(1)
    assert world.rail.gone(world.funding(cursor=look.cursor), refs) == (refs[1],)
    behind = {**(look.cursor or {}), "block": chain.height() + 1}
    with pytest.raises(RailOutcomeUnknown, match="behind"):
        world.rail.gone(world.funding(cursor=behind), refs)
