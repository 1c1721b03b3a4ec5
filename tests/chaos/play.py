"""Playing worlds: people are put into one, it runs until nothing happens any more, and the laws are checked."""

import functools
import gc
import itertools
from collections import Counter
from dataclasses import dataclass, field

import pytest
from moto import mock_aws

from bloxtr8.entities import Tier
from tests import factories
from tests.chaos import fates, laws
from tests.chaos.people import Trade
from tests.chaos.staff import Staff
from tests.chaos.world import Stuck, World
from tests.functions import chain as chains

NEVER = "NEVER_BEGUN"  # nobody offered anything: they were banned before, or no answer ever came
TRADES = 10  # of a world
SHOWN = 60  # events of a failure


class Broken(AssertionError):
    """A law does not hold, or a world does not come to rest: `found` is what, in words."""

    def __init__(self, told: str, found: list[str]) -> None:
        super().__init__(told)
        self.found = found


@dataclass
class Outcome:
    """What became of a world."""

    seed: int
    number: int
    digest: str
    steps: int
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)  # (rail, end)
    hit: Counter[tuple[str, str]] = field(default_factory=Counter)  # (site, fault)
    cents: Counter[str] = field(default_factory=Counter)  # in, held, out
    fates: Counter[str] = field(default_factory=Counter)
    by_hand: int = 0  # payments that people made outside


def play(seed: int, number: int, trades: int = TRADES, *, calm: bool = False, quick: bool = True) -> Outcome:
    """One world to its end. Raises Broken with all that is needed to see it again."""
    _leave_alone_what_is_imported()
    gc.collect()  # the last world: the platform itself has the collector look seldom
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        world = make(seed, number, trades, patch, calm=calm, quick=quick)
        broken = []
        try:
            world.run()
        except Stuck as stuck:
            broken.append(str(stuck))
        broken += [*world.broken, *world.watch.broken, *world.luck.broken, *laws.broken(world)]
        if broken:
            raise Broken(_told(world, trades, broken), broken)
        ends = Counter((str(trade.rail), trade.end or NEVER) for trade in world.trades)
        by_hand = sum(leg.by_hand for leg in world.rows("LEG#"))
        kinds = Counter(trade.fate.name for trade in world.trades)
        return Outcome(
            seed, number, world.digest.hexdigest(), world.steps, ends, world.luck.hit, laws.cents(world), kinds, by_hand
        )  # fmt: skip


@functools.cache
def _leave_alone_what_is_imported() -> None:
    """The collector need not go through it after each world."""
    gc.collect()
    gc.freeze()


def make(
    seed: int, number: int, trades: int, patch: pytest.MonkeyPatch, *, calm: bool = False, quick: bool = True
) -> World:
    """A world with its people, before anything happened."""
    patch.setattr(factories, "_numbers", itertools.count(1))
    patch.setattr(chains, "_made", [])
    world = World(seed, number, patch, calm=calm, quick=quick)
    world.staff = staff = Staff(world)
    for n, fate in enumerate(fates.of_world(number, trades)):
        seller = factories.payee(world.outside.stripe) if fate.currency == "USD" else chains.holder()
        buyer = factories.user(tier=Tier.TIER_2) if fate.currency == "USD" else chains.holder()
        world.trades.append(Trade(world, n, fate, buyer, seller))
    world.pump()
    world.forget()
    for trade in world.trades:
        trade.begin()
    staff.begin()
    return world


def _told(world: World, trades: int, broken: list[str]) -> str:
    states = [
        f"t{trade.number} {trade.fate.name}: {trade.end} {trade.escrow and trade.escrow.id}" for trade in world.trades
    ]
    again = f"make chaos SEED={world.seed} WORLD={world.number} EACH={trades}"
    told = f"seed {world.seed}, world {world.number}: again with  {again}"
    return "\n".join([*list(world.log)[-SHOWN:], "", *states, "", *broken, "", told])
