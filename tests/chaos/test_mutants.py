"""The harness can fail: each mistake that is made on purpose is noticed within some worlds, by the law it breaks."""

from collections.abc import Callable

import pytest

from tests.chaos.mistakes import MISTAKES, Patch
from tests.chaos.play import Broken, play

pytestmark = pytest.mark.slow
SEED, MOST = 1, 24


@pytest.mark.parametrize(("mistake", "law"), MISTAKES)
def test_a_mistake_is_noticed(mistake: Callable[[Patch], None], law: str, monkeypatch: Patch) -> None:
    mistake(monkeypatch)
    found = list[str]()
    for number in range(MOST):
        found += _broken_in(number)
        if any(one.startswith(law) for one in found):
            return
    pytest.fail(f"not by {law}: {found}")


def _broken_in(number: int) -> list[str]:
    """What a world breaks. One that comes to no rest may have stopped before its law shows; the next will."""
    try:
        play(SEED, number)
    except Broken as told:
        return told.found
    return []
