"""The platform on both rails, with machines that only remember what they were asked."""

import pytest

from local.doubles.stripe.double import StripeDouble
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions.chain import FakeChain, Wallets, chain, wallets
from tests.functions.webhooks import Machines
from tests.lifecycles.ground import Ground
from tests.wire import Wire

__all__ = ["chain", "wallets"]


@pytest.fixture
def ground(
    aws: Platform, roblox: Roblox, stripe: StripeDouble, chain: FakeChain, wallets: Wallets, wire: Wire
) -> Ground:
    Machines(wire)
    return Ground(aws, roblox, stripe, chain, wallets)
