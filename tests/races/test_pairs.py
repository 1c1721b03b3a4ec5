"""Each pair of competing moves at the same moment, in threads: exactly one happens and the other is told where it
stands; of two that do not exclude each other all is as if one had been first. Whatever happened is rows, whole, and
every cent is there (states.md, Competing moves; C6, C8)."""

import pytest

from tests.checks import together
from tests.emulator import Answer
from tests.lifecycles import rows
from tests.lifecycles.ground import Ground, Image, Trade
from tests.lifecycles.stages import build
from tests.races.moves import Pair
from tests.races.pairs import PAIRS
from tests.races.stands import stand

FEW, MANY = 2, 50
TOO_LATE = {409, 410}


def begun(ground: Ground, pair: Pair) -> tuple[Trade, Image]:
    trade, _ = ground.build(build(pair.path, pair.currency))
    for step in pair.then:
        step(ground, trade)
    return trade, ground.image()


def race(ground: Ground, pair: Pair, trade: Trade, image: Image, n: int) -> None:
    """One round."""
    acts = [move.ready(ground, trade, image, f"{side} {n}") for side, move in enumerate((pair.left, pair.right))]
    answers = together(*acts)
    after = ground.picture()
    assert list(rows.written(image.picture, after)) == []
    named = [entry.action for entry in rows.entered(image.picture, after)]
    happened = [action for action in named if action in {pair.left.action, pair.right.action}]
    refused = [answer for answer in answers if isinstance(answer, Answer) and answer.status >= 300]
    for answer in refused:
        assert answer.status in TOO_LATE, answer.body
        assert answer.body["code"] != "CONFLICT", answer.body
        assert answer.body["code"] != "INVALID_STATE" or answer.body["currentStatus"]
    people = sum(answer is not None for answer in answers)
    if pair.either:
        assert people - len(refused) <= len(happened)
        assert stand(after) in (pair.either.left_first, pair.either.right_first), happened
    else:
        assert len(happened) == 1, happened
        assert people - len(refused) in ({1} if people == 2 else {0, 1})
    ground.back_to(image)


def test_each_of_two_that_do_not_exclude_each_other_may_be_first(ground: Ground, subtests: pytest.Subtests) -> None:
    for name, pair in PAIRS.items():
        if pair.either is None:
            continue
        trade, image = begun(ground, pair)
        for first in (0, 1):
            with subtests.test(name, first=first):
                moves = (pair.left, pair.right)
                acts = [move.ready(ground, trade, image, f"{side}, {first} first") for side, move in enumerate(moves)]
                for act in acts if first == 0 else reversed(acts):
                    act()
                after = ground.picture()
                ground.back_to(image)
                assert stand(after) == pair.either[1 + first]
                assert list(rows.written(image.picture, after)) == []


def test_one_wins(ground: Ground, subtests: pytest.Subtests) -> None:
    for name, pair in PAIRS.items():
        with subtests.test(name):
            trade, image = begun(ground, pair)
            for n in range(FEW):
                race(ground, pair, trade, image, n)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAIRS)
def test_one_wins_every_time(ground: Ground, name: str) -> None:
    trade, image = begun(ground, PAIRS[name])
    for n in range(MANY):
        race(ground, PAIRS[name], trade, image, n)
