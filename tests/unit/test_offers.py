"""The rules of offers, in whatever order things happen: who, whether alive, how much (states.md, section 2)."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import config
from bloxtr8.actors import Actor
from bloxtr8.domain import bargaining, offers
from bloxtr8.domain.bargaining import Proposal
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.offers import Bargain
from bloxtr8.entities import Chain, ListingStatus, Offer, OfferStatus, Side, Visibility
from bloxtr8.errors import DomainError, Expired, InvalidState, NotFound, Unprocessable
from tests.unit.offers import BUYER_ID, LISTING_ID, NOW, ROOT, SELLER_ID, bargain, listing, offer

DEAD = sorted(frozenset(OfferStatus) - {OfferStatus.PENDING})


@pytest.fixture(autouse=True)
def _defaults(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings' defaults, and afterwards whatever the next test sets."""
    config.settings.cache_clear()
    yield
    config.settings.cache_clear()


# --- alive


moments = st.timedeltas(min_value=dt.timedelta(days=-30), max_value=dt.timedelta(days=30)).map(lambda by: NOW + by)


@given(st.sampled_from(OfferStatus), st.integers(0, 3), st.integers(0, 3), moments, moments)
def test_an_offer_is_pending_only_while_it_is_alive(
    status: OfferStatus, epoch: int, present: int, expires_at: dt.datetime, now: dt.datetime
) -> None:
    made = offer(status=status, epoch=epoch, expires_at=expires_at)
    alive = status is OfferStatus.PENDING and now < expires_at and epoch == present

    state = offers.state(made, listing(offers_epoch=present, epoch_reason="ASSET_LOST"), now)

    assert (state.status is OfferStatus.PENDING) == alive
    if status is not OfferStatus.PENDING:
        assert state == (status, made.reason)


@given(st.lists(st.tuples(st.booleans(), st.timedeltas(min_value=dt.timedelta(0), max_value=dt.timedelta(days=3)))))
def test_a_dead_offer_never_lives_again(steps: list[tuple[bool, dt.timedelta]]) -> None:
    made, at, now = offer(), listing(), NOW
    was_dead = False
    for epoch_passes, by in steps:
        now += by
        at.offers_epoch += epoch_passes
        dead = offers.state(made, at, now).status is not OfferStatus.PENDING
        assert dead or not was_dead
        was_dead = dead


def test_an_offer_that_its_listing_names_as_accepted_is_not_declined() -> None:
    """The listing was read after the acceptance, the offer before it."""
    at = listing(offers_epoch=1, epoch_reason="LISTING_RESERVED", reserved_offer_id=offer().id)

    assert offers.state(offer(), at, NOW).status is OfferStatus.ACCEPTED


@given(st.lists(st.sampled_from(OfferStatus), max_size=5), st.integers(0, 1), moments)
def test_the_head_of_a_chain_is_its_alive_offer(statuses: list[OfferStatus], epoch: int, now: dt.datetime) -> None:
    chain = [offer(depth=n, status=status) for n, status in enumerate(statuses)]
    at = listing(offers_epoch=epoch)

    head = offers.head(chain, at, now)

    alive = [one for one in chain if offers.state(one, at, now).status is OfferStatus.PENDING]
    assert head is (alive[0] if alive else None)


@given(st.sampled_from(OfferStatus), st.integers(0, 1), moments)
def test_tidying_writes_what_was_read_and_nothing_twice(status: OfferStatus, epoch: int, now: dt.datetime) -> None:
    made = offer(status=status)
    given_ = bargain(made, listing(offers_epoch=epoch, epoch_reason="LISTING_CANCELLED"))
    read = offers.state(made, given_.listing, now)

    action = offers.tidy(given_, now)

    assert (made.status, made.reason) == read
    assert (action is not None) == (status is OfferStatus.PENDING and read.status is not OfferStatus.PENDING)
    assert offers.tidy(given_, now) is None


# --- who and what


def test_only_the_other_side_answers_and_only_the_proposer_withdraws() -> None:
    for proposed_by, proposer, responder in ((Side.BUYER, BUYER_ID, SELLER_ID), (Side.SELLER, SELLER_ID, BUYER_ID)):
        made = offer(proposed_by=proposed_by)
        assert offers.role_of(made, Actor(proposer)) is Role.PROPOSER
        assert offers.role_of(made, Actor(responder)) is Role.RESPONDER
    with pytest.raises(NotFound):
        offers.role_of(offer(), Actor("usr_else"))


@given(
    st.sampled_from(OfferStatus),
    st.sampled_from(ListingStatus),
    st.sampled_from([Role.PROPOSER, Role.RESPONDER]),
    st.integers(0, 20),
    st.integers(0, 1),
    moments,
)
def test_what_is_allowed_is_what_is_not_refused(
    status: OfferStatus, shelf: ListingStatus, role: Role, depth: int, epoch: int, now: dt.datetime
) -> None:
    given_ = bargain(offer(status=status, depth=depth), listing(status=shelf, offers_epoch=epoch))
    allowed = offers.allowed_actions(given_, role, now)

    for action in ("counter_offer", "accept_offer", "decline_offer", "withdraw_offer"):
        assert (action in allowed) == passes(given_, role, now, action)


def passes(given_: Bargain, role: Role, now: dt.datetime, action: str) -> bool:
    """Whether the moves themselves let this happen."""
    made = given_.offer
    try:
        if action == "counter_offer":
            offers.counter(Bargain([made], offer_like(made), given_.listing), role, Proposal(110_000, None, None), now)
        elif action == "accept_offer":
            offers.check_move(action, given_, role, now)
            bargaining.check_active(given_.listing)
        else:
            offers.end(action, Bargain([made], offer_like(made), given_.listing), role, None, now)
    except DomainError:
        return False
    return True


def offer_like(made: Offer) -> Offer:
    """A copy that a move may change."""
    return offer(status=made.status, depth=made.depth, epoch=made.epoch, expires_at=made.expires_at)


@pytest.mark.parametrize("status", DEAD)
def test_a_refusal_says_what_the_offer_is(status: OfferStatus) -> None:
    made = offer(status=status)
    wanted = Expired if status is OfferStatus.EXPIRED else InvalidState
    with pytest.raises(wanted) as refusal:
        offers.check_move("decline_offer", bargain(made), Role.RESPONDER, NOW)
    assert refusal.value.details["currentStatus"] == status


def test_a_counter_belongs_to_the_other_side_and_to_the_same_epoch() -> None:
    parent = offer(epoch=3)

    child = offers.counter(
        bargain(parent, listing(offers_epoch=3)), Role.RESPONDER, Proposal(110_000, "Cash.", None), NOW
    )

    assert (parent.status, child.status) == (OfferStatus.COUNTERED, OfferStatus.PENDING)
    assert (child.proposed_by, child.depth, child.epoch) == (Side.SELLER, 1, 3)
    assert (child.id, child.parent_id) == (f"off_{ROOT}-01", f"off_{ROOT}")


def test_a_chain_row_is_made_once_and_then_taken_over() -> None:
    first = offers.point(None, offer())
    assert (first.listing_id, first.buyer_id, first.root_id) == (LISTING_ID, BUYER_ID, f"off_{ROOT}")
    later = offers.point(first, offer(root=ROOT[:-1] + "Z"))
    assert later is first
    assert later.root == ROOT[:-1] + "Z"
    assert isinstance(later, Chain)


# --- what may be asked for


@given(st.integers(1, 3_000_000), st.integers(1, 3_000_000))
def test_an_amount_is_from_fifty_cents_to_the_price_and_the_card_limit(amount: int, price: int) -> None:
    code = None
    try:
        bargaining.check_amount(amount, listing(price=price))
    except Unprocessable as refusal:
        code = refusal.code

    if amount < 50:
        assert code == "AMOUNT_BELOW_MINIMUM"
    elif amount > price:
        assert code == "AMOUNT_ABOVE_PRICE"
    else:
        assert code == ("NOT_AVAILABLE_YET" if amount > 1_000_000 else None)


@given(st.none() | st.timedeltas(min_value=dt.timedelta(days=-2), max_value=dt.timedelta(days=40)))
def test_an_offer_stands_for_an_hour_to_thirty_days(by: dt.timedelta | None) -> None:
    asked = None if by is None else NOW + by
    if by is None or dt.timedelta(hours=1) <= by <= dt.timedelta(days=30):
        assert bargaining.expiry(asked, NOW) == NOW + (by or dt.timedelta(days=7))
    else:
        with pytest.raises(Unprocessable, match="one hour to thirty days"):
            bargaining.expiry(asked, NOW)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"seller_id": BUYER_ID}, "OWN_LISTING"),
        ({"visibility": Visibility.PRIVATE}, "NOT_FOUND"),
        ({"status": ListingStatus.RESERVED}, "LISTING_NOT_ACTIVE"),
        ({"version": 3}, "VERSION_MISMATCH"),
        ({"verified_at": None}, "LISTING_UNVERIFIED"),
    ],
)
def test_an_offer_needs_a_listing_that_takes_one(fields: dict[str, Any], error: str) -> None:
    with pytest.raises(DomainError) as refusal:
        bargaining.check_offerable(listing(**{"version": 2} | fields), BUYER_ID, 2)
    assert refusal.value.code == error
