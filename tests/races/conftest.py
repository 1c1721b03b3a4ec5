"""The races begin on the ground of the lifecycles' walks."""

from tests.lifecycles.conftest import chain, ground, vaults, wallets

__all__ = ["chain", "ground", "vaults", "wallets"]
