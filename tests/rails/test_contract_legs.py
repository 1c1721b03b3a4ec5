"""What every rail promises about money that leaves: each leg moves once, whatever goes wrong, and is found again."""

import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloxtr8 import clock as house
from bloxtr8.rails.base import (
    LegKind,
    LegOrder,
    LegOutcome,
    LegStatus,
    RailBug,
    RailError,
    RailFrozen,
    SellerNotReady,
)
from tests.emulator import Clock
from tests.rails.bench import (
    DAY,
    DISPUTES,
    GROSS,
    MISFORTUNES,
    NET,
    OTHER_ESCROW,
    RETURNS,
    UNREADY,
    Bench,
    CardBench,
    leg,
    opened,
    order,
    paid,
)
from tests.rails.conftest import Maker

TRIES = 10


def insist(bench: Bench, sent: LegOrder) -> LegOutcome:
    """Send as the machine does: again with the same key, until an answer comes."""
    for _ in range(TRIES):
        try:
            return bench.rail.send(sent)
        except RailError:
            continue
    pytest.fail("never answered")


def settled(bench: Bench, sent: LegOrder) -> LegOutcome | None:
    bench.wait(60)
    return bench.rail.find(sent)


def test_moves_the_money_and_finds_it_again(bench: Bench, kind: LegKind) -> None:
    sent = leg(bench, kind)
    assert bench.rail.find(sent) is None
    outcome = bench.rail.send(sent)
    found = settled(bench, sent)
    assert found
    assert (found.status, found.external_id) == (LegStatus.CONFIRMED, outcome.external_id)
    assert bench.moved(kind) == [sent.amount]


def test_sending_again_moves_nothing(bench: Bench, kind: LegKind) -> None:
    sent = leg(bench, kind)
    outcome = bench.rail.send(sent)
    for later in (0, 60, 25 * 3600, 40 * DAY):  # keys are forgotten after a day
        bench.wait(later)
        for attempt in (1, 2):
            assert bench.rail.send(replace(sent, attempt=attempt)).external_id == outcome.external_id
    assert bench.moved(kind) == [sent.amount]


@pytest.mark.parametrize("misfortune", MISFORTUNES)
@pytest.mark.parametrize("times", [1, 3, 4])
def test_no_misfortune_moves_the_money_twice_or_never(bench: Bench, kind: LegKind, misfortune: str, times: int) -> None:
    sent = leg(bench, kind)
    bench.misfortune(misfortune, kind, times)
    insist(bench, sent)
    found = settled(bench, sent)
    assert found
    assert found.status is LegStatus.CONFIRMED
    assert bench.moved(kind) == [sent.amount]


@pytest.mark.parametrize("misfortune", MISFORTUNES)
def test_after_an_unknown_outcome_the_look_up_knows(bench: Bench, kind: LegKind, misfortune: str) -> None:
    sent = leg(bench, kind)
    bench.misfortune(misfortune, kind, 3)
    with pytest.raises(RailError):
        bench.rail.send(sent)
    bench.lift_misfortune()
    happened = MISFORTUNES[misfortune]
    assert (bench.rail.find(sent) is not None) is (happened or bench.keeps_what_it_sends)
    assert bench.moved(kind) == ([sent.amount] if happened else [])


def test_a_lost_answer_is_found_after_the_key_is_forgotten(bench: Bench, kind: LegKind) -> None:
    sent = leg(bench, kind)
    bench.misfortune("lost after", kind, 3)
    with pytest.raises(RailError):
        bench.rail.send(sent)
    bench.lift_misfortune()
    bench.wait(2 * DAY)
    assert bench.rail.send(sent).status is LegStatus.CONFIRMED
    assert bench.moved(kind) == [sent.amount]


@pytest.mark.parametrize("misfortune", MISFORTUNES)
def test_asks_before_it_moves_and_moves_nothing_unasked(bench: Bench, kind: LegKind, misfortune: str) -> None:
    sent = leg(bench, kind)
    bench.misfortune(misfortune, "ask", 1_000)
    with pytest.raises(RailError):
        bench.rail.send(sent)
    bench.lift_misfortune()
    assert bench.moved(kind) == []


def test_eight_at_once_move_the_money_once(bench: Bench, kind: LegKind) -> None:
    sent = leg(bench, kind)
    start, outcomes = threading.Barrier(8), list[str]()

    def send() -> None:
        start.wait()
        outcomes.append(insist(bench, sent).external_id)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    assert len(set(outcomes)) == 1
    assert bench.moved(kind) == [sent.amount]


def test_the_legs_of_a_settlement_are_told_apart(bench: Bench) -> None:
    place, seller = paid(bench), bench.payee(ready=True)
    release = order(place, LegKind.TRANSFER, 3_237, leg=1, destination=seller)
    second = order(place, LegKind.TRANSFER, 3_237, leg=11, destination=seller)
    refund = order(place, LegKind.REFUND, 3_000, leg=2)
    ids = {bench.rail.send(each).external_id for each in (release, second, refund)}
    assert len(ids) == 3
    assert bench.moved(LegKind.TRANSFER) == [3_237, 3_237]
    assert bench.moved(LegKind.REFUND) == [3_000]


@pytest.mark.needs(UNREADY)
def test_waits_for_a_seller_who_is_not_ready(bench: CardBench) -> None:
    seller = bench.payee(ready=False)
    sent = order(paid(bench), LegKind.TRANSFER, NET, destination=seller)
    assert not bench.rail.destination_ready(seller)
    with pytest.raises(SellerNotReady):
        bench.rail.send(sent)
    assert bench.rail.find(sent) is None
    bench.make_ready(seller)
    assert bench.rail.destination_ready(seller)
    assert bench.rail.send(replace(sent, attempt=2)).status is LegStatus.CONFIRMED
    assert bench.moved(LegKind.TRANSFER) == [NET]


@pytest.mark.needs(DISPUTES)
@pytest.mark.parametrize("kind", [LegKind.TRANSFER, LegKind.REFUND])
def test_moves_nothing_while_the_money_is_disputed(bench: CardBench, kind: LegKind) -> None:
    place, seller = paid(bench), bench.payee(ready=True)
    bench.dispute(place)
    with pytest.raises(RailFrozen) as caught:
        bench.rail.send(order(place, kind, NET, destination=seller))
    assert caught.value.object_id
    assert bench.moved(kind) == []


@pytest.mark.needs(RETURNS)
def test_a_refund_the_bank_sends_back_is_refused_and_may_be_tried_again(bench: CardBench) -> None:
    sent = leg(bench, LegKind.REFUND)
    bench.rail.send(sent)
    bench.wait(60)
    bench.fail_refunds()
    found = bench.rail.find(sent)
    assert found
    assert found.status is LegStatus.REJECTED
    assert found.reason
    assert bench.rail.send(sent) == found
    again = replace(sent, attempt=2)
    assert bench.rail.find(again) is None
    bench.rail.send(again)
    assert bench.moved(LegKind.REFUND) == [GROSS]


@pytest.mark.parametrize("amount", [0, -1])
def test_refuses_a_leg_that_moves_nothing(bench: Bench, amount: int) -> None:
    with pytest.raises(RailBug):
        bench.rail.send(order(paid(bench), LegKind.REFUND, amount))


@pytest.mark.parametrize("kind", [LegKind.TRANSFER, LegKind.REFUND])
@pytest.mark.parametrize("wrong", [{"escrow_id": OTHER_ESCROW}, {"currency": "EUR"}, {"amount": GROSS + 1}])
def test_refuses_what_this_escrow_does_not_hold(bench: Bench, kind: LegKind, wrong: dict[str, object]) -> None:
    sent = order(paid(bench), kind, GROSS, destination=bench.payee(ready=True))
    with pytest.raises(RailBug):
        bench.rail.send(replace(sent, **wrong))  # type: ignore[arg-type]
    assert bench.moved(kind) == []


@pytest.mark.parametrize("kind", [LegKind.TRANSFER, LegKind.REFUND])
def test_refuses_to_move_money_that_never_came(bench: Bench, kind: LegKind) -> None:
    with pytest.raises(RailBug):
        bench.rail.send(order(opened(bench), kind, GROSS, destination=bench.payee(ready=True)))


def test_refuses_to_take_another_amount_for_this_leg(bench: Bench, kind: LegKind) -> None:
    sent = leg(bench, kind)
    bench.rail.send(sent)
    changed = replace(sent, amount=sent.amount - 1)
    for ask in (bench.rail.find, bench.rail.send):
        with pytest.raises(RailBug):
            ask(changed)
    assert bench.moved(kind) == [sent.amount]


def test_refuses_a_transfer_that_went_elsewhere(bench: Bench) -> None:
    sent = leg(bench, LegKind.TRANSFER)
    bench.rail.send(sent)
    with pytest.raises(RailBug):
        bench.rail.find(replace(sent, destination=bench.payee(ready=True) + "X"))


STEPS = st.one_of(
    st.tuples(st.just("send"), st.integers(1, 3)),
    st.tuples(st.just("find"), st.integers(1, 3)),
    st.tuples(st.just("wait"), st.sampled_from([1, 60, 90_000])),
    st.tuples(st.sampled_from(sorted(MISFORTUNES)), st.integers(1, 4)),
    st.tuples(st.just("asking fails"), st.integers(1, 4)),
)


@pytest.mark.parametrize("orders", [15, pytest.param(60, marks=pytest.mark.slow)])
def test_no_order_of_bad_luck_pays_twice(
    make_bench: Maker, kind: LegKind, orders: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    @settings(deadline=None, max_examples=orders)
    @given(steps=st.lists(STEPS, max_size=12))
    def paid_once(steps: list[tuple[str, int]]) -> None:
        _in_this_order(make_bench, kind, steps, monkeypatch)

    paid_once()


def _in_this_order(
    make_bench: Maker, kind: LegKind, steps: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts raised without reason included: what exists for the leg counts, not the key."""
    clock = Clock(house.now())
    with monkeypatch.context() as patch:
        patch.setattr(house, "now", clock.now)
        bench = make_bench(clock)
        sent = leg(bench, kind)
        for step, number in steps:
            if step == "wait":
                bench.wait(number)
            elif step in MISFORTUNES:
                bench.misfortune(step, kind, number)
            elif step == "asking fails":
                bench.misfortune("lost before", "ask", number)
            else:
                ask = bench.rail.send if step == "send" else bench.rail.find
                try:
                    ask(replace(sent, attempt=number))
                except RailError:
                    continue
        bench.lift_misfortune()
        assert bench.moved(kind) in ([], [sent.amount])
        assert bench.total() == 0
