"""Vaults of a chain that a test fills, and what the node says lies in them."""

from typing import Any

import pytest

from bloxtr8.entities import Escrow
from bloxtr8.rails.base import Funding, Reclaims, ReclaimSeen
from bloxtr8.rails.usdc import balances
from tests import factories
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions.chain import UNITS, FakeChain, vault_row


class Vaults:
    """What lies in each vault at finality, and how often somebody asked."""

    def __init__(self, chain: FakeChain, aws: Platform) -> None:
        self.chain, self.aws = chain, aws
        self.asked: list[list[str]] = []
        self.failing: Exception | None = None
        self.reclaims: tuple[ReclaimSeen, ...] = ()

    def at_finality(self, vaults: list[str]) -> dict[str, int]:
        self.asked.append(vaults)
        if self.failing is not None:
            raise self.failing
        return {vault: int(self.chain.vaults[vault]["units"]) for vault in vaults}

    def reclaimed(self, _: Funding) -> Reclaims:
        return Reclaims(seen=self.reclaims)

    def opened(self, **fields: Any) -> Escrow:
        """An escrow on chain, AWAIT_FUNDS, whose vault is open and whose machine sleeps with `token-1`."""
        escrow = chains.payable(**fields)
        self.aws.invoke("await_funding", {"escrowId": escrow.id, "token": "token-1"})
        return factories.escrow_row(escrow)

    def ended(self) -> Escrow:
        """One that was cancelled, and whose funding is closed."""
        escrow = self.opened()
        answer = self.aws.call("cancel_escrow", escrow.buyer_id, {"reason": "x"}, escrow_id=escrow.id)
        assert answer.status == 200, answer.body
        self.aws.invoke("close_funding", {"escrowId": escrow.id})
        return factories.escrow_row(escrow)

    def pay(self, escrow: Escrow, cents: int) -> None:
        """A deposit that is final: it lies in the vault, and its log is found."""
        self.chain.pay(escrow, cents * UNITS)

    def take(self, escrow: Escrow, units: int) -> None:
        """Units that leave the vault, nobody knows how."""
        self.chain.vaults[str(vault_row(escrow).external_id)]["units"] -= units


@pytest.fixture
def vaults(chain: FakeChain, aws: Platform, monkeypatch: pytest.MonkeyPatch) -> Vaults:
    made = Vaults(chain, aws)
    monkeypatch.setattr(balances, "at_finality", made.at_finality)
    monkeypatch.setattr(chain, "reclaimed", made.reclaimed, raising=False)
    return made
