"""Anybody may fill blocks with transfers of nothing to a vault: it costs only gas. What the buyer paid is found all the
same, whatever the node does not answer. On Anvil with Circle's own token."""

import contextlib
import datetime as dt
import socket
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web3.types import RPCEndpoint

from bloxtr8.rails.base import RailOutcomeUnknown, RailThrottled
from bloxtr8.rails.usdc import node, reclaiming, searching
from bloxtr8.rails.usdc.chain import Block, Log, TooMuch
from local.chain.rpc import call_data
from tests.rails.vaults import BUYER, GROSS, NOISY, REFUSALS, UNITS, World

NOTHING = [0] * 12


NOW = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("seconds", [0.2, 1, 2, 12])
@pytest.mark.parametrize("days", [0, 1, 90, 9_999])
def test_a_search_begins_before_its_moment_whatever_the_pace_of_the_blocks(seconds: float, days: int) -> None:
    def block(number: int) -> Block:
        return Block(number, hex(number), NOW - (head - number) * dt.timedelta(seconds=seconds), 0)

    head, moment = 40_000_000, NOW - dt.timedelta(days=days)
    asked = list[int]()
    chain: Any = SimpleNamespace(id=8453, block=lambda number: asked.append(number) or block(number))
    first = searching.block_at(chain, block(head), moment)
    assert block(first).at <= moment or first == 0
    assert len(asked) <= 6


@given(
    blocks=st.lists(st.integers(0, 12), min_size=1, max_size=60),
    most=st.integers(1, 30),
    cut=st.integers(1, 9),
    patient=st.booleans(),
)
def test_every_log_is_brought_once_and_in_order_whatever_the_node_answers_at_once(
    blocks: list[int], most: int, cut: int, patient: bool
) -> None:
    """`most` logs of an answer, but for one of a single block; `cut` deposits a look, so that many end in a block."""
    logs = [Log(number, "0x", "0x", index, (), b"") for number, some in enumerate(blocks, 1) for index in range(some)]

    def ask(first: int, last: int) -> list[Log]:
        found = [log for log in logs if first <= log.block <= last]
        if len(found) > most and first < last:
            raise TooMuch
        return found

    cursor, brought, tag = {"block": 0}, list[Log](), Block(len(blocks), "0x", NOW, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "FEW", 5)
        if not patient:
            patch.setattr(searching, "SECONDS", -1.0)
        for _ in range(20 * len(blocks)):
            stretch = searching.after(cursor, tag, ask)
            some = stretch.logs[:cut]
            brought += some
            if len(stretch.logs) > cut:
                cursor = {"block": some[-1].block, "log": some[-1].index, **stretch.span}
            elif stretch.end is None:
                cursor = {**cursor, **stretch.span}
            else:
                cursor = {"block": stretch.end, **stretch.span}
            if cursor["block"] == tag.number and "log" not in cursor:
                break
    assert brought == logs


@pytest.mark.parametrize("error", [RailThrottled("429"), RailOutcomeUnknown("503")])
def test_a_node_that_answers_no_more_leaves_what_it_has_told(error: Exception) -> None:
    """Else a long search that is asked too fast begins anew each time, and never ends."""

    def ask(first: int, last: int) -> list[Log]:
        if last > 1_000:
            raise error
        return [Log(number, "0x", "0x", 0, (), b"") for number in (150, 400) if first <= number <= last]

    stretch = searching.after({"block": 0}, Block(5_000, "0x", NOW, 0), ask)
    assert ([log.block for log in stretch.logs], stretch.end) == ([150, 400], 700)
    with pytest.raises(type(error)):
        searching.after({"block": 700}, Block(5_000, "0x", NOW, 0), lambda *_: ask(0, 5_000))


def opened(world: World) -> dict[str, int]:
    """The vault is shown to the buyer now: the search begins here."""
    return dict(world.rail.open(world.funding()).cursor or {})


def test_the_first_question_is_small_and_they_grow_where_there_is_little(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert searching.SPAN <= 100
    monkeypatch.setattr(searching, "SPAN", 10)
    monkeypatch.setattr(searching, "RANGE", 50)
    cursor = opened(world)
    world.chain.mine(160)
    world.pay()
    found, looks = world.looks(cursor=cursor)
    assert ([seen.amount for seen in found], len(looks)) == ([GROSS], 1)
    assert world.line.spans[::2] == [10, 20, 40, 50, 42]
    assert looks[0].cursor == {"block": world.chain.height(), "arrived": world.balances()["vault"], "left": 0}


def test_a_flood_over_many_blocks_is_asked_for_in_parts(world: World) -> None:
    cursor = opened(world)
    world.line.most = 30
    for _ in range(6):
        world.in_one_block(*NOTHING)
    world.pay()
    world.in_one_block(*NOTHING)
    found, looks = world.looks(cursor=cursor)
    assert ([seen.amount for seen in found], looks[-1].complete) == ([GROSS], True)
    assert "eth_getBlockReceipts" not in world.line.asked


def test_a_block_with_more_logs_than_a_node_answers_is_read_by_its_receipts(world: World) -> None:
    cursor = opened(world)
    world.line.most = 10
    world.in_one_block(*NOTHING, 10_000, *NOTHING, 20_000)
    world.pay()
    found, looks = world.looks(cursor=cursor)
    assert [seen.amount for seen in found] == [1, 2, GROSS]
    assert looks[-1].cursor is not None
    assert looks[-1].cursor["arrived"] == world.balances()["vault"]
    assert world.line.asked.count("eth_getBlockReceipts") == 1


def test_what_lies_before_a_block_that_nobody_tells_of_is_found(world: World) -> None:
    cursor = opened(world)
    world.pay()
    world.chain.mine(3)
    world.in_one_block(*NOTHING)
    world.line.most = 10
    world.line.fault("eth_getBlockReceipts", "504", times=2)
    first = world.rail.look(world.funding(cursor=cursor))
    assert ([seen.amount for seen in first.deposits], first.complete, first.keep) == ([GROSS], False, True)
    with pytest.raises(RailOutcomeUnknown):
        world.rail.look(world.funding(cursor=first.cursor))
    assert world.rail.look(world.funding(cursor=first.cursor)).complete  # once the node tells


@pytest.mark.parametrize("how", ["before", "413", "504"])
def test_where_one_question_takes_all_the_time_the_next_look_asks_a_smaller_one(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(searching, "SECONDS", -1.0)
    cursor = opened(world)
    world.chain.mine(120)
    world.pay()
    world.line.fault("eth_getLogs", how, times=2)
    first = world.rail.look(world.funding(cursor=cursor))
    assert (first.complete, first.keep, first.cursor) == (False, True, {**cursor, "span": 50})
    second = world.rail.look(world.funding(cursor=first.cursor))
    assert second.cursor == {**cursor, "span": 25}
    found, _ = world.looks(cursor=second.cursor)
    assert [seen.amount for seen in found] == [GROSS]
    assert world.line.spans[:4] == [100, 50, 25, 25]  # answered, and asked what left as well


def test_a_node_that_always_refuses_takes_no_longer_than_a_look_has(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "SECONDS", -1.0)
    cursor = opened(world)
    world.chain.mine(120)
    world.line.limit = (0, REFUSALS[0])
    world.line.fault("eth_getBlockReceipts", "500", times=9)
    for span in (50, 25, 12, 6, 3, 1):
        cursor = dict(world.rail.look(world.funding(cursor=cursor)).cursor or {})
        assert cursor["span"] == span
    with pytest.raises(RailOutcomeUnknown):
        world.rail.look(world.funding(cursor=cursor))
    assert world.line.spans == [100, 50, 25, 12, 6, 3, 1]


def test_no_more_of_an_answer_is_read_than_there_is_room_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = opened(world)
    for _ in range(6):
        world.in_one_block(*NOTHING)
    world.pay()
    monkeypatch.setattr(node, "ANSWER_BYTES", 20_000)  # some thirty logs
    found, _ = world.looks(cursor=cursor)
    assert [seen.amount for seen in found] == [GROSS]
    assert len(world.line.spans) > 4
    monkeypatch.setattr(node, "OWN_BYTES", {})
    monkeypatch.setattr(node, "BLOCK_BYTES", 4_000)
    monkeypatch.setattr(node, "ANSWER_BYTES", 4_000)
    with pytest.raises(RailOutcomeUnknown):
        world.rail.look(world.funding(cursor=cursor))


def test_of_one_block_more_is_read_than_of_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its receipts may be too much for anybody: who fills it with transfers fills the rest of it with other logs."""
    cursor = opened(world)
    world.in_one_block(*[0] * 40, UNITS)
    monkeypatch.setattr(node, "ANSWER_BYTES", 20_000)
    monkeypatch.setattr(node, "OWN_BYTES", {"eth_getBlockReceipts": 20_000})

    found, _ = world.looks(cursor=cursor)

    assert [seen.amount for seen in found] == [GROSS]


def test_an_answer_that_comes_in_drops_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "READ_SECONDS", 0.2)
    drops, sent = 300, list[int]()

    def drip() -> None:
        line, _ = server.accept()
        with line, contextlib.suppress(OSError):  # the other side hangs up
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % drops)
            for drop in range(drops):
                time.sleep(0.01)
                line.sendall(b" ")
                sent.append(drop)

    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip)
        dripping.start()
        line = node.Line(f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(node.TooLong):
            line.make_request(RPCEndpoint("eth_chainId"), [])
        dripping.join()
    assert len(sent) < drops


def test_a_transfer_amid_thousands_of_logs_keeps_no_payment_from_being_found(world: World) -> None:
    """One such transaction costs some cents: its receipt is more than is read, and is there for ever."""
    cursor = opened(world)
    cents = 20_000
    world.chain.mint(NOISY, cents)
    world.amid_logs(12_000, world.chain.usdc, call_data("transfer(address,uint256)", world.place, cents))
    world.pay()

    found, _ = world.looks(cursor=cursor)

    assert [(seen.amount, seen.sender) for seen in found] == [(2, NOISY), (GROSS, BUYER)]
    refs = [seen.ref for seen in found]
    assert world.rail.gone(world.funding(), refs) == ()
    sent, _, index = refs[0].rpartition(":")
    assert world.rail.gone(world.funding(), [f"{sent}:{int(index) + 1}"])

    world.over()
    world.amid_logs(12_000, world.chain.escrow, reclaiming.call_data(world.terms, world.chain.usdc))
    assert [seen.units for seen in world.rail.reclaimed(world.funding()).seen] == [cents + UNITS]


def test_what_was_taken_back_is_searched_with_the_same_care(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SECONDS", -1.0)
    world.pay()
    world.over()
    world.reclaim()
    world.line.fault("eth_getLogs", "before")
    cursor = {"block": world.chain.height() - 4}
    first = world.rail.reclaimed(world.funding(reclaims_cursor=cursor))
    assert (first.seen, first.cursor, first.keep, first.complete) == ((), {**cursor, "span": 2}, True, False)
    monkeypatch.setattr(searching, "SECONDS", 8.0)
    second = world.rail.reclaimed(world.funding(reclaims_cursor=first.cursor))
    assert len(second.seen) == 1
