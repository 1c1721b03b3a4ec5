"""Bad luck: what goes wrong at a place where the platform asks somebody outside, and which pairs were hit so far.

Luck is guided by what was not hit yet, in an order that turns with the world's number, for each place from elsewhere:
a place that a world comes to only once meets another fault in each world. So few trades meet everything.
"""

import functools
import random
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from tests.chaos import sites


class Fault(StrEnum):
    """What can happen to a call."""

    LOST = "lost before it was done"
    LOST_AFTER = "done, the answer lost"
    FAILED = "the service failed"
    THROTTLED = "throttled"
    TWICE = "done twice"
    KILLED = "the function died before it"
    KILLED_AFTER = "the function died after it"


READS = (Fault.LOST, Fault.FAILED, Fault.THROTTLED, Fault.KILLED)
# No source of the screening is asked through anything that could raise: what fails there reads as UNKNOWN.
SILENT = {"screening.of_wallet": (Fault.FAILED, Fault.KILLED)}


class Way(StrEnum):
    """What can happen to something that is on its way to a function."""

    LATE = "late"
    TWICE = "twice"
    LOST = "lost"


# Who else brings work, and what happens on that way. Whatever comes in one batch or at one time comes in any order.
WAYS = {
    "stream": (Way.LATE, Way.TWICE, Way.LOST),
    "bus": (Way.LATE, Way.TWICE, Way.LOST),
    "webhook.stripe": (Way.LATE, Way.TWICE, Way.LOST),
    "webhook.chain": (Way.LATE, Way.TWICE, Way.LOST),
    "invoke": (Way.LATE, Way.TWICE, Way.LOST),
    "client": (Way.TWICE, Way.LOST),  # a request sent twice; its answer lost, so that it is sent again
}


# After these all is done, and the place may never be come to again: in every fourth world they are the first. (In each
# second they would meet the fates that come in each third, always the same, and little else would ever be lost there.)
_DONE = {Fault.TWICE, Way.TWICE}
_DONE_FIRST = 4


class Killed(BaseException):
    """The function's process ends here, whatever it is about to do. No handler of errors may stop that."""


def pairs(jobs: tuple[str, ...]) -> list[tuple[str, str]]:
    """Everything that has to be hit: (site, fault), (way, what happens there), (job, what happens to its runs)."""
    found = [(site, str(fault)) for site in sites.all_sites() for fault in kinds(site)]
    found += [(way, str(what)) for way, all_of in WAYS.items() for what in all_of]
    return found + [(f"job.{job}", str(what)) for job in jobs for what in Way]


def kinds(site: str) -> tuple[Fault, ...]:
    """What can go wrong there."""
    return SILENT.get(site) or (tuple(Fault) if sites.writes(site) else READS)


class Luck:
    """One world's luck. `on` only while a function runs, and not at all where it is calm."""

    # How likely a fault is: one that this world has not met there yet, at a place where little is asked; any other.
    EAGER, RARE, USUAL = 0.25, 0.9, 0.012
    MOST = 2  # in one run of a function: else nothing would ever come to an end

    def __init__(self, seed: random.Random, number: int) -> None:
        self._random, self._number = seed, number
        self.calm = False
        self.running = False
        self.left = 0
        self.action = ""  # the function that runs
        self.money_moves: Callable[[str], object] = bool  # is told of each call of send_leg that moves money
        self.broken: list[str] = []
        self.hit: Counter[tuple[str, str]] = Counter()
        self.seen: Counter[str] = Counter()

    def at(self, site: str) -> Fault | None:
        """What goes wrong with this call."""
        if not self.running:
            return None
        self.seen[site] += 1
        if self.calm or self.left <= 0:
            return None
        fault = self._choose(site, kinds(site))
        if fault is not None:
            self.left -= 1
        return fault  # type: ignore[return-value]

    def on_the_way(self, way: str) -> Way | None:
        """What happens to something that comes this way."""
        self.seen[way] += 1
        return None if self.calm else self._choose(way, WAYS.get(way, tuple(Way)))  # type: ignore[return-value]

    def _choose(self, where: str, of: tuple[Any, ...]) -> Any:
        fresh = next((one for one in _in_turn(self._number, where, of) if not self.hit[where, str(one)]), None)
        # Rare places meet theirs at once; where much is asked there is time.
        eager = self.EAGER if self.seen[where] > len(of) * 4 else self.RARE
        if fresh is not None and self._random.random() < eager:
            chosen = fresh
        elif self._random.random() < self.USUAL:
            chosen = self._random.choice(of)
        else:
            return None
        self.hit[where, str(chosen)] += 1
        return chosen

    def ask[T](self, site: str, act: Callable[[], T], errors: Callable[[Fault], Exception]) -> T:
        """Do what was asked, or let it go wrong. `errors` says how each fault looks to who asked."""
        if self.running and site in sites.moves_money():
            self._may_move_money(site)
        fault = self.at(site)
        if fault is None:
            return act()
        if fault is Fault.KILLED:
            raise Killed(site)
        if fault in {Fault.LOST, Fault.FAILED, Fault.THROTTLED}:
            raise errors(fault)
        act()
        if fault is Fault.TWICE:
            return act()
        if fault is Fault.KILLED_AFTER:
            raise Killed(site)
        raise errors(fault)

    def _may_move_money(self, site: str) -> None:
        if self.action == "send_leg":
            self.money_moves(site)
        else:
            self.broken.append(f"C9: {self.action} asked {site}")


@functools.cache
def _in_turn(number: int, where: str, of: tuple[Any, ...]) -> list[Any]:
    """What can go wrong there, in the order of this world."""
    turn = number + sum(map(ord, where))
    turned = of[turn % len(of) :] + of[: turn % len(of)]
    return sorted(turned, key=lambda one: (one in _DONE) != (turn % _DONE_FIRST == 0))


class Unlucky:
    """A client whose calls can go wrong; each path of names down to a call is a site: `stripe.transfers.create`."""

    def __init__(self, inner: Any, path: str, luck: Luck, errors: Callable[[Fault], Exception]) -> None:
        self._inner, self._path, self._luck, self._errors = inner, path, luck, errors

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        path = self._path if name == "v1" else f"{self._path}.{name}"
        return found if isinstance(found, str) else Unlucky(found, path, self._luck, self._errors)

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._luck.ask(self._path, lambda: self._inner(*args, **options), self._errors)
