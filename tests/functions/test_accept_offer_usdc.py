"""Accepting a deal in USDC: both wallets proven and clean, and the vault's terms frozen (D5, D15, D16, D29)."""

import datetime as dt
from typing import Any

import pytest

from bloxtr8 import addresses, table
from bloxtr8.documents.terms import Terms
from bloxtr8.entities import StablecoinEscrow, StripeEscrow, Tier, User
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions.chain import FakeChain, Wallets, chain, either_side, holder, unclean, wallets
from tests.functions.offers import accept, settings

__all__ = ["chain", "wallets"]
DAY = 86_400


def turned_down(aws: Platform, status: int, code: str, buyer: User, seller: User, **offer: Any) -> dict[str, Any]:
    made = factories.offer(factories.listing(seller), buyer, **({"currency": "USDC"} | offer))
    body = {"termsHash": factories.terms_hash(made)}
    return dict(refused(aws, status, code, "accept_offer", seller, body, offer_id=made.id).body)


def changed(user: User, **fields: Any) -> User:
    from tests.functions.listings import user_changed

    user_changed(user, **fields)
    return table.get(User, id=user.id)


def test_freezes_both_wallets_and_the_vaults_terms(aws: Platform, chain: FakeChain) -> None:
    buyer, seller = holder(), holder()
    contract = chains.accepted(seller=seller, buyer=buyer)
    terms = contract.terms
    assert (terms["rail"], terms["currency"], "payoutAccountId" in terms["seller"]) == ("USDC_BASE", "USDC", False)
    windows = sum(terms["windows"].values())
    assert terms["vault"] == {
        "chainId": chains.CHAIN,
        "escrowContract": chains.CONTRACT,
        "escrowId": addresses.escrow_key(contract.escrow_id),
        "token": chains.TOKEN,
        "buyer": buyer.wallet,
        "seller": seller.wallet,
        "feeReceiver": chains.FEES,
        "amount": terms["gross"] * chains.UNITS,
        "reclaimAfter": int(contract.created_at.timestamp()) + windows + 120 * DAY,
        "maxFeeBps": 290,
    }
    assert Terms.model_validate(terms).vault is not None  # as the document prints them


def test_the_escrow_is_made_from_them_alone(aws: Platform, chain: FakeChain) -> None:
    contract = factories.contract(chains.accepted())
    for party in (contract.buyer_id, contract.seller_id):
        changed(table.get(User, id=party), wallet="0x" + "99" * 20)
    escrow = factories.executed(contract)
    row = chains.vault_row(escrow)
    assert (row.terms, row.units, row.external_id, row.next_look) == (contract.terms["vault"], 0, None, None)
    assert (str(escrow.rail), escrow.payout_account_id) == ("USDC_BASE", None)
    term = dt.datetime.fromtimestamp(row.terms["reclaimAfter"], dt.UTC)
    assert escrow.postpone_at == term - dt.timedelta(days=30)
    assert not [one for one in table.partition(f"ESCROW#{escrow.ulid}") if isinstance(one, StripeEscrow)]
    assert [one for one in table.partition(f"ESCROW#{escrow.ulid}") if isinstance(one, StablecoinEscrow)]


def test_dollars_that_no_card_may_pay_go_over_base_at_one_to_one(aws: Platform, chain: FakeChain) -> None:
    seller = holder()
    listing = factories.listing(seller, price=5_000_000)
    made = factories.offer(listing, holder(), amount=1_000_001, currency="USD")
    contract = factories.accepted(made=made)
    assert (contract.terms["rail"], contract.terms["currency"]) == ("USDC_BASE", "USD")
    assert contract.terms["vault"]["amount"] == 1_000_001 * chains.UNITS


def test_what_a_card_may_pay_is_paid_by_card(aws: Platform, chain: FakeChain) -> None:
    made = factories.offer(factories.listing(factories.user()), factories.user(), amount=100_000, currency="USD")
    assert "vault" not in factories.accepted(made=made).terms


def test_more_than_one_escrow_may_hold_is_not_offered(
    aws: Platform, chain: FakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(monkeypatch, usdc_cap_cents=100_000)
    listing, body = factories.listing(holder()), {"amount": 100_001, "currency": "USDC"}
    answer = refused(aws, 422, "AMOUNT_ABOVE_CAP", "make_offer", holder(), body, listing_id=listing.id)
    assert answer.body["limit"] == 100_000


@pytest.mark.parametrize("chain_ids", ["", "8453"])
def test_a_chain_that_this_deployment_may_not_use_takes_nothing(
    aws: Platform, chain: FakeChain, monkeypatch: pytest.MonkeyPatch, chain_ids: str
) -> None:
    buyer, seller = holder(), holder()
    made = factories.offer(factories.listing(seller), buyer, currency="USDC")
    monkeypatch.setenv("CHAIN_IDS", chain_ids)
    settings(monkeypatch)
    body = {"termsHash": factories.terms_hash(made)}
    refused(aws, 422, "NOT_AVAILABLE_YET", "accept_offer", seller, body, offer_id=made.id)


@either_side
def test_both_sides_need_a_proven_wallet(aws: Platform, chain: FakeChain, wallets: Wallets, side: str) -> None:
    people = {"buyer": holder(), "seller": holder()}
    people[side] = holder(wallet=None, wallet_screening=None)
    answer = turned_down(aws, 422, "WALLET_REQUIRED", people["buyer"], people["seller"])
    assert answer["userId"] == people[side].id
    assert wallets.asked == []


@unclean
@either_side
def test_only_a_clean_wallet_starts_a_deal(
    aws: Platform, chain: FakeChain, wallets: Wallets, side: str, risk: str, status: int, code: str
) -> None:
    people = {"buyer": holder(), "seller": holder()}
    wallets.risks[people[side].wallet] = risk
    aws.clock.advance(hours=25)  # what was known is too old
    turned_down(aws, status, code, people["buyer"], people["seller"])


def test_a_wallet_found_risky_lately_is_refused_without_asking_again(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    buyer, seller = holder(), holder()
    evidence = buyer.wallet_screening | {"risk": "HIGH"}
    turned_down(aws, 422, "WALLET_RISK", changed(buyer, wallet_screening=evidence), seller)
    assert wallets.asked == []


def test_an_old_screening_is_made_anew_and_kept(aws: Platform, chain: FakeChain, wallets: Wallets) -> None:
    buyer, seller = holder(), holder()
    aws.clock.advance(hours=23)
    late = holder()
    made = factories.offer(factories.listing(seller), buyer, currency="USDC")
    aws.clock.advance(hours=1)
    assert accept(aws, seller, made).status == 200
    assert wallets.asked == [buyer.wallet, seller.wallet]
    kept = table.get(User, id=buyer.id).wallet_screening
    assert dt.datetime.fromisoformat(kept["at"]) > late.created_at
    wallets.asked.clear()
    assert accept(aws, late, factories.offer(factories.listing(late), buyer, currency="USDC")).status == 200
    assert wallets.asked == []


def test_the_limits_of_a_tier_hold_in_usdc_too(aws: Platform, chain: FakeChain) -> None:
    seller = holder()
    listing, buyer = factories.listing(seller, price=5_000_000), holder(tier=Tier.TIER_1)
    body = {"amount": 1_000_001, "currency": "USDC"}
    refused(aws, 403, "KYC_LIMIT", "make_offer", buyer, body, listing_id=listing.id)
