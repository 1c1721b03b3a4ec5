"""The terms an acceptor names, and what accepting them makes (C12, D29)."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import config, money
from bloxtr8.domain import agreements
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import ListingStatus, OfferStatus, Tier
from bloxtr8.errors import Conflict, DomainError, Expired, Forbidden, Unprocessable
from tests.unit.offers import NOW, deal, listing, offer, proof


@pytest.fixture(autouse=True)
def _defaults(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings' defaults, and afterwards whatever the next test sets."""
    config.settings.cache_clear()
    yield
    config.settings.cache_clear()


# --- what is agreed


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 100_001},
        {"conditions": "Cash."},
        {"title": "Skyline"},
        {"summary": "Another group"},
        {"category": "Social"},
        {"asset_id": "7000002"},
        {"asset_type": "GAME"},
        {"delivery_days": 8},
        {"inspection_days": 6},
    ],
)
def test_the_hash_changes_with_every_term(change: dict[str, Any]) -> None:
    ours = {"amount", "conditions"}
    made = offer(**{name: value for name, value in change.items() if name in ours})
    at = listing(**{name: value for name, value in change.items() if name not in ours})

    assert agreements.terms_hash(made, at) != agreements.terms_hash(offer(), listing())


@pytest.mark.parametrize("name", ["BUYER_FEE_BPS", "SELLER_FEE_BPS", "SIGN_SECONDS", "FUND_SECONDS"])
def test_the_hash_changes_with_every_setting_that_is_agreed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = agreements.terms_hash(offer(), listing())
    monkeypatch.setenv(name, "77")
    config.settings.cache_clear()

    assert agreements.terms_hash(offer(), listing()) != before


def test_the_hash_is_blind_to_what_is_not_agreed() -> None:
    other = listing(price=1, version=9, offers_epoch=4, snapshot={"owner": "x"}, status=ListingStatus.INACTIVE)

    assert agreements.terms_hash(offer(version=5), other) == agreements.terms_hash(offer(), listing())


@given(st.integers(1, money.MAX_CENTS), st.integers(0, 1_000), st.integers(0, 1_000))
def test_the_fees_shown_are_those_a_release_takes(amount: int, buyer_bps: int, seller_bps: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUYER_FEE_BPS", str(buyer_bps))
        patch.setenv("SELLER_FEE_BPS", str(seller_bps))
        config.settings.cache_clear()
        fees = agreements.fees(amount)

    share = money.settle(
        amount=amount,
        buyer_fee_bps=buyer_bps,
        seller_fee_bps=seller_bps,
        seller_share=amount,
        held=fees["gross"],
    )
    assert (share.seller, share.platform, share.buyer) == (
        fees["sellerReceives"],
        fees["buyerFee"] + fees["sellerFee"],
        0,
    )


# --- accept


def test_an_offer_that_expires_while_roblox_is_asked_is_not_accepted() -> None:
    given_ = deal()
    given_.bargain.offer.expires_at = NOW + dt.timedelta(seconds=1)
    seen = agreements.terms_hash(given_.bargain.offer, given_.bargain.listing)
    agreements.check_acceptable(given_, Role.RESPONDER, seen, NOW)

    with pytest.raises(Expired):
        agreements.accept(given_, Role.RESPONDER, seen, proof(), NOW + dt.timedelta(seconds=1))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"verified": False, "owner_id": "99"}, "ASSET_NOT_OWNED"),
        ({"verified": False, "owner_id": None}, "ASSET_OWNERLESS"),
        ({"verified": False, "locked": True}, "ASSET_LOCKED"),
    ],
)
def test_an_offer_without_proof_is_not_accepted(fields: dict[str, Any], code: str) -> None:
    given_ = deal()
    seen = agreements.terms_hash(given_.bargain.offer, given_.bargain.listing)

    with pytest.raises(Unprocessable) as refusal:
        agreements.accept(given_, Role.RESPONDER, seen, proof(**fields), NOW)

    assert refusal.value.code == code
    assert given_.bargain.offer.status is OfferStatus.PENDING
    assert given_.bargain.listing.status is ListingStatus.ACTIVE


@pytest.mark.parametrize(
    ("sides", "error", "code"),
    [
        ({"buyer": {"tier": Tier.TIER_0}}, Forbidden, "KYC_REQUIRED"),
        ({"seller": {"roblox_id": None}}, Forbidden, "KYC_REQUIRED"),
        ({"buyer": {"banned": True, "banned_until": NOW + dt.timedelta(hours=1)}}, Forbidden, "BANNED"),
        ({"seller": {"payouts_ready": False}}, Unprocessable, "PAYOUT_NOT_READY"),
    ],
)
def test_both_sides_must_be_able_to_deal(sides: dict[str, dict[str, Any]], error: type[DomainError], code: str) -> None:
    given_ = deal(**sides)
    seen = agreements.terms_hash(given_.bargain.offer, given_.bargain.listing)

    with pytest.raises(error) as refusal:
        agreements.check_acceptable(given_, Role.RESPONDER, seen, NOW)

    assert refusal.value.code == code


def test_another_hash_is_another_agreement() -> None:
    with pytest.raises(Conflict) as refusal:
        agreements.check_acceptable(deal(), Role.RESPONDER, "0" * 64, NOW)
    assert refusal.value.code == "TERMS_CHANGED"


def test_the_hash_that_was_named_stays_with_the_offer() -> None:
    given_ = deal()
    made, at = given_.bargain.offer, given_.bargain.listing
    seen = agreements.terms_hash(made, at)

    contract, rows = agreements.accept(given_, Role.RESPONDER, seen, proof(), NOW)

    at.title = "Another"
    assert agreements.terms_hash(made, at) == seen
    assert (made.status, made.contract_id) == (OfferStatus.ACCEPTED, contract.id)
    assert {type(row).__name__ for row in rows} == {"Offer", "Listing", "Snapshot", "Deals"}
    assert contract.terms["asset"]["name"] == "Skyline Racers"  # Roblox named it not: the listing does
