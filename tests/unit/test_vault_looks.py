"""What a vault must hold by the books, and when one is looked at."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import config
from bloxtr8.domain import vault_looks
from bloxtr8.entities import EscrowStatus, StablecoinEscrow
from tests.unit.escrow_rows import DAY, ID, START, escrow

HOUR = dt.timedelta(hours=1)
TERMS = {"reclaimAfter": int((START + 100 * DAY).timestamp())}


@given(held=st.integers(0, 10**12), surplus=st.integers(0, 10**9), dust=st.integers(0, 9_999), more=st.integers(-9, 9))
def test_cents_are_compared_and_what_is_below_one_is_no_difference(
    held: int, surplus: int, dust: int, more: int
) -> None:
    units = (held + surplus + more) * 10_000 + dust
    assert vault_looks.difference(escrow(held=held, surplus=surplus), units) == more


@pytest.mark.parametrize("status", EscrowStatus)
def test_only_an_escrow_that_has_ended_is_looked_at_more_seldom(status: EscrowStatus) -> None:
    ends = {EscrowStatus.RELEASED, EscrowStatus.REFUNDED, EscrowStatus.SPLIT, EscrowStatus.CANCELLED}
    assert vault_looks.is_open(escrow(status, funding_closed=True)) is (status not in ends)


def test_a_cancelled_escrow_whose_rail_is_not_closed_yet_is_open() -> None:
    assert vault_looks.is_open(escrow(EscrowStatus.CANCELLED))


def test_the_steps_double_from_an_hour_to_a_day_and_end_after_the_term() -> None:
    done = escrow(EscrowStatus.RELEASED, ended_at=START)
    looks, steps = [START], []
    while (look := vault_looks.next_look(done, TERMS, looks[-1])) is not None:
        steps.append((look - looks[-1]) / HOUR)
        looks.append(look)

    assert steps[:7] == [1, 1, 2, 4, 8, 16, 24]
    assert set(steps[7:]) == {24}
    assert dt.timedelta(days=120) <= looks[-1] - START - 100 * DAY < dt.timedelta(days=121)
    assert len(looks) < 230


@pytest.mark.parametrize(("tag", "minutes"), [("latest", 0), ("safe", 5), ("finalized", 30)])
def test_a_hint_has_a_vault_looked_at_when_its_money_is_final(
    tag: str, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAIN_FINALITY", tag)
    config.settings.cache_clear()
    final = START + dt.timedelta(minutes=minutes)
    for planned in (None, final + HOUR):
        row = StablecoinEscrow(escrow_id=ID, terms=TERMS, next_look=planned)
        assert vault_looks.hinted_look(row, START) == final
    for planned in (START - HOUR, final):
        row = StablecoinEscrow(escrow_id=ID, terms=TERMS, next_look=planned)
        assert vault_looks.hinted_look(row, START) is None
    config.settings.cache_clear()
