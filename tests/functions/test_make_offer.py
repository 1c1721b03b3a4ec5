"""An offer is PENDING with both sides fixed (M25), one open chain per buyer and listing (M29)."""

import datetime as dt
from typing import Any

import pytest

from bloxtr8 import table
from bloxtr8.entities import Chain, Listing, ListingStatus, Offer, OfferStatus, Side, Tier, User
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Clock, Platform
from tests.functions.listings import BAD_IDS, moved, user_changed
from tests.functions.milestones import parts
from tests.functions.offers import BAD_TERMS, body, counter, later, row, settings, shown
from tests.wire import Wire

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


def test_opens_a_chain_with_both_sides_fixed(
    aws: Platform, seller: User, buyer: User, listing: Listing, clock: Clock
) -> None:
    answer = aws.call("make_offer", buyer, body(conditions="Keep the name."), listing_id=listing.id)

    assert answer.status == 201
    view = answer.body
    assert (view["status"], view["amount"], view["currency"], view["depth"]) == ("PENDING", 100_000, "USD", 0)
    assert (view["buyerId"], view["sellerId"], view["proposedBy"]) == (buyer.id, seller.id, "BUYER")
    assert (view["conditions"], view["parentId"], view["contractId"], view["version"]) == (
        "Keep the name.",
        None,
        None,
        1,
    )
    assert view["allowedActions"] == ["withdraw_offer"]
    assert view["fees"] == {
        "buyerFeeBps": 0, "sellerFeeBps": 290, "buyerFee": 0, "gross": 100_000, "sellerFee": 2_900,
        "sellerReceives": 97_100,
    }  # fmt: skip
    assert view["windows"]["deliverSeconds"] == 7 * 86_400
    assert len(view["termsHash"]) == 64
    kept = row(view["id"])
    assert (kept.status, kept.proposed_by, kept.epoch) == (OfferStatus.PENDING, Side.BUYER, listing.offers_epoch)
    assert kept.expires_at - kept.created_at == dt.timedelta(days=7)
    assert (kept.gsi1pk, kept.gsi2pk) == (f"USER#{buyer.id}#OFFER", f"USER#{seller.id}#OFFER")
    assert (kept.gsi3pk, kept.gsi4pk) == ("DUE#OFFER", f"LISTING#{listing.id}#OFFER")
    assert table.get(Chain, listing_id=listing.id, buyer_id=buyer.id).root == kept.root
    (entry,) = aws.audit(kept.id)
    assert (entry.action, entry.actor, entry.role) == ("make_offer", buyer.id, "BUYER")
    assert [made["type"] for made in entry.created] == ["Offer", "Chain"]


def test_touches_neither_the_listing_nor_the_buyers_volume(aws: Platform, buyer: User, listing: Listing) -> None:
    before = aws.rows()

    factories.offer(listing, buyer)

    after = aws.rows()
    assert {item["type"]["S"] for item in after if item not in before} == {"Offer", "Chain", "AuditEntry"}


def test_takes_every_amount_from_fifty_cents_to_the_price(
    aws: Platform, listing: Listing, subtests: pytest.Subtests
) -> None:
    for amount, status, code in [
        (1, 422, "AMOUNT_BELOW_MINIMUM"),
        (49, 422, "AMOUNT_BELOW_MINIMUM"),
        (50, 201, None),
        (120_000, 201, None),
        (120_001, 422, "AMOUNT_ABOVE_PRICE"),
    ]:
        with subtests.test(amount=amount):
            answer = aws.call("make_offer", factories.user(), body(amount=amount), listing_id=listing.id)
            assert (answer.status, answer.body.get("code")) == (status, code)


def test_stands_as_long_as_asked(aws: Platform, listing: Listing, subtests: pytest.Subtests) -> None:
    for by in ({"hours": 1.01}, {"days": 29.9}):
        with subtests.test(by=by):
            until = later(**by)
            answer = aws.call("make_offer", factories.user(), body(expiresAt=until), listing_id=listing.id)
            assert (answer.status, answer.body["expiresAt"]) == (201, until)


def test_refuses_an_expiry_outside_of_the_range(
    aws: Platform, buyer: User, listing: Listing, subtests: pytest.Subtests
) -> None:
    for by in ({"minutes": 59}, {"days": 30, "seconds": 5}, {"days": -1}, {"days": 40_000}):
        with subtests.test(by=by):
            wrong = body(expiresAt=later(**by))
            refused(aws, 422, "EXPIRY_RANGE", "make_offer", buyer, wrong, listing_id=listing.id)


def test_refuses_the_own_listing(aws: Platform, seller: User, listing: Listing) -> None:
    refused(aws, 422, "OWN_LISTING", "make_offer", seller, body(), listing_id=listing.id)


def test_refuses_what_the_card_can_not_do(aws: Platform, buyer: User, listing: Listing) -> None:
    refused(aws, 422, "NOT_AVAILABLE_YET", "make_offer", buyer, body(currency="USDC"), listing_id=listing.id)


@pytest.mark.parametrize(
    ("milestones", "code"),
    [
        (parts(50_000, 49_999), "MILESTONES_SUM"),
        (parts(50_000, 50_001), "MILESTONES_SUM"),
        (parts(49, 99_951), "AMOUNT_BELOW_MINIMUM"),
        (parts(49_999, 50_001, asset=0), "MILESTONES_ASSET"),
        ([one | {"transfersAsset": True} for one in parts(50_000, 50_000)], "MILESTONES_ASSET"),
        (parts(*[20_000] * 5), "WINDOWS_TOO_LONG"),  # two weeks each
    ],
)
def test_refuses_parts_that_are_not_the_whole(
    aws: Platform, buyer: User, listing: Listing, milestones: Any, code: str
) -> None:
    refused(aws, 422, code, "make_offer", buyer, body(milestones=milestones), listing_id=listing.id)


@pytest.mark.parametrize(
    ("milestones", "asset"),
    [
        (parts(100_000), 0),
        (parts(*[25_000] * 4), 3),
        (parts(50_000, 50_000, asset=0), 0),
        (parts(1_000, 99_000, asset=1), 1),
    ],
)
def test_one_part_hands_the_asset_over(
    aws: Platform, buyer: User, listing: Listing, milestones: Any, asset: int
) -> None:
    answer = aws.call("make_offer", buyer, body(milestones=milestones), listing_id=listing.id)
    assert answer.status == 201
    expected = [one | {"transfersAsset": n == asset} for n, one in enumerate(milestones)]
    assert answer.body["milestones"] == row(answer.body["id"]).milestones == expected


def test_by_card_twenty_parts_are_taken_that_are_over_in_sixty_days(aws: Platform, seller: User, buyer: User) -> None:
    short = factories.listing(seller, delivery_days=2, inspection_days=1)
    answer = aws.call("make_offer", buyer, body(milestones=parts(*[5_000] * 20)), listing_id=short.id)
    assert answer.status == 201, answer.body


def test_takes_the_card_limit_and_refuses_a_cent_more(aws: Platform, seller: User) -> None:
    listing = factories.listing(seller, price=5_000_000)
    buyer = factories.user(tier=Tier.TIER_2)

    refused(aws, 422, "NOT_AVAILABLE_YET", "make_offer", buyer, body(amount=1_000_001), listing_id=listing.id)
    assert aws.call("make_offer", buyer, body(amount=1_000_000), listing_id=listing.id).status == 201


def test_knows_no_other_ids(aws: Platform, buyer: User, subtests: pytest.Subtests) -> None:
    for listing_id in BAD_IDS:
        with subtests.test(listing_id=listing_id):
            refused(aws, 404, "NOT_FOUND", "make_offer", buyer, body(), listing_id=listing_id)


def test_refuses_a_listing_that_is_not_for_sale(
    aws: Platform, seller: User, buyer: User, subtests: pytest.Subtests
) -> None:
    for status in sorted(frozenset(ListingStatus) - {ListingStatus.ACTIVE}):
        with subtests.test(status=status):
            listing = factories.listing(seller)
            if status is ListingStatus.INACTIVE:
                aws.call("deactivate_listing", seller, listing_id=listing.id)
            elif status is ListingStatus.CANCELLED:
                aws.call("cancel_listing", seller, listing_id=listing.id)
            else:
                moved(listing, status)
            answer = refused(aws, 409, "LISTING_NOT_ACTIVE", "make_offer", buyer, body(), listing_id=listing.id)
            assert answer.body["currentStatus"] == status


def test_refuses_a_listing_that_roblox_shows_as_somebody_elses(
    aws: Platform, roblox: Roblox, seller: User, buyer: User, listing: Listing, clock: Clock
) -> None:
    roblox.set_group(listing.asset_id, owner="999")
    clock.advance(minutes=2)
    assert aws.call("verify_listing", seller, listing_id=listing.id).body["verified"] is False

    refused(aws, 422, "LISTING_UNVERIFIED", "make_offer", buyer, body(), listing_id=listing.id)


def test_refuses_a_listing_that_changed_since_it_was_seen(
    aws: Platform, seller: User, buyer: User, listing: Listing
) -> None:
    aws.call("update_listing", seller, {"price": 110_000}, listing_id=listing.id)

    stale = body(expectedListingVersion=1)
    answer = refused(aws, 412, "VERSION_MISMATCH", "make_offer", buyer, stale, listing_id=listing.id)

    assert answer.body["version"] == 2
    assert aws.call("make_offer", buyer, body(expectedListingVersion=2), listing_id=listing.id).status == 201


def test_refuses_without_a_linked_roblox_account_and_names_the_tier(aws: Platform, listing: Listing) -> None:
    answer = refused(aws, 403, "KYC_REQUIRED", "make_offer", factories.newcomer(), body(), listing_id=listing.id)

    assert answer.body["requiredTier"] == "TIER_1"


def test_refuses_a_tier_that_staff_granted_while_no_roblox_account_is_linked(aws: Platform, listing: Listing) -> None:
    person = factories.newcomer(tier=Tier.TIER_2)

    refused(aws, 403, "KYC_REQUIRED", "make_offer", person, body(), listing_id=listing.id)


def test_refuses_the_banned(aws: Platform, buyer: User, listing: Listing) -> None:
    user_changed(buyer, banned=True)

    refused(aws, 403, "BANNED", "make_offer", buyer, body(), listing_id=listing.id)


@pytest.mark.parametrize("limit", ["t1_deal_cents", "t1_rolling_cents"])
def test_refuses_what_is_above_the_buyers_limits_and_names_the_tier(
    aws: Platform, buyer: User, listing: Listing, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    settings(monkeypatch, **{limit: 99_999})

    answer = refused(aws, 403, "KYC_LIMIT", "make_offer", buyer, body(), listing_id=listing.id)

    assert (answer.body["requiredTier"], answer.body["userId"]) == ("TIER_2", buyer.id)
    assert aws.call("make_offer", buyer, body(amount=99_999), listing_id=listing.id).status == 201


def test_refuses_a_body_of_the_wrong_form(
    aws: Platform, buyer: User, listing: Listing, subtests: pytest.Subtests
) -> None:
    for change in (*BAD_TERMS, {"currency": "EUR"}, {"currency": ...}, {"expectedListingVersion": 0}):
        with subtests.test(change=change):
            wrong = body(**change)
            refused(aws, 400, "VALIDATION_ERROR", "make_offer", buyer, wrong, listing_id=listing.id)


def test_keeps_any_other_text(aws: Platform, seller: User, buyer: User, subtests: pytest.Subtests) -> None:
    for text in ("עברית \u202e עם", "🚀👩‍👩‍👧 \u200d", "第一\n第二", "x" * 2000, "Ω≈ç√"):
        with subtests.test(text=text):
            made = factories.offer(factories.listing(seller), buyer, conditions=text)
            assert row(made).conditions == text
            assert aws.call("get_offer", buyer, offer_id=made.id).body["conditions"] == text


# --- one open chain


def test_refuses_a_second_open_offer_and_names_the_first(aws: Platform, buyer: User, listing: Listing) -> None:
    first = factories.offer(listing, buyer)

    answer = refused(aws, 409, "OPEN_OFFER_EXISTS", "make_offer", buyer, body(amount=90_000), listing_id=listing.id)

    assert answer.body["offerId"] == first.id


def test_names_the_counter_that_is_open(aws: Platform, seller: User, buyer: User, listing: Listing) -> None:
    child = counter(aws, seller, factories.offer(listing, buyer), 110_000)

    answer = refused(aws, 409, "OPEN_OFFER_EXISTS", "make_offer", buyer, body(), listing_id=listing.id)

    assert answer.body["offerId"] == child.id


@pytest.mark.parametrize("end", ["withdraw_offer", "decline_offer", "time", "loss of the asset"])
def test_a_dead_chain_makes_way_for_a_new_one_and_stays_dead(
    aws: Platform, roblox: Roblox, seller: User, buyer: User, listing: Listing, clock: Clock, end: str
) -> None:
    dead = factories.offer(listing, buyer)
    if end == "time":
        clock.advance(days=7)
    elif end == "loss of the asset":
        roblox.set_group(listing.asset_id, owner="999")
        for _ in range(2):
            clock.advance(minutes=6)
            aws.call("verify_listing", seller, listing_id=listing.id)
        roblox.set_group(listing.asset_id, owner=seller)
        assert aws.call("activate_listing", seller, listing_id=listing.id).status == 200
    else:
        assert aws.call(end, seller if end == "decline_offer" else buyer, offer_id=dead.id).status == 200
    was = shown(aws, buyer, dead)

    fresh = factories.offer(listing, buyer, amount=90_000)

    assert table.get(Chain, listing_id=listing.id, buyer_id=buyer.id).root == fresh.root
    assert shown(aws, buyer, fresh)[0] == "PENDING"
    assert shown(aws, buyer, dead) == was
    assert was[0] in {"WITHDRAWN", "DECLINED", "EXPIRED"}
    assert was[2] == []


def test_two_buyers_have_a_chain_each(aws: Platform, buyer: User, listing: Listing) -> None:
    first, second = factories.offer(listing, buyer), factories.offer(listing, factories.user())

    assert first.root != second.root


def test_of_two_offers_of_one_buyer_at_once_one_is_made(aws: Platform, seller: User, buyer: User) -> None:
    for _ in range(ROUNDS):
        listing = factories.listing(seller)
        answers = together(*[lambda listing=listing: aws.call("make_offer", buyer, body(), listing_id=listing.id)] * 2)
        won, lost = sorted(answers, key=lambda answer: answer.status)
        assert (won.status, lost.status, lost.code) == (201, 409, "OPEN_OFFER_EXISTS")
        assert lost.body["offerId"] == won.body["id"]
        offers = table.page(Offer, "gsi4", f"LISTING#{listing.id}#OFFER", limit=5).items
        assert [offer.id for offer in offers] == [won.body["id"]]


def test_a_counter_decided_in_time_is_not_written_beside_the_new_chain(
    aws: Platform, seller: User, buyer: User, listing: Listing, clock: Clock, wire: Wire
) -> None:
    first = factories.offer(listing, buyer)
    clock.advance(days=7, seconds=-1)
    made = []

    def next_offer() -> None:  # between the counter's decision and its commit
        clock.advance(seconds=1)
        made.append(aws.call("make_offer", buyer, body(amount=90_000), listing_id=listing.id))

    wire.before("TransactWriteItems", next_offer)
    late = aws.call("counter_offer", seller, {"amount": 110_000}, offer_id=first.id)

    assert (made[0].status, late.status, late.code) == (201, 410, "OFFER_EXPIRED")
    assert row(first).status is OfferStatus.EXPIRED
    changes = aws.audit(made[0].body["id"])[0].changes
    assert [(one["id"], one["from"], one["to"]) for one in changes if one["type"] == "Offer"] == [
        (first.id, "PENDING", "EXPIRED")
    ]


def test_of_offer_and_deactivation_at_once_no_offer_is_lost(aws: Platform, seller: User, buyer: User) -> None:
    for _ in range(ROUNDS):
        listing = factories.listing(seller)
        made, taken = together(
            lambda listing=listing: aws.call("make_offer", buyer, body(), listing_id=listing.id),
            lambda listing=listing: aws.call("deactivate_listing", seller, listing_id=listing.id),
        )
        assert taken.status == 200
        assert made.status == 201 or (made.status, made.code) == (409, "LISTING_NOT_ACTIVE")


# --- the same request again


def test_the_same_key_gives_the_same_answer_once(aws: Platform, buyer: User, listing: Listing) -> None:
    key = {"Idempotency-Key": "k"}
    first = aws.call("make_offer", buyer, body(), listing_id=listing.id, headers=key)
    before = aws.rows()

    again = aws.call("make_offer", buyer, body(), listing_id=listing.id, headers=key)

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert aws.rows() == before
    other = body(amount=1_000)
    refused(aws, 422, "IDEMPOTENCY_KEY_REUSED", "make_offer", buyer, other, listing_id=listing.id, headers=key)
