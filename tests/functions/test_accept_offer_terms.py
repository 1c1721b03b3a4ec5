"""What an acceptor names by its hash is what the contract freezes (C12, D29, M23)."""

import datetime as dt
import hashlib
import json

import pytest

from bloxtr8 import clock as platform_clock
from bloxtr8 import table
from bloxtr8.documents.terms import Terms
from bloxtr8.entities import Listing, Offer, User
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions.listings import looks
from tests.functions.milestones import parts
from tests.functions.offers import accept, counter, settings


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def buyer(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def listing(seller: User) -> Listing:
    return factories.listing(seller, delivery_days=3, inspection_days=2)


@pytest.fixture
def made(listing: Listing, buyer: User) -> Offer:
    return factories.offer(listing, buyer, conditions="Keep the name.")


def test_freezes_everything_the_contract_will_say(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer
) -> None:
    contract = factories.accepted(made=made)

    terms = Terms.model_validate(contract.terms)
    assert (contract.status, contract.offer_id, contract.listing_id) == ("PENDING_PDF", made.id, listing.id)
    assert (contract.buyer_id, contract.seller_id) == (buyer.id, seller.id)
    for party, user in ((terms.buyer, buyer), (terms.seller, seller)):
        assert (party.user_id, party.discord_id, party.username) == (user.id, user.discord_id, user.username)
        assert (party.roblox_id, party.roblox_username) == (user.roblox_id, user.roblox_username)
    assert terms.seller.payout_account_id == seller.payout_account_id
    look = looks(listing)[-1]
    assert (terms.asset.type, terms.asset.id, terms.asset.name) == ("GROUP", listing.asset_id, look.name)
    assert (terms.asset.snapshot.id, terms.asset.snapshot.at) == (look.id, platform_clock.iso(look.at))
    assert (terms.asset.snapshot.owner_id, terms.asset.snapshot.member_count) == (seller.roblox_id, 1_200)
    assert (terms.amount, terms.gross, terms.seller_fee, terms.seller_receives) == (100_000, 100_000, 2_900, 97_100)
    assert (terms.currency, terms.rail, terms.conditions, terms.milestones) == ("USD", "STRIPE", "Keep the name.", ())
    assert terms.windows.model_dump() == {
        "sign_seconds": 72 * 3_600,
        "fund_seconds": 72 * 3_600,
        "deliver_seconds": 3 * 86_400,
        "inspect_seconds": 2 * 86_400,
    }
    assert (terms.contract_id, terms.escrow_id) == (contract.id, f"esc_{contract.ulid}")
    assert (terms.title, terms.summary, terms.category) == (listing.title, listing.summary, listing.category)
    assert contract.sign_by - contract.created_at == dt.timedelta(hours=72)
    assert terms.sign_by == platform_clock.iso(contract.sign_by)
    assert terms.accepted_at == platform_clock.iso(contract.created_at)
    assert (contract.gsi3pk, contract.next_look - contract.created_at) == ("DUE#CONTRACT", dt.timedelta(minutes=2))


def test_parts_are_frozen_as_they_were_offered(aws: Platform, seller: User, buyer: User, listing: Listing) -> None:
    made = factories.offer(listing, buyer, amount=100_000, milestones=parts(60_000, 40_000, asset=0))
    contract = factories.contract(factories.accepted(made=made))
    terms = Terms.model_validate(contract.terms)
    assert [(one.title, one.amount_cents, one.transfers_asset) for one in terms.milestones] == [
        ("Part 1", 60_000, True), ("Part 2", 40_000, False),
    ]  # fmt: skip
    assert contract.terms["milestones"] == made.milestones
    escrow = factories.executed(contract)
    rows = table.partition(f"ESCROW#{escrow.ulid}")
    kinds = [row.entity for row in rows]
    assert (kinds.count("Milestone"), kinds.count("Delivery"), escrow.parts) == (2, 2, 2)


def test_fees_are_those_of_the_settings(
    aws: Platform, seller: User, made: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = factories.terms_hash(made)
    settings(monkeypatch, buyer_fee_bps=150, seller_fee_bps=333)

    refused(aws, 409, "TERMS_CHANGED", "accept_offer", seller, {"termsHash": old}, offer_id=made.id)
    terms = Terms.model_validate(factories.accepted(made=made).terms)

    assert (terms.buyer_fee, terms.gross) == (1_500, 101_500)
    assert (terms.seller_fee, terms.seller_receives) == (3_330, 96_670)


def test_the_hash_covers_what_an_acceptor_reads(aws: Platform, seller: User, listing: Listing, made: Offer) -> None:
    view = aws.call("get_offer", seller, offer_id=made.id).body
    told = {
        "listingId": listing.id,
        "title": listing.title,
        "summary": listing.summary,
        "category": listing.category,
        "asset": {"type": "GROUP", "id": listing.asset_id},
        "amount": view["amount"],
        "currency": view["currency"],
        "conditions": view["conditions"],
        "milestones": [],
        "windows": view["windows"],
        **view["fees"],
    }

    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert view["termsHash"] == hashlib.sha256(text.encode()).hexdigest()


def test_refuses_another_hash(aws: Platform, seller: User, made: Offer) -> None:
    refused(aws, 409, "TERMS_CHANGED", "accept_offer", seller, {"termsHash": "0" * 64}, offer_id=made.id)


def test_refuses_terms_that_changed_since_they_were_seen(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer
) -> None:
    child = counter(aws, seller, made, 110_000)
    for change in ({"deliveryDays": 30}, {"inspectionDays": 1}, {"summary": "Another group"}):
        seen = {"termsHash": factories.terms_hash(child)}
        aws.call("update_listing", seller, change, listing_id=listing.id)

        refused(aws, 409, "TERMS_CHANGED", "accept_offer", buyer, seen, offer_id=child.id)
    assert accept(aws, buyer, child).status == 200


def test_refuses_parts_that_by_card_have_become_too_long(
    aws: Platform, seller: User, buyer: User, listing: Listing
) -> None:
    made = factories.offer(listing, buyer, amount=100_000, milestones=parts(60_000, 40_000))
    aws.call("update_listing", seller, {"deliveryDays": 30}, listing_id=listing.id)
    seen = {"termsHash": factories.terms_hash(made)}
    found = refused(aws, 422, "WINDOWS_TOO_LONG", "accept_offer", seller, seen, offer_id=made.id)
    assert (found.body["days"], found.body["limit"]) == (64, 60)


def test_a_new_price_leaves_the_terms_of_an_offer_alone(
    aws: Platform, seller: User, listing: Listing, made: Offer
) -> None:
    seen = {"termsHash": factories.terms_hash(made)}
    aws.call("update_listing", seller, {"price": 50_000}, listing_id=listing.id)

    answer = aws.call("accept_offer", seller, seen, offer_id=made.id)

    assert (answer.status, answer.body["offer"]["amount"]) == (200, 100_000)


def test_shows_the_hash_that_was_named_whatever_the_listing_says_later(
    aws: Platform, seller: User, made: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = accept(aws, seller, made).body["offer"]
    settings(monkeypatch, seller_fee_bps=500)

    later = aws.call("get_offer", seller, offer_id=made.id).body

    assert later["termsHash"] == view["termsHash"] == aws.audit(made.id)[-1].details["termsHash"]
    assert (later["fees"], later["windows"]) == (None, None)


def test_refuses_a_body_of_the_wrong_form(aws: Platform, seller: User, made: Offer, subtests: pytest.Subtests) -> None:
    for wrong in (
        {},
        {"termsHash": "A" * 64},
        {"termsHash": "0" * 63},
        {"termsHash": 0},
        {"termsHash": "0" * 64, "x": 1},
    ):
        with subtests.test(body=wrong):
            refused(aws, 400, "VALIDATION_ERROR", "accept_offer", seller, wrong, offer_id=made.id)
