"""A look at the asset on Roblox: one a minute, kept where it tells something; two without proof end the listing (M19,
M21)."""

import datetime as dt
from typing import Any

import pytest

from bloxtr8.entities import Listing, ListingStatus, User
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Clock, Platform
from tests.functions.listings import BAD_IDS, body, guard, looks, moved, row, user_changed

LOSSES: list[dict[str, Any]] = [{"owner": "999"}, {"owner": None}, {"locked": True}]


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def listing(seller: User, clock: Clock) -> Listing:
    """A listing that was last looked at two minutes ago."""
    made = factories.listing(seller)
    clock.advance(minutes=2)
    return made


def test_keeps_what_roblox_shows_now(
    aws: Platform, roblox: Roblox, clock: Clock, seller: User, listing: Listing
) -> None:
    clock.advance(days=1)
    roblox.set_group(listing.asset_id, members=5)
    began = clock.moment

    answer = aws.call("verify_listing", seller, listing_id=listing.id)

    assert answer.status == 201
    shown = {"groupId": listing.asset_id, "owner": seller.roblox_id, "memberCount": 5, "verified": True}
    assert shown.items() <= answer.body.items()
    assert answer.body["metadata"]["publicEntryAllowed"] is True
    kept = row(listing)
    assert (kept.status, kept.version, kept.snapshot) == (ListingStatus.ACTIVE, 2, answer.body)
    assert kept.verified_at >= began
    assert kept.next_look - kept.verified_at >= dt.timedelta(hours=6)
    assert [look.member_count for look in looks(listing)] == [1_200, 5]
    entry = aws.audit(listing.id)[-1]
    assert (entry.action, entry.actor) == ("verify_listing", seller.id)
    assert entry.created == [{"type": "Snapshot", "id": answer.body["id"]}]


def test_what_shows_the_same_owner_is_not_kept_again_within_the_day(
    aws: Platform, roblox: Roblox, clock: Clock, seller: User, listing: Listing
) -> None:
    """What it shows else is told and shown all the same; another owner is kept, and that he went."""
    (first,) = looks(listing)
    for members in (5, 6):
        roblox.set_group(listing.asset_id, members=members)
        answer = aws.call("verify_listing", seller, listing_id=listing.id)
        assert (answer.body["id"], answer.body["memberCount"]) == (first.id, members)
        assert (row(listing).snapshot, len(looks(listing))) == (answer.body, 1)
        clock.advance(minutes=1)
    for owner in ("999", seller):
        roblox.set_group(listing.asset_id, owner=owner)
        aws.call("verify_listing", seller, listing_id=listing.id)
        clock.advance(minutes=1)
    assert [look.owner_id for look in looks(listing)] == [seller.roblox_id, "999", seller.roblox_id]


def test_looks_once_a_minute(aws: Platform, clock: Clock, seller: User) -> None:
    listing = factories.listing(seller)
    clock.advance(seconds=20)

    answer = refused(aws, 429, "RATE_LIMITED", "verify_listing", seller, listing_id=listing.id)

    assert answer.headers["Retry-After"] == "40"
    clock.advance(seconds=40)
    assert aws.call("verify_listing", seller, listing_id=listing.id).status == 201


def test_a_look_that_is_due_is_offered(aws: Platform, seller: User, listing: Listing) -> None:
    (mine,) = aws.call("list_my_listings", seller).body["items"]
    assert "verify_listing" in mine["allowedActions"]

    aws.call("verify_listing", seller, listing_id=listing.id)

    (mine,) = aws.call("list_my_listings", seller).body["items"]
    assert "verify_listing" not in mine["allowedActions"]


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_one_look_without_proof_only_suspends_it(
    aws: Platform, roblox: Roblox, clock: Clock, seller: User, listing: Listing, loss: dict[str, Any]
) -> None:
    roblox.set_group(listing.asset_id, **loss)

    answer = aws.call("verify_listing", seller, listing_id=listing.id)

    assert (answer.status, answer.body["verified"]) == (201, False)
    kept = row(listing)
    assert (kept.status, kept.offers_epoch, kept.verified_at) == (ListingStatus.ACTIVE, 0, None)
    assert guard(listing.asset_id) is not None
    assert kept.next_look - kept.lost_seen_at == dt.timedelta(minutes=5)
    clock.advance(minutes=4)
    aws.call("verify_listing", seller, listing_id=listing.id)
    assert row(listing).status is ListingStatus.ACTIVE


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_second_one_five_minutes_later_ends_it(
    aws: Platform, roblox: Roblox, clock: Clock, seller: User, listing: Listing, loss: dict[str, Any]
) -> None:
    roblox.set_group(listing.asset_id, **loss)
    aws.call("verify_listing", seller, listing_id=listing.id)
    clock.advance(minutes=5)

    answer = aws.call("verify_listing", seller, listing_id=listing.id)

    assert (answer.status, answer.body["verified"]) == (201, False)
    kept = row(listing)
    assert (kept.status, kept.reason) == (ListingStatus.INACTIVE, "ASSET_LOST")
    assert (kept.offers_epoch, kept.epoch_reason, kept.lost_seen_at) == (1, "ASSET_LOST", None)
    assert (kept.gsi3pk, kept.gsi4pk, kept.gsi5pk) == (None, None, None)
    assert guard(listing.asset_id) is None
    (change,) = aws.audit(listing.id)[-1].changes
    assert (change["from"], change["to"]) == ("ACTIVE", "INACTIVE")


def test_an_asset_roblox_no_longer_knows_is_lost_too(
    aws: Platform, roblox: Roblox, clock: Clock, seller: User, listing: Listing
) -> None:
    roblox.forget_group(listing.asset_id)
    answer = aws.call("verify_listing", seller, listing_id=listing.id)
    assert (answer.status, answer.body["owner"], answer.body["source"]) == (201, None, "NONE")
    clock.advance(minutes=5)

    aws.call("verify_listing", seller, listing_id=listing.id)

    assert row(listing).reason == "ASSET_LOST"


def test_proof_between_two_looks_without_it_begins_again(
    aws: Platform, roblox: Roblox, clock: Clock, seller: User, listing: Listing
) -> None:
    for owner in ("999", seller, "999"):
        roblox.set_group(listing.asset_id, owner=owner)
        assert aws.call("verify_listing", seller, listing_id=listing.id).status == 201
        clock.advance(minutes=10)

    assert (row(listing).status, row(listing).offers_epoch) == (ListingStatus.ACTIVE, 0)


def test_a_seller_who_unlinked_roblox_proves_nothing(aws: Platform, seller: User, listing: Listing) -> None:
    user_changed(seller, roblox_id=None)

    assert aws.call("verify_listing", seller, listing_id=listing.id).body["verified"] is False


def test_what_is_lost_stays_lost_once(
    aws: Platform, roblox: Roblox, clock: Clock, seller: User, listing: Listing
) -> None:
    roblox.set_group(listing.asset_id, owner="999")
    for _ in range(4):
        aws.call("verify_listing", seller, listing_id=listing.id)
        clock.advance(minutes=6)

    assert (row(listing).reason, row(listing).offers_epoch) == ("ASSET_LOST", 1)
    assert len(looks(listing)) == 3  # the seller's, the first without proof, and the one that ended it


def test_never_touches_an_open_deal(
    aws: Platform, roblox: Roblox, clock: Clock, seller: User, listing: Listing
) -> None:
    moved(listing, ListingStatus.RESERVED)
    roblox.set_group(listing.asset_id, owner="999")
    for _ in range(2):
        assert aws.call("verify_listing", seller, listing_id=listing.id).body["verified"] is False
        clock.advance(minutes=6)

    assert (row(listing).status, row(listing).offers_epoch) == (ListingStatus.RESERVED, 0)
    assert guard(listing.asset_id) is not None


def test_looks_at_what_was_never_verified(aws: Platform, roblox: Roblox, seller: User) -> None:
    roblox.set_group("7000001", owner=seller)
    roblox.down()
    waiting = aws.call("create_listing", seller, body()).body
    roblox.up()

    answer = aws.call("verify_listing", seller, listing_id=waiting["id"])

    assert (answer.status, answer.body["verified"]) == (201, True)
    assert row(waiting["id"]).status is ListingStatus.INACTIVE


def test_writes_nothing_while_roblox_is_down(aws: Platform, roblox: Roblox, seller: User, listing: Listing) -> None:
    roblox.down()

    refused(aws, 502, "UPSTREAM_FAILED", "verify_listing", seller, listing_id=listing.id)

    roblox.up()
    assert aws.call("verify_listing", seller, listing_id=listing.id).status == 201


def test_support_may_look_for_a_seller(aws: Platform, seller: User, listing: Listing) -> None:
    support = factories.user(platform_roles=frozenset({"SUPPORT"}))

    answer = aws.call("verify_listing", support, listing_id=listing.id)

    assert (answer.status, answer.body["verified"], answer.body["owner"]) == (201, True, seller.roblox_id)
    assert aws.audit(listing.id)[-1].actor == support.id


@pytest.mark.parametrize("roles", [set(), {"ARBITER", "COMPLIANCE", "PADMIN"}])
def test_is_not_for_others(aws: Platform, listing: Listing, roles: set[str]) -> None:
    other = factories.user(platform_roles=frozenset(roles))

    refused(aws, 403, "FORBIDDEN", "verify_listing", other, listing_id=listing.id)
    refused(aws, 401, "UNAUTHENTICATED", "verify_listing", listing_id=listing.id)


@pytest.mark.parametrize(("status", "code"), [(ListingStatus.SOLD, "SOLD"), (ListingStatus.REMOVED, "INVALID_STATE")])
def test_refuses_what_is_over(aws: Platform, seller: User, listing: Listing, status: ListingStatus, code: str) -> None:
    moved(listing, status)

    refused(aws, 409, code, "verify_listing", seller, listing_id=listing.id)


def test_knows_no_other_ids(aws: Platform, seller: User, subtests: pytest.Subtests) -> None:
    for listing_id in BAD_IDS:
        with subtests.test(repr(listing_id)[:60]):
            refused(aws, 404, "NOT_FOUND", "verify_listing", seller, listing_id=listing_id)


def test_honours_if_match(aws: Platform, seller: User, listing: Listing) -> None:
    stale = {"If-Match": '"7"'}

    refused(aws, 412, "VERSION_MISMATCH", "verify_listing", seller, headers=stale, listing_id=listing.id)


def test_a_repeated_key_replays_the_first_answer(aws: Platform, seller: User, listing: Listing) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = aws.call("verify_listing", seller, headers=key, listing_id=listing.id)

    again = aws.call("verify_listing", seller, headers=key, listing_id=listing.id)

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (201, first.body, "true")
    assert row(listing).version == 2


def test_of_two_looks_at_once_one_is_kept(aws: Platform, clock: Clock, seller: User, listing: Listing) -> None:
    for number in range(3):
        answers = together(*[lambda: aws.call("verify_listing", seller, listing_id=listing.id)] * 2)

        assert sorted(answer.status for answer in answers) == [201, 429]
        assert row(listing).version == number + 2
        clock.advance(minutes=1)
