"""The harness can fail: each mistake that is made on purpose is noticed within a few worlds, by the law it breaks."""

from collections.abc import Callable

import pytest

from tests.chaos.mistakes import MISTAKES, Patch
from tests.chaos.play import Broken, play

pytestmark = pytest.mark.slow
SEED, MOST = 1, 12


@pytest.mark.parametrize(("mistake", "law"), MISTAKES)
def test_a_mistake_is_noticed(mistake: Callable[[Patch], None], law: str, monkeypatch: Patch) -> None:
    mistake(monkeypatch)
    with pytest.raises(Broken) as told:
        _play_all()
    assert [found for found in told.value.found if found.startswith(law)], told.value.found


def _play_all() -> None:
    for number in range(MOST):
        play(SEED, number)
