"""Of two who act on one listing, one offer or one cap at the same moment exactly one wins (M27, M28, M04)."""

from typing import Any

import pytest

from bloxtr8.entities import OfferStatus, User
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions.offers import accept, listing_row, row, settings, shown, volume

ROUNDS = 3


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def buyer(aws: Platform) -> User:
    return factories.user()


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
