"""Worlds in processes of their own: what a started process can import, which `__main__` is not."""

import multiprocessing
import signal
from collections.abc import Iterator

import tests.conftest  # noqa: F401  (the environment of all tests)
from tests.chaos.play import Broken, Outcome, play

type World = tuple[int, int, int]  # seed, number, trades


def played(worlds: list[World], workers: int) -> Iterator[Outcome | str]:
    """What became of each, as they come to rest: what it showed, or which law it broke."""
    if len(worlds) == 1 or workers == 1:
        yield from map(_play, worlds)
        return
    with multiprocessing.get_context("spawn").Pool(workers, initializer=_quiet) as pool:
        yield from pool.imap_unordered(_play, worlds)


def _quiet() -> None:
    """Ctrl-C is the first process's to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _play(world: World) -> Outcome | str:
    try:
        return play(*world)
    except Broken as broken:
        return str(broken)
