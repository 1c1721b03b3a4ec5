"""What accepting means: terms that the acceptor names by their hash, and the contract that freezes them (D29, C12)."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from bloxtr8 import clock, config, ids, money
from bloxtr8.domain import bargaining, escrows, kyc, listings, offers, vaults, wallet_risk
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.offers import Bargain
from bloxtr8.domain.transitions import OFFER
from bloxtr8.entities import Contract, Deals, Entity, Listing, Offer, RailName, Snapshot, User
from bloxtr8.errors import Conflict, Forbidden, InvalidState, Unprocessable


@dataclass(slots=True)
class Deal:
    """An offer that is about to be answered, and both sides of it."""

    bargain: Bargain
    buyer: User
    seller: User
    buyer_deals: Deals
    seller_deals: Deals

    @property
    def sides(self) -> tuple[tuple[User, Deals], tuple[User, Deals]]:
        return (self.buyer, self.buyer_deals), (self.seller, self.seller_deals)

    @property
    def rail(self) -> RailName:
        """How the buyer pays (D5)."""
        return vaults.rail_of(self.bargain.offer.amount, self.bargain.offer.currency)

    def side_of(self, user_id: str) -> tuple[User, Deals]:
        """The profile and volume of that party."""
        return next(side for side in self.sides if side[0].id == user_id)


# --- terms


def windows(listing: Listing) -> dict[str, int]:
    """How long each step may take, in seconds, were it accepted now (D11)."""
    settings = config.settings()
    return {
        "signSeconds": settings.sign_seconds,
        "fundSeconds": settings.fund_seconds,
        "deliverSeconds": listing.delivery_days * config.DAY,
        "inspectSeconds": listing.inspection_days * config.DAY,
    }


def fees(amount: int) -> dict[str, int]:
    """Who pays and gets what, in cents, were it accepted now (D21)."""
    settings = config.settings()
    seller_fee = money.fee(amount, settings.seller_fee_bps)
    return {
        "buyerFeeBps": settings.buyer_fee_bps,
        "sellerFeeBps": settings.seller_fee_bps,
        "buyerFee": money.fee(amount, settings.buyer_fee_bps),
        "gross": money.gross(amount, settings.buyer_fee_bps),
        "sellerFee": seller_fee,
        "sellerReceives": amount - seller_fee,
    }


def agreed(offer: Offer, listing: Listing) -> dict[str, Any]:
    """What both sides agree to by accepting, as the contract will print it: the offer, what is sold, fees, windows."""
    return {
        "listingId": listing.id,
        "title": listing.title,
        "summary": listing.summary or "",
        "category": listing.category,
        "amount": offer.amount,
        "currency": str(offer.currency),
        "conditions": offer.conditions,
        "milestones": offer.milestones,
        "windows": windows(listing),
        **fees(offer.amount),
    }


def terms_hash(offer: Offer, listing: Listing) -> str:
    """sha256 over the canonical JSON of what is agreed, in hex; of an accepted offer, what its acceptor named."""
    if offer.terms_hash:
        return str(offer.terms_hash)
    terms = agreed(offer, listing) | {"asset": {"type": str(listing.asset_type), "id": listing.asset_id}}
    text = json.dumps(terms, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


# --- accept


def check_acceptable(deal: Deal, role: Role, seen_hash: str, now: dt.datetime) -> None:
    """Everything that can be refused without asking Roblox. `seen_hash` is what the acceptor names (C12).

    Raises as `offers.check_move`; InvalidState LISTING_RESERVED beside an accepted offer (M27), LISTING_NOT_ACTIVE;
    Conflict TERMS_CHANGED; Forbidden BANNED, KYC_REQUIRED or KYC_LIMIT of either side, or CARD_BLOCKED of the buyer,
    naming whose (M04); Unprocessable PAYOUT_NOT_READY (M08), or as `bargaining.check_time`; for what goes over Base,
    as `vaults.check_offered`, and WALLET_REQUIRED, naming whose.
    """
    bargain = deal.bargain
    _check_move(bargain, role, now)
    bargaining.check_active(bargain.listing)
    if seen_hash != terms_hash(bargain.offer, bargain.listing):
        raise Conflict("The terms have changed. Read them again.", "TERMS_CHANGED")
    bargaining.check_time(bargain.offer.amount, bargain.offer.currency, bargain.offer.milestones, bargain.listing)
    for user, deals in deal.sides:
        try:
            bargaining.check_person(user, now)
            kyc.check_limits(user, deals, bargain.offer.amount, now)
            if deal.rail is RailName.STRIPE and user is deal.buyer:
                kyc.check_card(deals)
        except Forbidden as refusal:
            details = refusal.details | {"userId": user.id}
            raise Forbidden("One side may not take on this deal.", refusal.code, **details) from None
    if deal.rail is RailName.USDC_BASE:
        vaults.check_offered(bargain.offer.amount)
        wallet_risk.check_linked(deal.buyer, deal.seller)
    elif deal.seller.payout_account_id is None or not deal.seller.payouts_ready:
        raise Unprocessable("The seller can't be paid yet.", "PAYOUT_NOT_READY")


def screened(deal: Deal) -> list[User]:
    """Whose wallets must be known to be clean: both sides', where the money goes over Base."""
    return [deal.buyer, deal.seller] if deal.rail is RailName.USDC_BASE else []


def _check_move(bargain: Bargain, role: Role, now: dt.datetime) -> None:
    try:
        offers.check_move("accept_offer", bargain, role, now)
    except InvalidState as refusal:
        if offers.state(bargain.offer, bargain.listing, now).reason != listings.LISTING_RESERVED:
            raise
        raise InvalidState("Another offer was accepted.", "LISTING_RESERVED", **refusal.details) from None


def accept(deal: Deal, role: Role, seen_hash: str, look: Snapshot, now: dt.datetime) -> tuple[Contract, list[Entity]]:
    """The offer is ACCEPTED, the listing RESERVED, both volumes count it; the contract, and the other rows to save.

    Raises as `check_acceptable`, Unprocessable ASSET_NOT_OWNED, ASSET_LOCKED or ASSET_OWNERLESS, and over Base as
    `wallet_risk.check_clean`.
    """
    check_acceptable(deal, role, seen_hash, now)
    if deal.rail is RailName.USDC_BASE:
        for user in (deal.buyer, deal.seller):
            wallet_risk.check_clean(user, now)
    listings.check_owned(look)
    bargain = deal.bargain
    offer = bargain.offer
    OFFER.apply("accept_offer", offer, role)
    listings.reserve(bargain.listing, offer.id, look, now)
    for user, deals in deal.sides:
        kyc.reserve(user, deals, offer.amount, now)
    contract = _contract(deal, look, now)
    offer.contract_id, offer.terms_hash = contract.id, seen_hash
    return contract, [offer, bargain.listing, look, deal.buyer_deals, deal.seller_deals]


def _contract(deal: Deal, look: Snapshot, now: dt.datetime) -> Contract:
    offer, listing = deal.bargain.offer, deal.bargain.listing
    sign_by = now + dt.timedelta(seconds=config.settings().sign_seconds)
    contract = Contract(
        id=ids.new("con", now),  # the day its volume counts on (funding.accepted_at)
        offer_id=offer.id,
        listing_id=listing.id,
        buyer_id=offer.buyer_id,
        seller_id=offer.seller_id,
        sign_by=sign_by,
        next_look=min(sign_by, now + escrows.repair_delay(0)),
        created_at=now,
    )
    contract.terms = {
        "contractId": contract.id,
        "escrowId": contract.escrow_id,
        "offerId": offer.id,
        "acceptedAt": clock.iso(now),
        "signBy": clock.iso(sign_by),
        "buyer": _party(deal.buyer),
        "seller": _party(deal.seller),
        "asset": _asset(listing, look),
        "rail": str(deal.rail),
        **agreed(offer, listing),
    }
    if deal.rail is RailName.USDC_BASE:
        contract.terms["vault"] = _vault(deal, contract, now)
    else:
        contract.terms["seller"]["payoutAccountId"] = deal.seller.payout_account_id
    return contract


def _vault(deal: Deal, contract: Contract, now: dt.datetime) -> dict[str, Any]:
    terms = contract.terms
    return vaults.terms(
        contract.escrow_id,
        buyer=deal.buyer.wallet,
        seller=deal.seller.wallet,
        gross=terms["gross"],
        max_fee_bps=terms["buyerFeeBps"] + terms["sellerFeeBps"],
        windows=terms["windows"],
        parts=max(1, len(terms["milestones"])),
        accepted_at=now,
    )


def _party(user: User) -> dict[str, Any]:
    return {
        "userId": user.id,
        "discordId": user.discord_id,
        "username": user.username,
        "robloxId": user.roblox_id,
        "robloxUsername": user.roblox_username,
    }


def _asset(listing: Listing, look: Snapshot) -> dict[str, Any]:
    return {
        "type": str(listing.asset_type),
        "id": listing.asset_id,
        "name": look.name or listing.title,
        "snapshot": {
            "id": look.id,
            "at": clock.iso(look.at),
            "ownerId": look.owner_id,
            "ownerName": look.owner_name or None,
            "memberCount": look.member_count,
            "locked": look.locked,
            "source": look.source,
        },
    }
