"""What has expired is written down within one run of the job (M28)."""

import pytest

from bloxtr8 import table
from bloxtr8.entities import Listing, Offer, OfferStatus, User
from tests import factories
from tests.checks import everything_logged, together
from tests.emulator import Clock, Platform, client
from tests.functions.offers import accept, counter, listing_row, row


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def listing(seller: User) -> Listing:
    return factories.listing(seller)


def test_writes_what_expired_and_nothing_else(aws: Platform, listing: Listing, clock: Clock) -> None:
    old = factories.offer(listing, factories.user())
    clock.advance(days=6)
    young = factories.offer(listing, factories.user())
    clock.advance(days=1)

    aws.invoke("expire_offers")

    assert (row(old).status, row(old).gsi3pk) == (OfferStatus.EXPIRED, None)
    assert row(young).version == 1
    assert listing_row(listing).version == listing.version
    entry = aws.audit(old.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("expire_offer", "expire_offers", "SYSTEM")


def test_a_counter_expires_on_the_chain_of_its_root(
    aws: Platform, seller: User, listing: Listing, clock: Clock
) -> None:
    made = factories.offer(listing, factories.user())
    child = counter(aws, seller, made, 110_000)
    clock.advance(days=7, seconds=1)

    aws.invoke("expire_offers")

    assert (row(child).status, row(made).status) == (OfferStatus.EXPIRED, OfferStatus.COUNTERED)
    assert [entry.action for entry in aws.audit(made.id)] == ["make_offer", "counter_offer", "expire_offer"]


def test_what_died_with_its_listing_is_written_as_that(
    aws: Platform, seller: User, listing: Listing, clock: Clock
) -> None:
    made = factories.offer(listing, factories.user())
    aws.call("cancel_listing", seller, listing_id=listing.id)
    clock.advance(days=7)

    aws.invoke("expire_offers")

    assert (row(made).status, row(made).reason) == (OfferStatus.DECLINED, "LISTING_CANCELLED")
    assert aws.audit(made.id)[-1].action == "close_stale_offer"


def test_a_row_that_cannot_be_read_stops_no_other(aws: Platform, listing: Listing, clock: Clock) -> None:
    strange, made = (factories.offer(listing, factories.user()) for _ in range(2))
    dynamodb = client("dynamodb")
    key = {"PK": {"S": strange.pk}, "SK": {"S": strange.sk}}
    item = dynamodb.get_item(TableName="bloxtr8-local", Key=key)["Item"]
    dynamodb.put_item(TableName="bloxtr8-local", Item={**item, "status": {"S": "OF_ANOTHER_VERSION"}})
    clock.advance(days=7, seconds=1)

    with everything_logged() as lines:
        aws.invoke("expire_offers")

    assert row(made).status is OfferStatus.EXPIRED
    assert any("DUE#OFFER" in line for line in lines)


def test_a_second_run_writes_nothing(aws: Platform, listing: Listing, clock: Clock) -> None:
    factories.offer(listing, factories.user())
    clock.advance(days=7)
    aws.invoke("expire_offers")
    before = aws.rows()

    aws.invoke("expire_offers")

    assert aws.rows() == before


def test_two_runs_at_once_write_each_once(aws: Platform, listing: Listing, clock: Clock) -> None:
    made = [factories.offer(listing, factories.user()) for _ in range(3)]
    clock.advance(days=7)

    together(*[lambda: aws.invoke("expire_offers")] * 2)

    for offer in made:
        assert row(offer).status is OfferStatus.EXPIRED
        assert [entry.action for entry in aws.audit(offer.id)] == ["make_offer", "expire_offer"]


def test_a_row_that_fails_does_not_stop_the_others(
    aws: Platform, listing: Listing, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (factories.offer(listing, factories.user()) for _ in range(2))
    clock.advance(days=7)
    commit = table.commit

    def fails_for_the_first(root: Offer, *rows: Offer, **options: object) -> object:
        if root.id == first.id:
            raise RuntimeError("out of luck")
        return commit(root, *rows, **options)  # type: ignore[call-overload]

    with monkeypatch.context() as broken:
        broken.setattr(table, "commit", fails_for_the_first)
        aws.invoke("expire_offers")

    assert (row(first).status, row(second).status) == (OfferStatus.PENDING, OfferStatus.EXPIRED)


def test_an_accepted_offer_does_not_expire(aws: Platform, seller: User, listing: Listing, clock: Clock) -> None:
    made = factories.offer(listing, factories.user())
    accept(aws, seller, made)
    clock.advance(days=30)

    aws.invoke("expire_offers")

    assert row(made).status is OfferStatus.ACCEPTED
