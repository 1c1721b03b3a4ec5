"""The trades of the demo, step by step: what each person does, as the progress display tells it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.trader import Trader, World

Tell = Callable[[str], None]
Parts = list[dict[str, Any]]  # milestones, as an offer names them
FUND_SECONDS = 72 * 3600


@dataclass
class Trade:
    """One trade and what it left behind."""

    title: str
    listing_id: str = ""
    contract_id: str = ""
    escrow_id: str = ""
    expected: str = ""
    escrow: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""


@dataclass
class Cast:
    """Who takes part."""

    world: World
    seller: Trader
    buyer: Trader


Wait = Callable[[Cast, Trade, str], None]  # until the escrow is in that status


def meet(world: World, tell: Tell) -> Cast:
    """Both sign in and link Roblox; the seller opens a payout account."""
    seller = Trader(world, "sarah", "810001", "910001")
    buyer = Trader(world, "ben", "810002", "910002")
    for person in (seller, buyer):
        tell(f"{person.name} signs in with Discord")
        person.sign_in()
        tell(f"{person.name} links Roblox")
        person.link_roblox()
    tell(f"{seller.name} opens a payout account at Stripe")
    seller.open_payout_account()
    return Cast(world, seller, buyer)


def agree(
    cast: Cast,
    trade: Trade,
    group_id: str,
    tell: Tell,
    currency: str = "USD",
    amount: int = 23_000,
    milestones: Parts | None = None,
) -> None:
    """From listing to two signatures: an offer, a counter-offer of `amount` cents (in parts, where there are any),
    accepted, the same sha256 signed by both."""
    world, seller, buyer = cast.world, cast.seller, cast.buyer
    world.group(group_id, seller.roblox_id, memberCount=48_213, name=trade.title)
    tell(f"{seller.name} lists the group {group_id} for $250.00; Roblox shows that it is hers")
    listing = seller.post(
        "/listings",
        {
            "title": trade.title,
            "summary": "An active group with a clean history",
            "price": 25_000,
            "category": "roleplay",
            "assetType": "GROUP",
            "assetId": group_id,
            "visibility": "PUBLIC",
        },
    )
    trade.listing_id = listing["id"]
    tell(f"{buyer.name} offers $200.00")
    offer = buyer.post(
        f"/listings/{listing['id']}/offers",
        {"amount": 20_000, "currency": currency, "conditions": "The group keeps its funds and its games. 取引 🤝 صفقة"},
    )
    tell(f"{seller.name} asks for ${amount / 100:.2f} instead")
    conditions = "The group keeps its games; its funds are mine. 取引 🤝 صفقة"
    terms: dict[str, Any] = {"amount": amount, "conditions": conditions}
    if milestones:
        tell(f"… in {len(milestones)} parts, each released on its own")
        terms |= {"milestones": milestones}
    counter = seller.post(f"/offers/{offer['id']}/counter", terms)
    tell(f"{buyer.name} accepts; the listing is reserved and the contract is written")
    accepted = buyer.post(f"/offers/{counter['id']}/accept", {"termsHash": counter["termsHash"]})
    trade.contract_id = accepted["contractId"]
    contract = buyer.until_status(f"/contracts/{trade.contract_id}", "PENDING_SIGNATURE")
    trade.sha256 = contract["sha256"]
    for person in (seller, buyer):
        tell(f"{person.name} signs sha256 {trade.sha256[:12]}…")
        body = {"sha256": trade.sha256, "consent": "I AGREE"}
        signed = person.post(f"/contracts/{trade.contract_id}/sign", body)
    trade.escrow_id = signed["escrowId"]


def fund(cast: Cast, trade: Trade, tell: Tell) -> None:
    """The buyer pays with a test card; the money is held."""
    tell(f"{cast.buyer.name} asks how to pay")
    path = f"/escrows/{trade.escrow_id}/payment"
    payment = cast.buyer.until(lambda: cast.buyer.post(path), lambda found: "paymentIntentId" in found)
    tell(f"{cast.buyer.name} pays ${payment['amount'] / 100:.2f} by card")
    cast.world.pay(payment["paymentIntentId"])
    cast.buyer.until_status(f"/escrows/{trade.escrow_id}", "FUNDS_HELD")
    tell("the money is held")


def deliver_and_release(cast: Cast, trade: Trade, group_id: str, tell: Tell, wait: "Wait | None" = None) -> None:
    """The group changes hands on Roblox, the platform sees it, the buyer confirms, the seller is paid."""
    world, seller, buyer = cast.world, cast.seller, cast.buyer
    tell(f"{seller.name} starts the delivery and makes {buyer.name} the owner on Roblox")
    delivery = seller.post(f"/escrows/{trade.escrow_id}/deliveries", {"description": "I hand it over now"})
    world.group(group_id, buyer.roblox_id)
    seller.post(f"/escrows/{trade.escrow_id}/deliveries/{delivery['id']}/delivered")
    tell(f"Roblox shows {buyer.name} as the owner: delivered")
    path = f"/escrows/{trade.escrow_id}/deliveries/{delivery['id']}/confirm"
    buyer.post(path, {"acknowledge": True})
    tell(f"{buyer.name} confirms")
    (wait or _wait)(cast, trade, "RELEASED")
    tell(f"{seller.name} is paid")


def _wait(cast: Cast, trade: Trade, status: str) -> None:
    cast.buyer.until_status(f"/escrows/{trade.escrow_id}", status)


def let_it_lapse(cast: Cast, trade: Trade, tell: Tell) -> None:
    """Nobody pays: three days later the escrow is cancelled and the group is for sale again."""
    tell("nobody pays; three days pass")
    cast.world.move_clock(FUND_SECONDS + 60)
    cast.world.run("enforce_escrow_deadlines")
    cast.buyer.until_status(f"/escrows/{trade.escrow_id}", "CANCELLED")
    listing = cast.seller.get(f"/listings/{trade.listing_id}")
    tell(f"the escrow is cancelled, the listing is {listing['status']} again")


def refund(cast: Cast, trade: Trade, tell: Tell) -> None:
    """The seller can't deliver and gives everything back."""
    tell(f"{cast.seller.name} can't deliver and refunds")
    cast.seller.post(f"/escrows/{trade.escrow_id}/refund", {"reason": "I can't hand it over after all"})
    cast.buyer.until_status(f"/escrows/{trade.escrow_id}", "REFUNDED")
    tell(f"{cast.buyer.name} has the money back")


def look_back(cast: Cast, trade: Trade) -> dict[str, Any]:
    """What is true of a trade at its end: status, ledger, audit."""
    path = f"/escrows/{trade.escrow_id}"
    trade.escrow = cast.buyer.get(path)
    ledger = cast.buyer.get(f"{path}/ledger")
    timeline = cast.buyer.get(f"{path}/timeline")
    verdict = cast.buyer.get("/audit/verify", entity=trade.escrow_id)
    return {
        "escrowId": trade.escrow_id,
        "rail": trade.escrow["rail"],
        "status": trade.escrow["status"],
        "balanced": ledger["balanced"],
        "auditVerified": timeline["verified"] and verdict["ok"],
    }
