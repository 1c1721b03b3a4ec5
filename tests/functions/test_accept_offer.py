"""Accepting reserves the listing, freezes the terms into a contract and counts the deal, all at once (M27, D29)."""

import itertools
import json
from typing import Any

import pytest

from bloxtr8 import table
from bloxtr8.documents.terms import Terms
from bloxtr8.entities import Contract, Listing, ListingStatus, Offer, OfferStatus, User
from bloxtr8.ids import ulid_of
from tests import factories
from tests.checks import refused
from tests.doubles import Roblox
from tests.emulator import Clock, Platform
from tests.functions.listings import looks, user_changed
from tests.functions.offers import BAD_IDS, accept, counter, listing_row, row, same_but, settings, shown, volume


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


def turned_down(aws: Platform, status: int, code: str, user: User, offer: Offer, **options: Any) -> Any:
    """An acceptance with the right hash that is refused, and writes nothing."""
    terms = {"termsHash": factories.terms_hash(offer)}
    return refused(aws, status, code, "accept_offer", user, terms, offer_id=offer.id, **options).body


# --- what it does


def test_reserves_the_listing_and_writes_the_contract(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer
) -> None:
    answer = accept(aws, seller, made)

    assert answer.status == 200
    view = answer.body
    assert (view["offer"]["status"], view["offer"]["allowedActions"]) == ("ACCEPTED", [])
    assert (view["offer"]["contractId"], view["listing"]["status"]) == (view["contractId"], "RESERVED")
    kept = row(made)
    assert (kept.status, kept.contract_id, kept.gsi3pk) == (OfferStatus.ACCEPTED, view["contractId"], None)
    reserved = listing_row(listing)
    assert (reserved.status, reserved.reserved_offer_id) == (ListingStatus.RESERVED, made.id)
    assert (reserved.offers_epoch, reserved.epoch_reason) == (listing.offers_epoch + 1, "LISTING_RESERVED")
    assert (reserved.gsi3pk, reserved.gsi4pk, reserved.gsi5pk) == (None, None, None)
    look = looks(listing)[-1]
    assert (look.verified, look.owner_id, reserved.snapshot["id"]) == (True, seller.roblox_id, look.id)
    assert (volume(seller), volume(buyer)) == ((100_000, 1), (100_000, 1))


def test_is_one_transaction_of_these_rows_and_one_audit_entry(aws: Platform, seller: User, made: Offer) -> None:
    before = aws.rows()

    contract = accept(aws, seller, made).body["contractId"]

    assert same_but(before, aws.rows()) == {"Offer", "Listing", "Snapshot", "Contract", "Deals", "AuditEntry"}
    entry = aws.audit(made.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("accept_offer", seller.id, "SELLER")
    assert entry.escrow_id == f"esc_{ulid_of(contract)}"
    assert entry.details == {"termsHash": row(made).terms_hash}
    assert {(one["type"], one["from"], one["to"]) for one in entry.changes} == {
        ("Offer", "PENDING", "ACCEPTED"),
        ("Listing", "ACTIVE", "RESERVED"),
        ("Deals", None, None),
    }
    assert [one["type"] for one in entry.created] == ["Snapshot", "Contract"]
    assert table.get(Contract, ulid=ulid_of(contract)).parent == entry.hash


def test_the_buyer_accepts_the_sellers_counter(aws: Platform, seller: User, buyer: User, made: Offer) -> None:
    child = counter(aws, seller, made, 110_000)

    answer = accept(aws, buyer, child)

    assert answer.status == 200
    assert answer.body["listing"]["allowedActions"] == []
    assert listing_row(made.listing_id).reserved_offer_id == child.id
    contract = table.get(Contract, ulid=ulid_of(answer.body["contractId"]))
    assert (contract.offer_id, contract.terms["amount"]) == (child.id, 110_000)
    assert [entry.action for entry in aws.audit(made.id)] == ["make_offer", "counter_offer", "accept_offer"]


def test_a_game_is_proven_by_its_group(aws: Platform, roblox: Roblox, seller: User, buyer: User) -> None:
    roblox.set_group("710", owner=seller)
    roblox.set_game("810", group="710")
    made = factories.offer(factories.listing(seller, asset_type="GAME", asset_id="810"), buyer)

    terms = Terms.model_validate(factories.accepted(made=made).terms)

    assert (terms.asset.type, terms.asset.snapshot.owner_id) == ("GAME", seller.roblox_id)


def test_every_other_offer_reads_declined_at_once(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer
) -> None:
    late = factories.user()
    other = factories.offer(listing, late)

    accept(aws, seller, made)

    assert shown(aws, late, other) == ("DECLINED", "LISTING_RESERVED", [])
    for action, user in (("withdraw_offer", late), ("decline_offer", seller)):
        answer = refused(aws, 409, "INVALID_STATE", action, user, offer_id=other.id)
        assert answer.body["currentStatus"] == "DECLINED"
    turned_down(aws, 409, "LISTING_RESERVED", seller, other)


# --- who


def test_is_unknown_to_others(aws: Platform, made: Offer) -> None:
    turned_down(aws, 404, "NOT_FOUND", factories.user(), made)


def test_is_not_for_the_side_that_proposed_it(aws: Platform, seller: User, buyer: User, made: Offer) -> None:
    turned_down(aws, 403, "FORBIDDEN", buyer, made)
    turned_down(aws, 403, "FORBIDDEN", seller, counter(aws, seller, made, 110_000))


def test_knows_no_other_ids(aws: Platform, seller: User, made: Offer, subtests: pytest.Subtests) -> None:
    for offer_id in (*BAD_IDS, f"{made.id}-00", f"{made.id}-01", f"{made.id}-1"):
        with subtests.test(offer_id=offer_id):
            refused(aws, 404, "NOT_FOUND", "accept_offer", seller, {"termsHash": "0" * 64}, offer_id=offer_id)


def test_refuses_while_either_side_may_not_deal(
    aws: Platform, seller: User, buyer: User, made: Offer, subtests: pytest.Subtests
) -> None:
    changes: list[tuple[str, dict[str, Any]]] = [
        ("BANNED", {"banned": True}),
        ("KYC_REQUIRED", {"tier": "TIER_0"}),
        ("KYC_REQUIRED", {"roblox_id": None, "roblox_username": None}),
    ]
    for person, (code, change) in itertools.product((seller, buyer), changes):
        with subtests.test(seller=person is seller, change=change):
            user_changed(person, **change)
            assert turned_down(aws, 403, code, seller, made)["userId"] == person.id
            user_changed(person, **{name: getattr(person, name) for name in change})
    assert accept(aws, seller, made).status == 200


@pytest.mark.parametrize("limit", ["t1_deal_cents", "t1_rolling_cents"])
def test_refuses_above_a_limit_of_either_side_and_names_whose(
    aws: Platform, seller: User, buyer: User, made: Offer, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    for person, other in ((seller, buyer), (buyer, seller)):
        user_changed(person, tier="TIER_1")
        user_changed(other, tier="TIER_2")
        settings(monkeypatch, **{limit: 99_999})

        problem = turned_down(aws, 403, "KYC_LIMIT", seller, made)

        assert (problem["userId"], problem["requiredTier"]) == (person.id, "TIER_2")
        told = json.dumps(problem)
        for secret in (person.username, person.discord_id, person.roblox_id, person.payout_account_id):
            assert str(secret) not in told
    settings(monkeypatch, **{limit: 100_000})
    assert accept(aws, seller, made).status == 200


def test_refuses_while_the_seller_can_not_be_paid(aws: Platform, seller: User, buyer: User, made: Offer) -> None:
    child = counter(aws, seller, made, 110_000)
    for change in ({"payouts_ready": False}, {"payout_account_id": None, "payouts_ready": True}):
        user_changed(seller, **change)

        turned_down(aws, 422, "PAYOUT_NOT_READY", buyer, child)


# --- when


def test_refuses_after_the_expiry_written_or_not(aws: Platform, seller: User, made: Offer, clock: Clock) -> None:
    clock.advance(days=7)
    assert turned_down(aws, 410, "OFFER_EXPIRED", seller, made)["currentStatus"] == "EXPIRED"

    aws.invoke("expire_offers")
    assert turned_down(aws, 410, "OFFER_EXPIRED", seller, made)["currentStatus"] == "EXPIRED"


def test_refuses_what_was_answered_already(aws: Platform, seller: User, listing: Listing) -> None:
    for action, status in (
        ("decline_offer", "DECLINED"),
        ("withdraw_offer", "WITHDRAWN"),
        ("counter_offer", "COUNTERED"),
    ):
        rival = factories.user()
        made = factories.offer(listing, rival)
        body = {"amount": 110_000} if action == "counter_offer" else None
        aws.call(action, rival if action == "withdraw_offer" else seller, body, offer_id=made.id)

        assert turned_down(aws, 409, "INVALID_STATE", seller, made)["currentStatus"] == status


def test_waits_while_the_listing_is_off_the_shelf(aws: Platform, seller: User, listing: Listing, made: Offer) -> None:
    aws.call("deactivate_listing", seller, listing_id=listing.id)

    assert turned_down(aws, 409, "LISTING_NOT_ACTIVE", seller, made)["currentStatus"] == "INACTIVE"

    aws.call("activate_listing", seller, listing_id=listing.id)
    assert accept(aws, seller, made).status == 200


def test_a_deal_that_fell_through_makes_nothing_alive_again(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer
) -> None:
    late = factories.user()
    other = factories.offer(listing, late)
    contract = factories.accepted(made=made)
    voided = aws.call("void_contract", buyer, {"reason": "I changed my mind."}, contract_id=contract.id)
    assert voided.status == 200, voided.body

    assert listing_row(listing).status is ListingStatus.ACTIVE
    assert (volume(seller), volume(buyer)) == ((0, 0), (0, 0))
    assert shown(aws, seller, made)[0] == "CANCELLED"
    assert shown(aws, late, other)[:2] == ("DECLINED", "LISTING_RESERVED")
    turned_down(aws, 409, "LISTING_RESERVED", seller, other)
    assert accept(aws, seller, factories.offer(listing, late)).status == 200


# --- the proof


def test_refuses_without_fresh_proof_that_the_seller_owns_it(
    aws: Platform, roblox: Roblox, seller: User, listing: Listing, made: Offer
) -> None:
    for group, code in (
        ({"owner": "999"}, "ASSET_NOT_OWNED"),
        ({"owner": None}, "ASSET_OWNERLESS"),
        ({"owner": seller, "locked": True}, "ASSET_LOCKED"),
    ):
        roblox.set_group(listing.asset_id, **group)

        turned_down(aws, 422, code, seller, made)

    roblox.set_group(listing.asset_id, locked=False)
    assert accept(aws, seller, made).status == 200


def test_an_outage_of_roblox_changes_nothing(aws: Platform, roblox: Roblox, seller: User, made: Offer) -> None:
    roblox.down()

    turned_down(aws, 502, "UPSTREAM_FAILED", seller, made)

    roblox.up()
    assert accept(aws, seller, made).status == 200


def test_roblox_is_not_asked_about_what_is_refused_anyway(
    aws: Platform, roblox: Roblox, buyer: User, seller: User, made: Offer
) -> None:
    roblox.down()

    turned_down(aws, 403, "FORBIDDEN", buyer, made)
    refused(aws, 409, "TERMS_CHANGED", "accept_offer", seller, {"termsHash": "0" * 64}, offer_id=made.id)


# --- the same request again


def test_the_same_key_gives_the_same_answer_once(aws: Platform, seller: User, made: Offer) -> None:
    key = {"Idempotency-Key": "k"}
    terms = {"termsHash": factories.terms_hash(made)}
    first = aws.call("accept_offer", seller, terms, offer_id=made.id, headers=key)
    before = aws.rows()

    again = aws.call("accept_offer", seller, terms, offer_id=made.id, headers=key)

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    assert aws.rows() == before


def test_honours_if_match(aws: Platform, seller: User, made: Offer) -> None:
    turned_down(aws, 412, "VERSION_MISMATCH", seller, made, headers={"If-Match": '"2"'})
    assert accept(aws, seller, made, headers={"If-Match": '"1"'}).status == 200
