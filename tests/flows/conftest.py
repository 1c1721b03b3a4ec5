"""Whole stories over HTTP, against the platform on one machine. One platform a module: it and mock_aws can't share a
process."""

import itertools
from collections.abc import Iterator

import pytest
import stripe

from local.demo import stories
from local.demo.stories import Cast, Trade
from local.stack import Stack
from local.trader import World
from tests.flows.theatre import Theatre

_groups = itertools.count(50_001)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A running platform. Who tries again, the state machines or Stripe's client, does not wait long before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
        patch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.02)
        with Stack(pace=0.02) as running:
            yield running


@pytest.fixture(scope="module")
def cast(stack: Stack) -> Cast:
    """A seller and a buyer who are ready to trade."""
    return stories.meet(World(stack.addresses), lambda _: None)


@pytest.fixture
def theatre(stack: Stack, cast: Cast) -> Iterator[Theatre]:
    """A trade of a group of its own; afterwards no fault is left, and no cent was made or lost at Stripe."""
    for person in (cast.seller, cast.buyer):
        person.sign_in()  # earlier stories may have taken weeks
    yield Theatre(stack, cast, Trade(f"Group {next(_groups)}"), str(next(_groups)))
    stack.faults.clear()
    cast.world.stripe.send("DELETE", "/_double/faults")
    cast.world.roblox.send("DELETE", "/_double/faults")
    cast.world.stripe.send("POST", "/_double/webhooks", {"duplicate": 1, "shuffle": False, "paused": False})
    assert cast.world.stripe.get("/_double/ledger")["sum"] == 0
