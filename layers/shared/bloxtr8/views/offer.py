"""Offers as their parties see them: what they are now, whatever a job has written yet."""

from typing import Self

from bloxtr8 import clock
from bloxtr8.actors import Actor
from bloxtr8.domain import agreements, offers
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.offers import Bargain
from bloxtr8.entities import Contract, Currency, OfferStatus, Side
from bloxtr8.shapes import Moment, View
from bloxtr8.views.listing import ListingView


class Fees(View):
    """Cents: the buyer pays `gross`, the seller gets `seller_receives`."""

    buyer_fee_bps: int
    seller_fee_bps: int
    buyer_fee: int
    gross: int
    seller_fee: int
    seller_receives: int


class Windows(View):
    """How long each step may take."""

    sign_seconds: int
    fund_seconds: int
    deliver_seconds: int
    inspect_seconds: int


class MilestoneTerms(View):
    """A part of the price; one of them hands the asset over."""

    title: str
    amount_cents: int
    transfers_asset: bool


class OfferView(View):
    """Terms that one side proposes; amount in cents. `reason` says why it ended.

    `fees` and `windows` are what accepting it now would mean, null once it can't be accepted: then the contract has
    them. `terms_hash` covers both, the amount, the conditions, the milestones and what the listing says: accept_offer
    takes it back.
    """

    id: str
    parent_id: str | None
    listing_id: str
    listing_title: str
    buyer_id: str
    seller_id: str
    proposed_by: Side
    depth: int
    amount: int
    currency: Currency
    conditions: str | None
    milestones: list[MilestoneTerms]
    fees: Fees | None
    windows: Windows | None
    terms_hash: str
    status: OfferStatus
    reason: str | None
    contract_id: str | None
    expires_at: Moment
    created_at: Moment
    version: int
    allowed_actions: list[str]

    @classmethod
    def of(cls, bargain: Bargain, actor: Actor) -> Self:
        """The view for a party. Raises NotFound for anybody else."""
        offer, listing, now = bargain.offer, bargain.listing, clock.now()
        status, reason = offers.state(offer, listing, now)
        open_ = status is OfferStatus.PENDING
        return cls(
            id=offer.id,
            parent_id=offer.parent_id,
            listing_id=offer.listing_id,
            listing_title=listing.title,
            buyer_id=offer.buyer_id,
            seller_id=offer.seller_id,
            proposed_by=offer.proposed_by,
            depth=offer.depth,
            amount=offer.amount,
            currency=offer.currency,
            conditions=offer.conditions,
            milestones=[MilestoneTerms.model_validate(part) for part in offer.milestones],
            fees=Fees.model_validate(agreements.fees(offer.amount)) if open_ else None,
            windows=Windows.model_validate(agreements.windows(listing)) if open_ else None,
            terms_hash=agreements.terms_hash(offer, listing),
            status=status,
            reason=reason,
            contract_id=offer.contract_id,
            expires_at=offer.expires_at,
            created_at=offer.created_at,
            version=offer.version,
            allowed_actions=offers.allowed_actions(bargain, offers.role_of(offer, actor), now),
        )


class OfferDetail(OfferView):
    """An offer and the whole bargaining it is part of, the first offer first."""

    chain: list[OfferView]

    @classmethod
    def with_chain(cls, bargain: Bargain, actor: Actor) -> Self:
        views = [OfferView.of(Bargain(bargain.chain, offer, bargain.listing), actor) for offer in bargain.chain]
        return cls(**OfferView.of(bargain, actor).model_dump(), chain=views)


class AcceptedOffer(View):
    """The offer, the contract that is being written, and the listing, which is reserved."""

    offer: OfferView
    contract_id: str
    listing: ListingView

    @classmethod
    def of(cls, bargain: Bargain, contract: Contract, actor: Actor) -> Self:
        sells = actor.id == bargain.listing.seller_id
        return cls(
            offer=OfferView.of(bargain, actor),
            contract_id=contract.id,
            listing=ListingView.of(bargain.listing, Role.OWNER if sells else Role.OUTSIDER),
        )
