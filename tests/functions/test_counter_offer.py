"""A counter turns the parent COUNTERED and opens a child of the other side, at once (M26, D2)."""

from typing import Any

import pytest

from bloxtr8.entities import Listing, Offer, OfferStatus, Side, User
from tests import factories
from tests.checks import refused, together
from tests.emulator import Clock, Platform
from tests.functions.listings import user_changed
from tests.functions.milestones import parts
from tests.functions.offers import BAD_IDS, BAD_TERMS, accept, counter, later, row, same_but, settings

ROUNDS = 3
TERMS: dict[str, Any] = {"amount": 110_000}


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
    return factories.offer(listing, buyer, conditions="Keep the name.")


def turned_down(
    aws: Platform, status: int, code: str, user: User, offer: Any, terms: dict[str, Any] = TERMS, **options: Any
) -> Any:
    """A counter that is refused, and writes nothing."""
    offer_id = getattr(offer, "id", offer)
    return refused(aws, status, code, "counter_offer", user, terms, offer_id=offer_id, **options).body


def test_opens_a_child_of_the_other_side(aws: Platform, seller: User, buyer: User, made: Offer) -> None:
    before = aws.rows()

    answer = aws.call("counter_offer", seller, TERMS | {"conditions": "Cash first."}, offer_id=made.id)

    assert answer.status == 201
    view = answer.body
    assert (view["id"], view["parentId"], view["depth"]) == (f"{made.id}-01", made.id, 1)
    assert (view["status"], view["proposedBy"], view["amount"], view["conditions"]) == (
        "PENDING", "SELLER", 110_000, "Cash first.",
    )  # fmt: skip
    assert (view["buyerId"], view["sellerId"], view["currency"]) == (buyer.id, seller.id, "USD")
    assert view["allowedActions"] == ["withdraw_offer"]
    assert same_but(before, aws.rows()) == {"Offer", "AuditEntry"}
    parent, child = row(made), row(view["id"])
    assert (parent.status, parent.gsi3pk) == (OfferStatus.COUNTERED, None)
    assert (child.root, child.epoch, child.proposed_by) == (made.root, made.epoch, Side.SELLER)
    assert (child.gsi1pk, child.gsi3pk) == (f"USER#{buyer.id}#OFFER", "DUE#OFFER")
    entry = aws.audit(made.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("counter_offer", seller.id, "SELLER")
    assert [(one["id"], one["from"], one["to"]) for one in entry.changes] == [(made.id, "PENDING", "COUNTERED")]
    assert entry.created == [{"type": "Offer", "id": child.id}]


def test_both_sides_counter_in_turn_on_one_audit_chain(aws: Platform, seller: User, buyer: User, made: Offer) -> None:
    offer = made
    for user, amount in ((seller, 118_000), (buyer, 105_000), (seller, 115_000)):
        offer = counter(aws, user, offer, amount)

    assert (offer.depth, offer.buyer_id, offer.seller_id) == (3, buyer.id, seller.id)
    assert [entry.role for entry in aws.audit(made.id)] == ["BUYER", "SELLER", "BUYER", "SELLER"]
    assert accept(aws, buyer, offer).status == 200


def test_states_all_terms_anew(aws: Platform, seller: User, made: Offer) -> None:
    assert counter(aws, seller, made, made.amount).conditions is None


def test_has_an_expiry_of_its_own(aws: Platform, seller: User, buyer: User, made: Offer, clock: Clock) -> None:
    until = later(hours=2)
    answer = aws.call("counter_offer", seller, TERMS | {"expiresAt": until}, offer_id=made.id)
    assert answer.body["expiresAt"] == until
    clock.advance(hours=2)

    turned_down(aws, 410, "OFFER_EXPIRED", buyer, answer.body["id"])


def test_refuses_the_same_terms(aws: Platform, seller: User, made: Offer) -> None:
    turned_down(aws, 422, "SAME_TERMS", seller, made, {"amount": made.amount, "conditions": made.conditions})


def test_parts_are_terms_as_any_other(aws: Platform, seller: User, buyer: User, made: Offer) -> None:
    same = {"amount": made.amount, "conditions": made.conditions}
    turned_down(aws, 422, "MILESTONES_SUM", seller, made, same | {"milestones": parts(made.amount - 1)})
    five = parts(*[made.amount // 5] * 5)
    turned_down(aws, 422, "WINDOWS_TOO_LONG", seller, made, same | {"milestones": five})
    halves = same | {"milestones": parts(made.amount // 2, made.amount // 2)}
    child = aws.call("counter_offer", seller, halves, offer_id=made.id)
    assert child.status == 201, child.body
    assert [part["transfersAsset"] for part in child.body["milestones"]] == [False, True]
    assert child.body["termsHash"] != aws.call("get_offer", buyer, offer_id=made.id).body["termsHash"]
    turned_down(aws, 422, "SAME_TERMS", buyer, row(child.body["id"]), halves)
    assert counter(aws, buyer, child.body["id"], **same).milestones == []  # what is left out is not asked for


def test_refuses_every_other_amount(
    aws: Platform, seller: User, made: Offer, listing: Listing, subtests: pytest.Subtests
) -> None:
    for amount, code in ((49, "AMOUNT_BELOW_MINIMUM"), (listing.price + 1, "AMOUNT_ABOVE_PRICE")):
        with subtests.test(amount=amount):
            turned_down(aws, 422, code, seller, made, {"amount": amount})


def test_the_price_that_counts_is_todays(aws: Platform, seller: User, listing: Listing, made: Offer) -> None:
    aws.call("update_listing", seller, {"price": 105_000}, listing_id=listing.id)

    turned_down(aws, 422, "AMOUNT_ABOVE_PRICE", seller, made)
    assert counter(aws, seller, made, 105_000).amount == 105_000


def test_refuses_what_the_card_can_not_do_yet(
    aws: Platform, seller: User, made: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(monkeypatch, card_limit_cents=109_999)
    turned_down(aws, 422, "NOT_AVAILABLE_YET", seller, made)


def test_refuses_an_expiry_outside_of_the_range(aws: Platform, seller: User, made: Offer) -> None:
    turned_down(aws, 422, "EXPIRY_RANGE", seller, made, TERMS | {"expiresAt": later(minutes=59)})


def test_a_chain_has_twenty_counters_at_most(aws: Platform, seller: User, buyer: User, made: Offer) -> None:
    offer = made
    for n in range(20):
        offer = counter(aws, (seller, buyer)[n % 2], offer, 100_001 + n)
    assert offer.depth == 20

    turned_down(aws, 422, "CHAIN_TOO_LONG", seller, offer)

    assert aws.call("get_offer", seller, offer_id=offer.id).body["allowedActions"] == ["accept_offer", "decline_offer"]
    assert accept(aws, seller, offer).status == 200


def test_is_not_for_the_side_that_proposed_it_nor_for_others(
    aws: Platform, seller: User, buyer: User, made: Offer
) -> None:
    turned_down(aws, 403, "FORBIDDEN", buyer, made)
    turned_down(aws, 403, "FORBIDDEN", seller, counter(aws, seller, made, 115_000))
    turned_down(aws, 404, "NOT_FOUND", factories.user(), made)


@pytest.mark.parametrize(("change", "code"), [({"banned": True}, "BANNED"), ({"tier": "TIER_0"}, "KYC_REQUIRED")])
def test_refuses_a_caller_who_may_not_deal(
    aws: Platform, seller: User, made: Offer, change: dict[str, Any], code: str
) -> None:
    user_changed(seller, **change)

    turned_down(aws, 403, code, seller, made)


def test_refuses_what_is_above_the_callers_limit(
    aws: Platform, seller: User, made: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(monkeypatch, t1_deal_cents=109_999)

    assert turned_down(aws, 403, "KYC_LIMIT", seller, made)["userId"] == seller.id


def test_refuses_while_the_listing_is_off_the_shelf(aws: Platform, seller: User, listing: Listing, made: Offer) -> None:
    aws.call("deactivate_listing", seller, listing_id=listing.id)

    turned_down(aws, 409, "LISTING_NOT_ACTIVE", seller, made)


def test_refuses_a_dead_offer(aws: Platform, seller: User, listing: Listing, made: Offer, clock: Clock) -> None:
    other = factories.offer(listing, factories.user())
    child = counter(aws, seller, other, 110_000)
    assert turned_down(aws, 409, "INVALID_STATE", seller, other)["currentStatus"] == "COUNTERED"
    clock.advance(days=7)
    assert turned_down(aws, 410, "OFFER_EXPIRED", seller, made)["currentStatus"] == "EXPIRED"
    aws.call("cancel_listing", seller, listing_id=listing.id)
    assert turned_down(aws, 409, "INVALID_STATE", seller, made)["currentStatus"] == "DECLINED"
    assert row(child).status is OfferStatus.PENDING


def test_knows_no_other_ids(aws: Platform, seller: User, subtests: pytest.Subtests) -> None:
    for offer_id in BAD_IDS:
        with subtests.test(offer_id=offer_id):
            turned_down(aws, 404, "NOT_FOUND", seller, offer_id)


def test_refuses_a_body_of_the_wrong_form(aws: Platform, seller: User, made: Offer, subtests: pytest.Subtests) -> None:
    for change in (*BAD_TERMS, {"currency": "USD"}):
        with subtests.test(change=change):
            wrong = {name: value for name, value in (TERMS | change).items() if value is not ...}
            turned_down(aws, 400, "VALIDATION_ERROR", seller, made, wrong)


def test_honours_if_match(aws: Platform, seller: User, made: Offer) -> None:
    turned_down(aws, 412, "VERSION_MISMATCH", seller, made, headers={"If-Match": '"2"'})
    answer = aws.call("counter_offer", seller, TERMS, offer_id=made.id, headers={"If-Match": '"1"'})
    assert answer.status == 201


def test_the_same_key_gives_the_same_answer_once(aws: Platform, seller: User, made: Offer) -> None:
    options: dict[str, Any] = {"offer_id": made.id, "headers": {"Idempotency-Key": "k"}}
    first = aws.call("counter_offer", seller, TERMS, **options)
    before = aws.rows()

    again = aws.call("counter_offer", seller, TERMS, **options)

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (201, first.body, "true")
    assert aws.rows() == before


def test_of_two_counters_at_once_one_child_is_made(aws: Platform, seller: User, listing: Listing) -> None:
    for _ in range(ROUNDS):
        made = factories.offer(listing, factories.user())
        calls = [
            lambda made=made, amount=amount: aws.call("counter_offer", seller, {"amount": amount}, offer_id=made.id)
            for amount in (110_000, 115_000)
        ]
        won, lost = sorted(together(*calls), key=lambda answer: answer.status)
        assert (won.status, lost.status, lost.code) == (201, 409, "INVALID_STATE")
        assert row(f"{made.id}-01").amount == won.body["amount"]
