"""One bench a rail; the contract suite runs over all of them."""

from collections.abc import Callable, Iterator

import pytest

from local.chain.chain import Chain
from tests.emulator import Clock
from tests.rails.bench import Bench
from tests.rails.bench_stripe import StripeBench
from tests.rails.vaults import World

BENCHES: dict[str, Callable[[Clock], Bench]] = {"STRIPE": StripeBench}


@pytest.fixture(params=sorted(BENCHES))
def bench(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Bench]:
    """A rail and its empty world. After every test no cent is made or lost."""
    made = BENCHES[request.param](clock)
    yield made
    assert made.total() == 0


@pytest.fixture
def cards(clock: Clock) -> Iterator[StripeBench]:
    """The card rail's own bench, for what only Stripe has."""
    made = StripeBench(clock)
    yield made
    assert made.total() == 0


@pytest.fixture
def world(chain: Chain) -> World:
    """One escrow of the rail on chain, where everything is final at once."""
    return World(chain)
