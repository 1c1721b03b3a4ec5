"""The other side does not want it: the offer is DECLINED, the listing stays for sale (M28)."""

from typing import Any

import pytest

from bloxtr8.entities import Listing, Offer, OfferStatus, User
from tests import factories
from tests.checks import refused, together
from tests.emulator import Clock, Platform
from tests.functions.listings import user_changed
from tests.functions.offers import BAD_IDS, counter, listing_row, row, same_but, shown

ROUNDS = 3


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def buyer(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def listing(seller: User) -> Listing:
    return factories.listing(seller)


@pytest.fixture
def made(listing: Listing, buyer: User) -> Offer:
    return factories.offer(listing, buyer)


@pytest.mark.parametrize("body", [None, {}, {"reason": "Too low. 🤷"}])
def test_declines_with_or_without_a_reason(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer, body: Any
) -> None:
    before = aws.rows()

    answer = aws.call("decline_offer", seller, body, offer_id=made.id)

    reason = (body or {}).get("reason")
    assert (answer.status, answer.body["status"], answer.body["reason"]) == (200, "DECLINED", reason)
    assert answer.body["allowedActions"] == []
    assert same_but(before, aws.rows()) == {"Offer", "AuditEntry"}
    assert (row(made).status, row(made).gsi3pk) == (OfferStatus.DECLINED, None)
    assert shown(aws, buyer, made) == ("DECLINED", reason, [])
    assert listing_row(listing).version == listing.version
    entry = aws.audit(made.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("decline_offer", seller.id, "SELLER")


def test_the_buyer_declines_a_counter(aws: Platform, seller: User, buyer: User, made: Offer) -> None:
    child = counter(aws, seller, made, 110_000)

    assert aws.call("decline_offer", buyer, offer_id=child.id).body["status"] == "DECLINED"
    assert [(one.action, one.role) for one in aws.audit(made.id)][-1] == ("decline_offer", "BUYER")


def test_a_banned_side_may_still_decline(aws: Platform, seller: User, made: Offer) -> None:
    user_changed(seller, banned=True)

    assert aws.call("decline_offer", seller, offer_id=made.id).status == 200


def test_a_listing_off_the_shelf_keeps_nobody_from_declining(
    aws: Platform, seller: User, listing: Listing, made: Offer
) -> None:
    aws.call("deactivate_listing", seller, listing_id=listing.id)

    assert aws.call("decline_offer", seller, offer_id=made.id).status == 200


def test_is_not_for_the_side_that_proposed_it_nor_for_others(aws: Platform, buyer: User, made: Offer) -> None:
    refused(aws, 403, "FORBIDDEN", "decline_offer", buyer, offer_id=made.id)
    refused(aws, 404, "NOT_FOUND", "decline_offer", factories.user(), offer_id=made.id)


def test_refuses_a_dead_offer(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer, clock: Clock
) -> None:
    ended = factories.offer(listing, factories.user())
    aws.call("decline_offer", seller, offer_id=ended.id)
    answer = refused(aws, 409, "INVALID_STATE", "decline_offer", seller, offer_id=ended.id)
    assert answer.body["currentStatus"] == "DECLINED"
    clock.advance(days=7)
    refused(aws, 410, "OFFER_EXPIRED", "decline_offer", seller, offer_id=made.id)
    aws.invoke("expire_offers")
    refused(aws, 410, "OFFER_EXPIRED", "decline_offer", seller, offer_id=made.id)


def test_knows_no_other_ids(aws: Platform, seller: User, subtests: pytest.Subtests) -> None:
    for offer_id in BAD_IDS:
        with subtests.test(offer_id=offer_id):
            refused(aws, 404, "NOT_FOUND", "decline_offer", seller, offer_id=offer_id)


def test_refuses_a_body_of_the_wrong_form(aws: Platform, seller: User, made: Offer, subtests: pytest.Subtests) -> None:
    for wrong in ({"reason": ""}, {"reason": "x" * 1001}, {"reason": "\x00"}, {"reason": 1}, {"why": "so"}, [], "no"):
        with subtests.test(body=wrong):
            refused(aws, 400, "VALIDATION_ERROR", "decline_offer", seller, wrong, offer_id=made.id)


def test_honours_if_match(aws: Platform, seller: User, made: Offer) -> None:
    stale = {"If-Match": '"2"'}
    refused(aws, 412, "VERSION_MISMATCH", "decline_offer", seller, offer_id=made.id, headers=stale)
    assert aws.call("decline_offer", seller, offer_id=made.id, headers={"If-Match": '"1"'}).status == 200


def test_the_same_key_gives_the_same_answer_once(aws: Platform, seller: User, made: Offer) -> None:
    options: dict[str, Any] = {"offer_id": made.id, "headers": {"Idempotency-Key": "k"}}
    first = aws.call("decline_offer", seller, **options)
    before = aws.rows()

    again = aws.call("decline_offer", seller, **options)

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    assert aws.rows() == before


def test_of_decline_and_withdraw_at_once_one_wins(aws: Platform, seller: User, buyer: User, listing: Listing) -> None:
    for _ in range(ROUNDS):
        made = factories.offer(listing, buyer)
        answers = together(
            lambda made=made: aws.call("decline_offer", seller, offer_id=made.id),
            lambda made=made: aws.call("withdraw_offer", buyer, offer_id=made.id),
        )
        won, lost = sorted(answers, key=lambda answer: answer.status)
        assert (won.status, lost.status, lost.code) == (200, 409, "INVALID_STATE")
        assert row(made).status == won.body["status"] == lost.body["currentStatus"]
