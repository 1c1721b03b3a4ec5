"""The platform on both rails, with machines that only remember what they were asked."""

import pytest
import stripe as stripe_library

from local.doubles.stripe.double import StripeDouble
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions.chain import FakeChain, Wallets, chain, wallets
from tests.functions.vaults import Vaults, vaults
from tests.functions.webhooks import Machines
from tests.lifecycles.ground import Ground
from tests.wire import Wire

__all__ = ["chain", "vaults", "wallets"]


@pytest.fixture
def ground(
    aws: Platform,
    roblox: Roblox,
    stripe: StripeDouble,
    chain: FakeChain,
    wallets: Wallets,
    vaults: Vaults,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
) -> Ground:
    Machines(wire)
    monkeypatch.setattr(stripe_library.HTTPClient, "INITIAL_DELAY", 0.0)  # who tries again does not wait long before
    monkeypatch.setattr(stripe_library.HTTPClient, "MAX_DELAY", 0.0)
    return Ground(aws, roblox, stripe, chain, wallets, vaults)
