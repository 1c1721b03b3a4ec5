"""Only what Roblox shows to be the seller's becomes ACTIVE (M18), and an asset has one live listing (M20)."""

import datetime as dt
from typing import Any

import pytest

from bloxtr8 import clock as platform_clock
from bloxtr8.entities import ListingStatus, Tier
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Clock, Platform
from tests.functions.listings import body, guard, looks, moved, row, user_changed
from tests.wire import Wire

GROUP = "7000001"


def test_lists_a_group_that_roblox_shows_to_be_the_sellers(aws: Platform, roblox: Roblox) -> None:
    seller = factories.user()
    roblox.set_group(GROUP, owner=seller, members=4_321, name="Skyline Racers")

    answer = aws.call("create_listing", seller, body(deliveryDays=3))

    assert answer.status == 201
    view = answer.body
    assert (view["status"], view["reason"], view["price"], view["version"]) == ("ACTIVE", None, 120_000, 1)
    assert (view["deliveryDays"], view["inspectionDays"]) == (3, 7)
    assert view["allowedActions"] == ["deactivate_listing", "update_listing", "cancel_listing"]
    shown = {"groupId": GROUP, "owner": seller.roblox_id, "memberCount": 4_321, "verified": True, "locked": False}
    assert shown.items() <= view["snapshot"].items()
    assert view["verifiedAt"] == view["snapshot"]["at"]
    kept = row(view["id"])
    (look,) = looks(kept)
    assert (look.id, look.verified, look.owner_id) == (view["snapshot"]["id"], True, seller.roblox_id)
    held = guard(GROUP)
    assert held is not None
    assert (held.listing_id, held.seller_id) == (kept.id, seller.id)
    assert kept.gsi4pk == "BROWSE"
    assert (kept.gsi5pk, kept.gsi5sk) == ("BROWSE#5", f"000000120000#{kept.id}")
    assert (kept.gsi3pk, kept.gsi3sk) == ("DUE#LISTING", platform_clock.iso(kept.next_look))
    assert kept.next_look - kept.verified_at == pytest.approx(dt.timedelta(hours=6), abs=dt.timedelta(seconds=1))
    (entry,) = aws.audit(kept.id)
    assert (entry.action, entry.actor, entry.role) == ("create_listing", seller.id, "SELLER")
    assert [made["type"] for made in entry.created] == ["Listing", "Snapshot", "AssetGuard"]
    assert entry.created[2]["id"] == f"ASSET#GROUP#{GROUP}/LIVE"


@pytest.mark.parametrize(("holder", "group_id"), [("user", None), ("group", "7000009")])
def test_lists_a_game_of_the_seller_or_of_his_group(
    aws: Platform, roblox: Roblox, holder: str, group_id: str | None
) -> None:
    seller = factories.user()
    roblox.set_group("7000009", owner=seller, members=12)
    roblox.set_game("8000001", **{holder: seller if group_id is None else group_id})

    answer = aws.call("create_listing", seller, body(assetType="GAME", assetId="8000001"))

    assert answer.status == 201, answer.body
    assert answer.body["status"] == "ACTIVE"
    assert answer.body["snapshot"]["groupId"] == group_id
    assert guard("8000001", "GAME") is not None


@pytest.mark.parametrize(
    ("group", "code"),
    [
        ({"owner": "999"}, "ASSET_NOT_OWNED"),
        ({"owner": None}, "ASSET_OWNERLESS"),
        ({"owner": "the seller", "locked": True}, "ASSET_LOCKED"),
        (None, "ASSET_NOT_FOUND"),
    ],
)
def test_refuses_what_roblox_does_not_show_to_be_the_sellers(
    aws: Platform, roblox: Roblox, group: dict[str, Any] | None, code: str
) -> None:
    seller = factories.user()
    if group is not None:
        owner = seller if group["owner"] == "the seller" else group["owner"]
        roblox.set_group(GROUP, **{**group, "owner": owner})

    refused(aws, 422, code, "create_listing", seller, body())


def test_waits_inactive_and_holds_nothing_while_roblox_is_down(aws: Platform, roblox: Roblox) -> None:
    seller = factories.user()
    roblox.down()

    answer = aws.call("create_listing", seller, body())

    assert answer.status == 201
    assert (answer.body["status"], answer.body["reason"]) == ("INACTIVE", "VERIFICATION_PENDING")
    assert (answer.body["snapshot"], answer.body["verifiedAt"]) == (None, None)
    kept = row(answer.body["id"])
    assert (kept.gsi3pk, kept.gsi4pk, kept.gsi5pk) == (None, None, None)
    assert guard(GROUP) is None
    assert looks(kept) == []


def test_refuses_an_asset_the_seller_has_listed_already(aws: Platform) -> None:
    seller = factories.user()
    live = factories.listing(seller)

    answer = refused(aws, 409, "ASSET_ALREADY_LISTED", "create_listing", seller, body(assetId=live.asset_id))

    assert answer.body["listingId"] == live.id


def test_refuses_an_asset_another_has_listed_while_roblox_shows_it_to_be_his(aws: Platform) -> None:
    live = factories.listing(factories.user())

    refused(aws, 409, "ASSET_ALREADY_LISTED", "create_listing", factories.user(), body(assetId=live.asset_id))


def test_a_proven_owner_takes_the_asset_over_from_another_listing(aws: Platform, roblox: Roblox) -> None:
    before, now = factories.user(), factories.user()
    lost = factories.listing(before)
    roblox.set_group(lost.asset_id, owner=now)

    answer = aws.call("create_listing", now, body(assetId=lost.asset_id))

    assert (answer.status, answer.body["status"]) == (201, "ACTIVE")
    held = guard(lost.asset_id)
    assert held is not None
    assert (held.listing_id, held.seller_id) == (answer.body["id"], now.id)
    kept = row(lost)
    assert (kept.status, kept.reason, kept.epoch_reason) == (ListingStatus.INACTIVE, "ASSET_LOST", "ASSET_LOST")
    assert (kept.offers_epoch, kept.verified_at, kept.gsi4pk) == (lost.offers_epoch + 1, None, None)
    (entry,) = aws.audit(answer.body["id"])
    assert {"type": "Listing", "id": lost.id, "from": "ACTIVE", "to": "INACTIVE", "version": 2} in entry.changes


def test_refuses_to_take_an_asset_out_of_an_open_deal(aws: Platform, roblox: Roblox) -> None:
    now = factories.user()
    listing = moved(factories.listing(factories.user()), ListingStatus.RESERVED)
    roblox.set_group(listing.asset_id, owner=now)

    refused(aws, 409, "ASSET_ALREADY_LISTED", "create_listing", now, body(assetId=listing.asset_id))


def test_an_asset_whose_listing_ended_can_be_listed_again(aws: Platform) -> None:
    seller = factories.user()
    ended = factories.listing(seller)
    assert aws.call("cancel_listing", seller, listing_id=ended.id).status == 200

    answer = aws.call("create_listing", seller, body(assetId=ended.asset_id))

    assert (answer.status, answer.body["status"]) == (201, "ACTIVE")


def test_refuses_without_a_linked_roblox_account_and_names_the_tier(aws: Platform, roblox: Roblox) -> None:
    person = factories.newcomer()
    roblox.set_group(GROUP, owner="1")

    answer = refused(aws, 403, "KYC_REQUIRED", "create_listing", person, body())

    assert answer.body["requiredTier"] == "TIER_1"


def test_refuses_a_tier_that_staff_granted_while_no_roblox_account_is_linked(aws: Platform, roblox: Roblox) -> None:
    person = factories.newcomer(tier=Tier.TIER_2)
    roblox.set_group(GROUP, owner="1")

    refused(aws, 422, "ASSET_NOT_OWNED", "create_listing", person, body())


@pytest.mark.parametrize("hours", [None, 1])
def test_refuses_the_banned_until_the_ban_ends(aws: Platform, roblox: Roblox, clock: Clock, hours: int | None) -> None:
    seller = factories.user()
    roblox.set_group(GROUP, owner=seller)
    until = None if hours is None else clock.moment + dt.timedelta(hours=hours)
    user_changed(seller, banned=True, banned_until=until)

    refused(aws, 403, "BANNED", "create_listing", seller, body())

    clock.advance(hours=2)
    assert aws.call("create_listing", seller, body()).status == (403 if hours is None else 201)


def test_refuses_a_price_no_tier_may_pay(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    from bloxtr8 import config

    seller = factories.user()
    monkeypatch.setenv("T2_DEAL_CENTS", "500000")
    config.settings.cache_clear()

    answer = refused(aws, 403, "KYC_LIMIT", "create_listing", seller, body(price=500_001))

    assert answer.body["limit"] == 500_000


@pytest.mark.parametrize("change", [{"visibility": "PRIVATE"}, {"guildId": "gld_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"}])
def test_refuses_guilds_until_there_are_some(aws: Platform, change: dict[str, str]) -> None:
    refused(aws, 422, "NOT_AVAILABLE_YET", "create_listing", factories.user(), body(**change))


BAD = [
    {"title": ""},
    {"title": "   "},
    {"title": "\u200b\u2060\ufeff"},
    {"title": "\u202e \u00a0"},
    {"title": "\u3164\u2800"},
    {"title": "\u0301\ufe0f"},
    {"title": "a" * 256},
    {"title": "nul \x00"},
    {"title": "two\nlines"},
    {"title": "two\u2028lines"},
    {"title": "two\u2029paragraphs"},
    {"title": 7},
    {"title": ...},
    {"summary": "a" * 1001},
    {"summary": "bell \x07"},
    {"summary": ...},
    {"category": "a" * 101},
    {"category": None},
    {"price": 0},
    {"price": -1},
    {"price": 1.5},
    {"price": "100"},
    {"price": True},
    {"price": 1_000_000_001},
    {"price": 10**30},
    {"price": ...},
    {"assetType": "HAT"},
    {"assetId": 7_000_001},
    {"assetId": "07"},
    {"assetId": "-1"},
    {"assetId": "7" * 20},
    {"assetId": "9" * 19},
    {"assetId": "7\n"},
    {"assetId": "٧"},
    {"visibility": "SECRET"},
    {"deliveryDays": 0},
    {"deliveryDays": 31},
    {"inspectionDays": 1.0},
    {"sellerId": "usr_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"},
    {"status": "ACTIVE"},
]


def test_refuses_bad_input(aws: Platform, subtests: pytest.Subtests) -> None:
    for change in BAD:
        with subtests.test(repr(change)[:60]):
            refused(aws, 400, "VALIDATION_ERROR", "create_listing", factories.user(), body(**change))


def test_keeps_any_other_unicode(aws: Platform, roblox: Roblox) -> None:
    seller = factories.user()
    roblox.set_group(GROUP, owner=seller)
    words = {"title": "سباق 🏎️ レース", "summary": "Zeile eins\nשורה שתיים", "category": "Гонки"}

    answer = aws.call("create_listing", seller, body(**words))

    assert answer.status == 201
    assert words.items() <= answer.body.items()


def test_needs_a_token(aws: Platform) -> None:
    refused(aws, 401, "UNAUTHENTICATED", "create_listing", None, body())


@pytest.mark.parametrize("down", [False, True])
def test_a_repeated_key_replays_the_first_answer(aws: Platform, roblox: Roblox, down: bool) -> None:
    seller = factories.user()
    roblox.set_group(GROUP, owner=seller)
    if down:
        roblox.down()
    key = {"Idempotency-Key": "k-1"}
    first = aws.call("create_listing", seller, body(), headers=key)
    before = aws.rows()

    again = aws.call("create_listing", seller, body(), headers=key)

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert aws.rows() == before
    refused(aws, 422, "IDEMPOTENCY_KEY_REUSED", "create_listing", seller, body(price=1), headers=key)


def test_of_two_listings_of_one_asset_at_once_one_is_made(aws: Platform, roblox: Roblox) -> None:
    seller = factories.user()
    for number in range(3):
        group = str(7_100_000 + number)
        roblox.set_group(group, owner=seller)

        answers = together(*[lambda group=group: aws.call("create_listing", seller, body(assetId=group))] * 2)

        assert sorted(answer.status for answer in answers) == [201, 409]
        assert [answer.code for answer in answers if answer.status == 409] == ["ASSET_ALREADY_LISTED"]


def test_an_asset_that_changes_hands_between_two_reads_is_not_taken_twice(
    aws: Platform, roblox: Roblox, wire: Wire
) -> None:
    seller = factories.user()
    roblox.set_group(GROUP, owner=seller)
    first = aws.call("create_listing", seller, body()).body["id"]
    assert aws.call("deactivate_listing", seller, listing_id=first).status == 200
    second = aws.call("create_listing", seller, body()).body["id"]

    def hand_on() -> None:  # the guard was read, its listing not yet; then the proof, then the commit
        assert aws.call("deactivate_listing", seller, listing_id=second).status == 200
        wire.before("TransactWriteItems", lambda: aws.call("activate_listing", seller, listing_id=first))

    wire.before("GetItem", hand_on)
    third = aws.call("create_listing", seller, body())

    assert (third.status, third.code) == (409, "ASSET_ALREADY_LISTED")
    assert [row(one).status for one in (first, second)] == [ListingStatus.ACTIVE, ListingStatus.INACTIVE]
    held = guard(GROUP)
    assert held is not None
    assert held.listing_id == first


def test_reads_twice_at_roblox_never_from_memory(aws: Platform, roblox: Roblox) -> None:
    seller = factories.user()
    roblox.set_group(GROUP, owner=seller)
    made = aws.call("create_listing", seller, body())
    aws.call("cancel_listing", seller, listing_id=made.body["id"])
    roblox.set_group(GROUP, owner="999")

    refused(aws, 422, "ASSET_NOT_OWNED", "create_listing", seller, body())
