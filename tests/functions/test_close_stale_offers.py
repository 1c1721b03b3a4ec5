"""What ended with its listing is written down; losing the event changes nothing that anybody reads (D3, M30)."""

from typing import Any

import pytest

from bloxtr8 import stale_offers
from bloxtr8.entities import Listing, Offer, OfferStatus, User
from tests import factories
from tests.checks import together
from tests.doubles import Roblox
from tests.emulator import Clock, Platform, template
from tests.functions.offers import accept, counter, row


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def listing(seller: User) -> Listing:
    return factories.listing(seller)


@pytest.fixture
def offers(listing: Listing) -> list[Offer]:
    return [factories.offer(listing, factories.user()) for _ in range(3)]


def event(aws: Platform, root_id: str) -> dict[str, Any]:
    """What dispatch_events sends for the latest entry of a root."""
    entry = aws.audit(root_id)[-1]
    changes, created = (
        [{"type": one["type"], "id": one["id"]} for one in told] for told in (entry.changes, entry.created)
    )
    named = {"rootId": entry.root_id, "seq": entry.seq, "action": entry.action, "escrowId": entry.escrow_id}
    detail = named | {"changes": changes, "created": created}
    return {"source": "bloxtr8", "detail-type": entry.action, "detail": detail}


def listens_to(action: str) -> bool:
    """Whether the rule of the template hands this action's event on."""
    rule = template()["Resources"]["CloseStaleOffersFunction"]["Properties"]["Events"]["OffersEnded"]["Properties"]
    return rule["Pattern"]["source"] == ["bloxtr8"] and action in rule["Pattern"]["detail-type"]


def test_closes_what_an_acceptance_ended(aws: Platform, seller: User, offers: list[Offer]) -> None:
    won, *lost = offers
    accept(aws, seller, won)
    told = event(aws, won.id)
    assert listens_to(told["detail-type"])

    aws.invoke("close_stale_offers", told)

    assert row(won).status is OfferStatus.ACCEPTED
    for offer in lost:
        kept = row(offer)
        assert (kept.status, kept.reason, kept.gsi3pk) == (OfferStatus.DECLINED, "LISTING_RESERVED", None)
        entry = aws.audit(offer.id)[-1]
        assert (entry.action, entry.actor, entry.role) == ("close_stale_offer", "close_stale_offers", "SYSTEM")


def test_closes_what_a_cancelled_listing_ended(
    aws: Platform, seller: User, listing: Listing, offers: list[Offer]
) -> None:
    child = counter(aws, seller, offers[0], 110_000)
    aws.call("cancel_listing", seller, listing_id=listing.id)
    told = event(aws, listing.id)
    assert listens_to(told["detail-type"])

    aws.invoke("close_stale_offers", told)

    assert row(offers[0]).status is OfferStatus.COUNTERED
    assert {(row(one).status, row(one).reason) for one in (child, *offers[1:])} == {
        (OfferStatus.DECLINED, "LISTING_CANCELLED")
    }


def test_closes_what_the_loss_of_the_asset_ended(
    aws: Platform, roblox: Roblox, seller: User, listing: Listing, offers: list[Offer], clock: Clock
) -> None:
    roblox.set_group(listing.asset_id, owner="999")
    for _ in range(2):
        clock.advance(minutes=6)
        aws.call("verify_listing", seller, listing_id=listing.id)
    told = event(aws, listing.id)
    assert listens_to(told["detail-type"])

    aws.invoke("close_stale_offers", told)

    assert {row(offer).reason for offer in offers} == {"ASSET_LOST"}


def test_closes_what_a_new_owners_listing_ended(
    aws: Platform, roblox: Roblox, listing: Listing, offers: list[Offer]
) -> None:
    owner = factories.user()
    roblox.set_group(listing.asset_id, owner=owner)
    told = event(aws, factories.listing(owner, asset_id=listing.asset_id).id)
    assert listens_to(told["detail-type"])

    aws.invoke("close_stale_offers", told)

    assert {row(offer).reason for offer in offers} == {"ASSET_LOST"}


def test_leaves_the_offers_of_a_listing_that_lives_alone(
    aws: Platform, seller: User, listing: Listing, offers: list[Offer], clock: Clock
) -> None:
    clock.advance(days=8)
    aws.call("verify_listing", seller, listing_id=listing.id)
    before = aws.rows()

    aws.invoke("close_stale_offers", event(aws, listing.id))

    assert aws.rows() == before


def test_a_second_delivery_and_two_at_once_write_each_once(aws: Platform, seller: User, offers: list[Offer]) -> None:
    accept(aws, seller, offers[0])
    told = event(aws, offers[0].id)

    together(*[lambda: aws.invoke("close_stale_offers", told)] * 2)
    before = aws.rows()
    aws.invoke("close_stale_offers", told)

    assert aws.rows() == before
    for offer in offers[1:]:
        assert [entry.action for entry in aws.audit(offer.id)] == ["make_offer", "close_stale_offer"]


def test_is_bounded_and_goes_through_several_pages(
    aws: Platform, seller: User, listing: Listing, offers: list[Offer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale_offers, "PAGE", 1)
    monkeypatch.setattr(stale_offers, "PAGES", 2)
    aws.call("cancel_listing", seller, listing_id=listing.id)

    aws.invoke("close_stale_offers", event(aws, listing.id))

    assert [row(offer).status for offer in offers] == ["PENDING", "DECLINED", "DECLINED"]
