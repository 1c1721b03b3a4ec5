"""Accepting reserves the listing, freezes the terms into a contract and counts the deal, all at once (M27, D29)."""

import datetime as dt
import hashlib
import itertools
import json
from typing import Any

import pytest

from bloxtr8 import clock as platform_clock
from bloxtr8 import table
from bloxtr8.documents.terms import Terms
from bloxtr8.entities import Contract, Listing, ListingStatus, Offer, OfferStatus, User
from bloxtr8.ids import ulid_of
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Clock, Platform
from tests.functions.listings import looks, user_changed
from tests.functions.offers import BAD_IDS, accept, counter, listing_row, row, same_but, settings, shown, volume

ROUNDS = 3


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


def test_freezes_everything_the_contract_will_say(
    aws: Platform, roblox: Roblox, seller: User, buyer: User, listing: Listing, made: Offer, clock: Clock
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


def test_fees_are_those_of_the_settings(
    aws: Platform, seller: User, made: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = factories.terms_hash(made)
    settings(monkeypatch, buyer_fee_bps=150, seller_fee_bps=333)

    refused(aws, 409, "TERMS_CHANGED", "accept_offer", seller, {"termsHash": old}, offer_id=made.id)
    terms = Terms.model_validate(factories.accepted(made=made).terms)

    assert (terms.buyer_fee, terms.gross) == (1_500, 101_500)
    assert (terms.seller_fee, terms.seller_receives) == (3_330, 96_670)


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


# --- the terms


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


# --- at once


def test_of_two_offers_accepted_at_once_one_gets_the_listing(aws: Platform, seller: User) -> None:
    for _ in range(ROUNDS):
        listing = factories.listing(seller)
        rivals = [factories.offer(listing, factories.user()) for _ in range(2)]
        before = volume(seller)[1]
        answers = together(*(lambda offer=offer: accept(aws, seller, offer) for offer in rivals))
        won, lost = sorted(answers, key=lambda answer: answer.status)
        assert (won.status, lost.status, lost.code) == (200, 409, "LISTING_RESERVED")
        assert listing_row(listing).reserved_offer_id == won.body["offer"]["id"]
        assert volume(seller)[1] == before + 1


def test_of_two_acceptances_of_one_offer_one_wins(aws: Platform, seller: User, buyer: User) -> None:
    for _ in range(ROUNDS):
        made = factories.offer(factories.listing(seller), buyer)
        won, lost = sorted(
            together(*[lambda made=made: accept(aws, seller, made)] * 2), key=lambda answer: answer.status
        )
        assert (won.status, lost.status, lost.code) == (200, 409, "INVALID_STATE")
        assert lost.body["currentStatus"] == "ACCEPTED"
        assert row(made).contract_id == won.body["contractId"]


@pytest.mark.parametrize(("rival", "body"), [("withdraw_offer", None), ("counter_offer", {"amount": 110_000})])
def test_of_accept_and_another_answer_at_once_one_wins(
    aws: Platform, seller: User, buyer: User, rival: str, body: Any
) -> None:
    user = buyer if rival == "withdraw_offer" else seller
    for _ in range(ROUNDS):
        made = factories.offer(factories.listing(seller), buyer)
        accepted, other = together(
            lambda made=made: accept(aws, seller, made),
            lambda made=made: aws.call(rival, user, body, offer_id=made.id),
        )
        assert {accepted.status < 300, other.status < 300} == {True, False}
        loser = other if accepted.status == 200 else accepted
        assert (loser.status, loser.code) == (409, "INVALID_STATE")
        assert (row(made).status is OfferStatus.ACCEPTED) == (accepted.status == 200)
        assert (row(made).contract_id is not None) == (accepted.status == 200)


def test_of_accept_and_cancel_listing_at_once_one_wins(aws: Platform, seller: User, buyer: User) -> None:
    for _ in range(ROUNDS):
        listing = factories.listing(seller)
        made = factories.offer(listing, buyer)
        accepted, cancelled = together(
            lambda made=made: accept(aws, seller, made),
            lambda listing=listing: aws.call("cancel_listing", seller, listing_id=listing.id),
        )
        if accepted.status == 200:
            assert (cancelled.status, cancelled.code) == (409, "LISTING_RESERVED")
        else:
            assert (cancelled.status, accepted.status, accepted.code) == (200, 409, "INVALID_STATE")
            assert shown(aws, buyer, made)[:2] == ("DECLINED", "LISTING_CANCELLED")


def test_two_deals_at_once_can_not_squeeze_under_one_cap(
    aws: Platform, buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(1, ROUNDS + 1):
        rivals = [(one := factories.user(), factories.offer(factories.listing(one), buyer)) for _ in range(2)]
        settings(monkeypatch, t1_rolling_cents=n * 100_000 + 99_999)
        answers = together(*(lambda pair=pair: accept(aws, *pair) for pair in rivals))
        won, lost = sorted(answers, key=lambda answer: answer.status)
        assert (won.status, lost.status, lost.code) == (200, 403, "KYC_LIMIT")
        assert lost.body["userId"] == buyer.id
        assert volume(buyer) == (n * 100_000, n)
        settings(monkeypatch, t1_rolling_cents=2_500_000)
