"""Signing a deal in USDC: the signer's wallet is looked at again (rail-usdc.md, Wallet risk)."""

import pytest

from bloxtr8 import table
from bloxtr8.entities import Contract, User
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions.chain import FakeChain, Wallets, chain, either_side, unclean, wallets
from tests.functions.contracts import consent, sign

__all__ = ["chain", "wallets"]


@pytest.fixture
def contract(aws: Platform, chain: FakeChain, wallets: Wallets) -> Contract:
    """One that waits for its signatures, a day after its wallets were screened."""
    made = factories.contract(chains.accepted())
    aws.clock.advance(hours=25)
    wallets.asked.clear()
    return made


@unclean
@either_side
def test_only_a_clean_wallet_signs(
    aws: Platform, wallets: Wallets, contract: Contract, side: str, risk: str, status: int, code: str
) -> None:
    signer = contract.buyer_id if side == "buyer" else contract.seller_id
    wallets.risks[contract.terms["vault"][side]] = risk
    refused(aws, status, code, "sign_contract", signer, consent(contract), contract_id=contract.id)


def test_what_was_found_is_kept(aws: Platform, wallets: Wallets, contract: Contract) -> None:
    assert sign(aws, contract.buyer_id, contract).status == 201
    buyer = table.get(User, id=contract.buyer_id)
    assert (wallets.asked, buyer.wallet_screening["risk"]) == ([buyer.wallet], "LOW")
    assert factories.executed(factories.contract(chains.accepted())).status == "AWAIT_FUNDS"
