"""One bench a rail; the contract suite runs over all of them, each test over those that know what it needs."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from local.chain.chain import Chain
from tests.emulator import Clock
from tests.rails.bench import Bench
from tests.rails.bench_stripe import StripeBench
from tests.rails.bench_usdc import UsdcBench
from tests.rails.vaults import World

type Maker = Callable[[Clock], Bench]

BENCHES: dict[str, type[StripeBench] | type[UsdcBench]] = {"STRIPE": StripeBench, "USDC_BASE": UsdcBench}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every rail that knows what the test needs, with every kind of leg it can move where the test asks for a kind."""
    if "make_bench" not in metafunc.fixturenames:
        return
    needs = {need for mark in metafunc.definition.iter_markers("needs") for need in mark.args}
    able = [(name, bench) for name, bench in sorted(BENCHES.items()) if needs <= bench.knows]
    own = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "kind" in metafunc.fixturenames and "kind" not in own:
        pairs = [(name, kind) for name, bench in able for kind in bench.kinds]
        metafunc.parametrize(("make_bench", "kind"), pairs, indirect=["make_bench"])
    else:
        metafunc.parametrize("make_bench", [name for name, _ in able], indirect=True)


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    """What a rail logs is heard, whatever level another test's functions gave the platform's logger."""
    caplog.set_level("DEBUG", logger="bloxtr8")


@pytest.fixture
def make_bench(request: pytest.FixtureRequest) -> Maker:
    """Makes a rail and its empty world."""
    made = BENCHES[request.param]
    return partial(made, request.getfixturevalue("anvil")) if made is UsdcBench else made


@pytest.fixture
def bench(make_bench: Maker, clock: Clock) -> Iterator[Bench]:
    """A rail and its empty world. After every test no cent is made or lost."""
    made = make_bench(clock)
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
