"""Offers: who may answer, whether one is alive; what each move leaves (states.md, section 2)."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from bloxtr8 import ids
from bloxtr8.actors import Actor
from bloxtr8.domain import bargaining, listings
from bloxtr8.domain.bargaining import Proposal
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import OFFER
from bloxtr8.entities import (
    Chain,
    Currency,
    Listing,
    Offer,
    OfferStatus,
    Side,
)
from bloxtr8.errors import Conflict, Expired, InvalidState, NotFound, Unprocessable

MAX_DEPTH = 20  # M26


@dataclass(slots=True)
class Bargain:
    """An offer, the chain it stands in (the root first) and the listing it is for."""

    chain: list[Offer]
    offer: Offer
    listing: Listing

    @property
    def root(self) -> Offer:
        return self.chain[0]


class State(NamedTuple):
    """What an offer is, and why."""

    status: OfferStatus
    reason: str | None


# --- who and whether


def pick(chain: list[Offer], offer_id: str) -> Offer:
    """The offer of that id. Raises NotFound."""
    for offer in chain:
        if offer.id == offer_id:
            return offer
    raise missing()


def missing() -> NotFound:
    return NotFound("There is no such offer.")


def side_of(offer: Offer, actor: Actor) -> Side:
    """The actor's side. Raises NotFound: to an outsider there is no such offer."""
    for side, party in ((Side.BUYER, offer.buyer_id), (Side.SELLER, offer.seller_id)):
        if actor.id == party:
            return side
    raise missing()


def role_of(offer: Offer, actor: Actor) -> Role:
    """PROPOSER of these terms, or RESPONDER: only the other side answers them (D2). Raises NotFound for an outsider."""
    return Role.PROPOSER if side_of(offer, actor) is offer.proposed_by else Role.RESPONDER


def state(offer: Offer, listing: Listing, now: dt.datetime) -> State:
    """What an offer is now: a PENDING one whose epoch or time has passed reads so before a job wrote it (Alive).

    The epoch goes before the time: it never comes back, so what was declined with its listing stays declined.
    """
    if offer.status is not OfferStatus.PENDING:
        return State(offer.status, offer.reason)
    if listing.reserved_offer_id == offer.id:  # accepted between the two reads, or an index that lags behind
        return State(OfferStatus.ACCEPTED, None)
    if offer.epoch != listing.offers_epoch:
        return State(OfferStatus.DECLINED, listing.epoch_reason)
    if offer.expires_at <= now:
        return State(OfferStatus.EXPIRED, None)
    return State(OfferStatus.PENDING, None)


def head(chain: list[Offer], listing: Listing, now: dt.datetime) -> Offer | None:
    """The alive offer of a chain, of which there is at most one; None: the chain is dead for good."""
    return next((offer for offer in chain if state(offer, listing, now).status is OfferStatus.PENDING), None)


def check_move(action: str, bargain: Bargain, role: Role, now: dt.datetime) -> None:
    """Whether `role` may make this move on an alive offer.

    Raises Forbidden for the wrong side, Expired OFFER_EXPIRED, and InvalidState with the `currentStatus` that callers
    see.
    """
    now_is = state(bargain.offer, bargain.listing, now)
    try:
        OFFER.check(action, now_is, role)
    except InvalidState as refusal:
        if now_is.status is OfferStatus.EXPIRED:
            raise Expired("This offer has expired.", "OFFER_EXPIRED", **refusal.details) from None
        raise


def permits(bargain: Bargain) -> Callable[[str], None]:
    """The guards behind `allowedActions`; those about people and Roblox are met on trying."""

    def permit(action: str) -> None:
        if action in {"accept_offer", "counter_offer"}:
            bargaining.check_active(bargain.listing)
        if action == "counter_offer":
            check_depth(bargain.offer)

    return permit


def allowed_actions(bargain: Bargain, role: Role, now: dt.datetime) -> list[str]:
    """What that side may do with the offer now."""
    return OFFER.allowed(state(bargain.offer, bargain.listing, now), role, permits(bargain))


def shelf_of(listing: Listing | None, chain: Chain | None, actor: Actor) -> tuple[str | None, str]:
    """The index (None: the table itself) and partition of what the caller may see of a listing's offers: all of them to
    the seller, to others their own chain, which may be empty. Raises NotFound where he may not know of the listing."""
    if listing is not None and actor.id == listing.seller_id:
        return "gsi4", f"LISTING#{listing.id}#OFFER"
    if chain is None:
        listings.role_of(listing, actor)
    return None, f"OFFER#{chain.root if chain else ''}"


# --- guards


def check_depth(offer: Offer) -> None:
    """Raises Unprocessable CHAIN_TOO_LONG."""
    if offer.depth >= MAX_DEPTH:
        raise Unprocessable("You have bargained enough: accept, decline, or start again.", "CHAIN_TOO_LONG")


# --- moves


def make(listing: Listing, buyer_id: str, asked: Proposal, currency: Currency, now: dt.datetime) -> Offer:
    """The first offer of a new chain, which is of the listing's present epoch. Raises as `bargaining.parts` and
    `bargaining.check_time`."""
    parts = bargaining.parts(asked)
    bargaining.check_time(asked.amount, currency, parts, listing)
    return Offer(
        root=ids.ulid_of(ids.new("off")),
        listing_id=listing.id,
        buyer_id=buyer_id,
        seller_id=listing.seller_id,
        proposed_by=Side.BUYER,
        amount=asked.amount,
        currency=currency,
        conditions=asked.conditions,
        milestones=parts,
        epoch=listing.offers_epoch,
        expires_at=bargaining.expiry(asked.expires_at, now),
        created_at=now,
    )


def supersede(chain: list[Offer], listing: Listing, now: dt.datetime) -> list[Offer]:
    """The rows of a buyer's dead chain to save with his new one: the last offer, where it expired and its row does not
    say so yet. A counter that was decided before that then can't be written after it, as a second alive chain (C3).

    Raises Conflict OPEN_OFFER_EXISTS naming the alive offer (M29).
    """
    alive = head(chain, listing, now)
    if alive is not None:
        raise Conflict("You have an open offer for this.", "OPEN_OFFER_EXISTS", offerId=alive.id)
    return [offer for offer in chain if tidy(Bargain(chain, offer, listing), now)]


def point(chain: Chain | None, offer: Offer) -> Chain:
    """The row that names the newest chain of a buyer and a listing; a dead one's is taken over (Open chain)."""
    chain = chain or Chain(listing_id=offer.listing_id, buyer_id=offer.buyer_id)
    chain.root = offer.root
    return chain


def counter(bargain: Bargain, role: Role, asked: Proposal, now: dt.datetime) -> Offer:
    """The parent is COUNTERED, its child PENDING and the other side's (M26). A counter states all terms anew: what it
    leaves out, it does not ask for.

    Raises as `check_move`, `bargaining.check_amount`, `parts` and `check_time`; InvalidState LISTING_NOT_ACTIVE;
    Unprocessable CHAIN_TOO_LONG or SAME_TERMS.
    """
    parent = bargain.offer
    check_move("counter_offer", bargain, role, now)
    bargaining.check_active(bargain.listing)
    check_depth(parent)
    bargaining.check_amount(asked.amount, bargain.listing, parent.currency)
    parts = bargaining.parts(asked)
    bargaining.check_time(asked.amount, parent.currency, parts, bargain.listing)
    if (asked.amount, asked.conditions, parts) == (parent.amount, parent.conditions, parent.milestones):
        raise Unprocessable("These are the same terms: accept them.", "SAME_TERMS")
    child = Offer(
        root=parent.root,
        depth=parent.depth + 1,
        listing_id=parent.listing_id,
        buyer_id=parent.buyer_id,
        seller_id=parent.seller_id,
        proposed_by=Side.SELLER if parent.proposed_by is Side.BUYER else Side.BUYER,
        amount=asked.amount,
        currency=parent.currency,
        conditions=asked.conditions,
        milestones=parts,
        epoch=parent.epoch,
        expires_at=bargaining.expiry(asked.expires_at, now),
        created_at=now,
    )
    OFFER.apply("counter_offer", parent, role)
    return child


def end(action: str, bargain: Bargain, role: Role, reason: str | None, now: dt.datetime) -> None:
    """decline_offer or withdraw_offer. Raises as `check_move`."""
    check_move(action, bargain, role, now)
    OFFER.apply(action, bargain.offer, role)
    bargain.offer.reason = reason


def tidy(bargain: Bargain, now: dt.datetime) -> str | None:
    """Write what a dead offer reads as anyway; the move that was, or None where it is alive or was ended before."""
    offer = bargain.offer
    if offer.status is not OfferStatus.PENDING:
        return None
    becomes, reason = state(offer, bargain.listing, now)
    moves = {OfferStatus.DECLINED: "close_stale_offer", OfferStatus.EXPIRED: "expire_offer"}
    action = moves.get(becomes)
    if action is not None:
        OFFER.apply(action, offer, Role.SYSTEM)
        offer.reason = reason
    return action


def listings_of(offers: Iterable[Offer]) -> list[str]:
    """The ids of the listings that these offers are for, each once."""
    return list(dict.fromkeys(offer.listing_id for offer in offers))
