"""What every rail promises about the buyer's money: opened once, seen as it is, closed without losing what came."""

from dataclasses import replace

import pytest

from bloxtr8.rails.base import FundingStatus, RailBug, RailError
from tests.rails.bench import (
    CLOSING,
    DAY,
    DECLINES,
    GROSS,
    MISFORTUNES,
    OTHER_ESCROW,
    SLOW,
    Bench,
    CardBench,
    funding,
    opened,
    paid,
)

TRIES = 10


def test_opening_twice_is_one_place(bench: Bench) -> None:
    first = bench.rail.open(funding())
    assert bench.rail.open(funding(customer_id=first.customer_id)) == first
    assert bench.rail.open(funding(customer_id=first.customer_id, external_id=first.external_id)) == first
    assert bench.places() == 1


@pytest.mark.parametrize("misfortune", MISFORTUNES)
@pytest.mark.parametrize("times", [1, 3, 4, 7])
@pytest.mark.parametrize("step", ["open", "ask"])
def test_opening_survives_every_misfortune_with_one_place(bench: Bench, misfortune: str, times: int, step: str) -> None:
    bench.misfortune(misfortune, step, times)
    for _ in range(TRIES):
        try:
            place = bench.rail.open(funding())
            break
        except RailError:
            continue
    else:
        pytest.fail("never opened")
    assert bench.places() == 1
    assert bench.rail.open(funding(customer_id=place.customer_id)) == place


def test_an_opening_whose_answer_was_lost_is_found_days_later(bench: Bench) -> None:
    first = bench.rail.open(funding())
    bench.wait(3 * DAY)
    assert bench.rail.open(funding(customer_id=first.customer_id)) == first
    assert bench.places() == 1


def test_two_escrows_of_a_buyer_have_two_places(bench: Bench) -> None:
    first = bench.rail.open(funding())
    second = bench.rail.open(funding(escrow_id=OTHER_ESCROW, customer_id=first.customer_id))
    assert first.external_id != second.external_id


def test_shows_how_to_pay_the_same_each_time(bench: Bench) -> None:
    place = opened(bench)
    shown = bench.rail.payment(place)
    assert (shown.external_id, shown.amount, shown.currency) == (place.external_id, GROSS, "USD")
    assert shown.status is FundingStatus.UNPAID
    assert bench.rail.payment(place) == shown
    bench.pay(place)
    assert bench.rail.payment(place).status is FundingStatus.PAID


def test_cannot_show_how_to_pay_before_it_is_open(bench: Bench) -> None:
    with pytest.raises(RailBug):
        bench.rail.payment(funding())


def test_sees_no_money_where_none_came(bench: Bench) -> None:
    look = bench.rail.look(opened(bench))
    assert (look.status, look.deposits, look.decline_code) == (FundingStatus.UNPAID, (), None)


def test_sees_nothing_where_nothing_was_opened(bench: Bench) -> None:
    assert bench.rail.look(funding()).status is FundingStatus.UNPAID


def test_sees_what_was_received_once(bench: Bench) -> None:
    place = paid(bench)
    look = bench.rail.look(place)
    (deposit,) = look.deposits
    assert (look.status, look.external_id) == (FundingStatus.PAID, place.external_id)
    assert (deposit.amount, deposit.currency) == (GROSS, "USD")
    assert deposit.at.tzinfo is not None
    assert deposit.ref in deposit.external_ids
    assert bench.rail.look(place) == look


def test_sees_money_in_a_place_whose_answer_was_lost(bench: Bench) -> None:
    place = paid(bench)
    assert bench.rail.look(replace(place, external_id=None)) == bench.rail.look(place)


@pytest.mark.needs(SLOW)
def test_sees_a_payment_under_way_as_neither_money_nor_none(bench: CardBench) -> None:
    look = bench.rail.look(bench.pay_slowly(funding()))
    assert (look.status, look.deposits) == (FundingStatus.PROCESSING, ())


@pytest.mark.needs(DECLINES)
def test_sees_why_the_bank_refused_until_it_is_paid(bench: CardBench) -> None:
    place = opened(bench)
    code = bench.refuse_payment(place)
    look = bench.rail.look(place)
    assert (look.status, look.decline_code) == (FundingStatus.UNPAID, code)
    bench.pay(place)
    assert bench.rail.look(place).decline_code is None


@pytest.mark.parametrize("wrong", [{"escrow_id": OTHER_ESCROW}, {"currency": "EUR"}])
def test_refuses_a_place_that_is_not_this_escrows(bench: Bench, wrong: dict[str, str]) -> None:
    place = replace(paid(bench), **wrong)
    for ask in (bench.rail.look, bench.rail.payment, bench.rail.close):
        with pytest.raises(RailBug):
            ask(place)


@pytest.mark.needs(CLOSING)
def test_a_closed_place_cannot_be_paid(bench: Bench) -> None:
    place = opened(bench)
    assert bench.rail.close(place).status is FundingStatus.CANCELED
    with pytest.raises(Exception, match="canceled"):
        bench.pay(place)
    assert bench.rail.close(place).status is FundingStatus.CANCELED
    assert bench.rail.look(place).status is FundingStatus.CANCELED


def test_closing_what_was_never_opened_is_closed(bench: Bench) -> None:
    assert bench.rail.close(funding()).status is FundingStatus.CANCELED


@pytest.mark.needs(CLOSING)
def test_closing_finds_the_place_whose_answer_was_lost(bench: Bench) -> None:
    place = opened(bench)
    assert bench.rail.close(replace(place, external_id=None)).external_id == place.external_id
    assert bench.rail.look(place).status is FundingStatus.CANCELED


def test_closing_a_paid_place_is_late_money(bench: Bench) -> None:
    place = paid(bench)
    assert bench.rail.close(place) == bench.rail.look(place)
    assert bench.rail.close(place).status is FundingStatus.PAID


@pytest.mark.needs(SLOW)
def test_closing_cannot_stop_a_payment_under_way(bench: CardBench) -> None:
    place = bench.pay_slowly(funding())
    assert bench.rail.close(place).status is FundingStatus.PROCESSING
    bench.wait(5 * DAY)
    assert bench.rail.close(place).status is FundingStatus.PAID


@pytest.mark.needs(CLOSING)
@pytest.mark.parametrize("misfortune", MISFORTUNES)
@pytest.mark.parametrize("times", [1, 3, 4])
def test_closing_survives_every_misfortune(bench: Bench, misfortune: str, times: int) -> None:
    place = opened(bench)
    bench.misfortune(misfortune, "close", times)
    for _ in range(TRIES):
        try:
            assert bench.rail.close(place).status is FundingStatus.CANCELED
            break
        except RailError:
            continue
    else:
        pytest.fail("never closed")
    assert bench.rail.look(place).status is FundingStatus.CANCELED


@pytest.mark.parametrize("misfortune", MISFORTUNES)
def test_an_unanswered_question_says_nothing(bench: Bench, misfortune: str) -> None:
    place = paid(bench)
    bench.misfortune(misfortune, "ask", 3)
    with pytest.raises(RailError):
        bench.rail.look(place)
    bench.lift_misfortune()
    assert bench.rail.look(place).status is FundingStatus.PAID
