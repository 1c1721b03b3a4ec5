"""An offer and its bargaining, as both sides read them and nobody else."""

import pytest

from bloxtr8.entities import Listing, Offer, User
from tests import factories
from tests.checks import refused
from tests.emulator import Clock, Platform
from tests.functions.offers import BAD_IDS, counter, shown


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


def test_shows_each_side_what_it_may_do(aws: Platform, seller: User, buyer: User, made: Offer) -> None:
    assert shown(aws, buyer, made) == ("PENDING", None, ["withdraw_offer"])
    assert shown(aws, seller, made) == ("PENDING", None, ["counter_offer", "accept_offer", "decline_offer"])


def test_shows_the_whole_chain_in_order_from_any_of_its_offers(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer
) -> None:
    child = counter(aws, seller, made, 110_000)
    grandchild = counter(aws, buyer, child, 105_000)

    for offer in (made, child, grandchild):
        view = aws.call("get_offer", buyer, offer_id=offer.id).body
        assert (view["id"], view["amount"], view["listingTitle"]) == (offer.id, offer.amount, listing.title)
        assert [one["id"] for one in view["chain"]] == [made.id, child.id, grandchild.id]
        assert [one["status"] for one in view["chain"]] == ["COUNTERED", "COUNTERED", "PENDING"]
        assert [one["proposedBy"] for one in view["chain"]] == ["BUYER", "SELLER", "BUYER"]
        assert [one["parentId"] for one in view["chain"]] == [None, made.id, child.id]
        assert [one["allowedActions"] for one in view["chain"]] == [[], [], ["withdraw_offer"]]


@pytest.mark.parametrize("written", [False, True])
def test_reads_expired_from_its_last_moment_on_written_or_not(
    aws: Platform, buyer: User, made: Offer, clock: Clock, written: bool
) -> None:
    clock.moment = made.expires_at - (made.expires_at - made.created_at) / 10**6
    assert shown(aws, buyer, made)[0] == "PENDING"
    clock.moment = made.expires_at
    if written:
        aws.invoke("expire_offers")

    assert shown(aws, buyer, made) == ("EXPIRED", None, [])


def test_reads_declined_with_its_listing(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer
) -> None:
    aws.call("cancel_listing", seller, listing_id=listing.id)

    assert shown(aws, buyer, made) == ("DECLINED", "LISTING_CANCELLED", [])


def test_what_was_declined_with_its_listing_does_not_expire_later(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer, clock: Clock
) -> None:
    aws.call("cancel_listing", seller, listing_id=listing.id)
    clock.advance(days=8)

    assert shown(aws, buyer, made)[:2] == ("DECLINED", "LISTING_CANCELLED")


def test_waits_with_a_listing_off_the_shelf(
    aws: Platform, seller: User, buyer: User, listing: Listing, made: Offer
) -> None:
    aws.call("deactivate_listing", seller, listing_id=listing.id)

    assert shown(aws, buyer, made) == ("PENDING", None, ["withdraw_offer"])
    assert shown(aws, seller, made) == ("PENDING", None, ["decline_offer"])


def test_is_unknown_to_others(aws: Platform, made: Offer) -> None:
    refused(aws, 404, "NOT_FOUND", "get_offer", factories.user(), offer_id=made.id)


def test_knows_no_other_ids(aws: Platform, buyer: User, made: Offer, subtests: pytest.Subtests) -> None:
    for offer_id in (*BAD_IDS, f"{made.id}-00", f"{made.id}-01"):
        with subtests.test(offer_id=offer_id):
            refused(aws, 404, "NOT_FOUND", "get_offer", buyer, offer_id=offer_id)
