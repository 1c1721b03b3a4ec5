"""How an escrow opens: what the second signature makes of the frozen terms (states.md, section 3; D6, D29)."""

import datetime as dt
from typing import Any

from bloxtr8 import ids
from bloxtr8.domain import vaults
from bloxtr8.domain.escrows import plan_look
from bloxtr8.entities import (
    Contract,
    Delivery,
    Entity,
    Escrow,
    Milestone,
    RailName,
    RailRow,
    StablecoinEscrow,
    StripeEscrow,
)


def open_escrow(contract: Contract, now: dt.datetime) -> list[Entity]:
    """What the second signature creates, from the frozen terms alone (D6, section 3): the escrow first, its rail's row,
    the milestones, and a delivery for each of them, or one."""
    terms = contract.terms
    windows = terms["windows"]
    escrow = Escrow(
        id=contract.escrow_id,
        contract_id=contract.id,
        offer_id=contract.offer_id,
        listing_id=contract.listing_id,
        buyer_id=contract.buyer_id,
        seller_id=contract.seller_id,
        buyer_roblox_id=terms["buyer"]["robloxId"],
        seller_roblox_id=terms["seller"]["robloxId"],
        asset_type=terms["asset"]["type"],
        asset_id=terms["asset"]["id"],
        rail=terms["rail"],
        currency=terms["currency"],
        amount=terms["amount"],
        buyer_fee_bps=terms["buyerFeeBps"],
        seller_fee_bps=terms["sellerFeeBps"],
        gross=terms["gross"],
        deliver_seconds=windows["deliverSeconds"],
        inspect_seconds=windows["inspectSeconds"],
        payout_account_id=terms["seller"].get("payoutAccountId"),
        postpone_at=vaults.postpone_at(terms["vault"]) if "vault" in terms else None,
        fund_by=now + dt.timedelta(seconds=windows["fundSeconds"]),
        created_at=now,
    )
    plan_look(escrow, now)
    milestones = [_milestone(escrow, n, part) for n, part in enumerate(terms["milestones"])]
    deliveries = [Delivery(escrow_id=escrow.id, id=ids.new("dlv"), n=one.n, milestone_id=one.id) for one in milestones]
    if milestones:
        escrow.parts, escrow.asset_in_turn = len(milestones), milestones[0].transfers_asset
    else:
        deliveries = [Delivery(escrow_id=escrow.id, id=ids.new("dlv"))]
    return [escrow, _rail_row(escrow, terms), *milestones, *deliveries]


def _milestone(escrow: Escrow, n: int, part: dict[str, Any]) -> Milestone:
    return Milestone(
        escrow_id=escrow.id,
        id=ids.new("mst"),
        n=n,
        title=part["title"],
        amount=part["amountCents"],
        transfers_asset=part["transfersAsset"],
    )


def _rail_row(escrow: Escrow, terms: dict[str, Any]) -> RailRow:
    if escrow.rail == RailName.STRIPE:  # the text of the terms, until it was stored
        return StripeEscrow(escrow_id=escrow.id)
    return StablecoinEscrow(escrow_id=escrow.id, terms=terms["vault"])
