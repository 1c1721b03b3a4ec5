"""The side that proposed it takes it back (M28)."""

from typing import Any

import pytest

from bloxtr8.entities import Listing, Offer, OfferStatus, User
from tests import factories
from tests.checks import refused
from tests.emulator import Clock, Platform
from tests.functions.listings import user_changed
from tests.functions.offers import BAD_IDS, accept, counter, row, same_but, shown


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


def test_takes_it_back(aws: Platform, seller: User, buyer: User, made: Offer) -> None:
    before = aws.rows()

    answer = aws.call("withdraw_offer", buyer, {"reason": "I found another group."}, offer_id=made.id)

    assert (answer.status, answer.body["status"]) == (200, "WITHDRAWN")
    assert same_but(before, aws.rows()) == {"Offer", "AuditEntry"}
    assert (row(made).status, row(made).gsi3pk) == (OfferStatus.WITHDRAWN, None)
    assert shown(aws, seller, made) == ("WITHDRAWN", "I found another group.", [])
    entry = aws.audit(made.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("withdraw_offer", buyer.id, "BUYER")


def test_the_seller_takes_a_counter_back_and_the_parent_stays_countered(
    aws: Platform, seller: User, buyer: User, made: Offer
) -> None:
    child = counter(aws, seller, made, 110_000)

    assert aws.call("withdraw_offer", seller, offer_id=child.id).body["status"] == "WITHDRAWN"

    assert shown(aws, buyer, made)[0] == "COUNTERED"


def test_a_banned_side_may_still_withdraw(aws: Platform, buyer: User, made: Offer) -> None:
    user_changed(buyer, banned=True)

    assert aws.call("withdraw_offer", buyer, offer_id=made.id).status == 200


def test_is_not_for_the_other_side_nor_for_others(aws: Platform, seller: User, made: Offer) -> None:
    refused(aws, 403, "FORBIDDEN", "withdraw_offer", seller, offer_id=made.id)
    refused(aws, 404, "NOT_FOUND", "withdraw_offer", factories.user(), offer_id=made.id)


def test_refuses_an_accepted_offer(aws: Platform, seller: User, buyer: User, made: Offer) -> None:
    accept(aws, seller, made)

    answer = refused(aws, 409, "INVALID_STATE", "withdraw_offer", buyer, offer_id=made.id)

    assert answer.body["currentStatus"] == "ACCEPTED"


def test_refuses_a_dead_offer(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer, clock: Clock
) -> None:
    clock.advance(days=7)
    refused(aws, 410, "OFFER_EXPIRED", "withdraw_offer", buyer, offer_id=made.id)
    fresh = factories.offer(listing, buyer)
    aws.call("cancel_listing", seller, listing_id=listing.id)
    answer = refused(aws, 409, "INVALID_STATE", "withdraw_offer", buyer, offer_id=fresh.id)
    assert answer.body["currentStatus"] == "DECLINED"


def test_knows_no_other_ids(aws: Platform, buyer: User, subtests: pytest.Subtests) -> None:
    for offer_id in BAD_IDS:
        with subtests.test(offer_id=offer_id):
            refused(aws, 404, "NOT_FOUND", "withdraw_offer", buyer, offer_id=offer_id)


def test_refuses_a_body_of_the_wrong_form(aws: Platform, buyer: User, made: Offer, subtests: pytest.Subtests) -> None:
    for wrong in ({"reason": " "}, {"reason": "x" * 1001}, {"reason": "\x00"}, {"reason": 1.5}, {"why": "so"}):
        with subtests.test(body=wrong):
            refused(aws, 400, "VALIDATION_ERROR", "withdraw_offer", buyer, wrong, offer_id=made.id)


def test_honours_if_match(aws: Platform, buyer: User, made: Offer) -> None:
    stale = {"If-Match": '"9"'}
    refused(aws, 412, "VERSION_MISMATCH", "withdraw_offer", buyer, offer_id=made.id, headers=stale)
    assert aws.call("withdraw_offer", buyer, offer_id=made.id, headers={"If-Match": '"1"'}).status == 200


def test_the_same_key_gives_the_same_answer_once(aws: Platform, buyer: User, made: Offer) -> None:
    options: dict[str, Any] = {"offer_id": made.id, "headers": {"Idempotency-Key": "k"}}
    first = aws.call("withdraw_offer", buyer, **options)
    before = aws.rows()

    again = aws.call("withdraw_offer", buyer, **options)

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    assert aws.rows() == before
