"""What is recorded: a trade by card from listing to payout (trade 1), then every other action at least once."""

from collections.abc import Callable
from typing import Any

from local.demo import stories
from local.demo.stories import Cast, Trade
from local.stack import Stack
from local.trader import Trader, World

type Tell = Callable[[str], None]
SHA256 = "5d" * 32


def play(stack: Stack, trade: Callable[[int], None], tell: Tell) -> None:
    """Play it all; `trade(n)` is told when trade n begins, with 0 for what belongs to none."""
    world = World(stack.addresses)
    cast = stories.meet(world, tell)
    trade(1)
    first = Trade("Neon Harbour Roleplay", expected="RELEASED")
    stories.agree(cast, first, "7001", tell)
    stories.fund(cast, first, tell)
    stories.deliver_and_release(cast, first, "7001", tell)
    trade(0)
    stories.look_back(cast, first)
    tell("the tour of the other actions")
    _people(stack, cast)
    _listings(cast)
    _offers(stack, cast)
    _contracts(stack, cast)
    _lists(cast, first)
    _lapse(stack, cast)
    _refund(stack, cast)
    _park(stack, cast)
    _leave(world)


def _request(who: Trader, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {who.tokens['accessToken']}"}
    return who.world.api.send(method, path, body, headers=headers)


def _list(who: Trader, group_id: str) -> str:
    who.world.group(group_id, who.roblox_id, memberCount=1_000, name=f"Group {group_id}")
    about = {"title": "A quiet group", "summary": "An active group", "price": 25_000, "category": "roleplay"}
    asset = {"assetType": "GROUP", "assetId": group_id, "visibility": "PUBLIC"}
    return str(who.post("/listings", about | asset)["id"])


def _offer(who: Trader, listing_id: str) -> dict[str, Any]:
    return dict(who.post(f"/listings/{listing_id}/offers", {"amount": 20_000, "currency": "USD"}))


def _agreed(cast: Cast, group_id: str) -> Trade:
    trade = Trade(f"Group {group_id}")
    stories.agree(cast, trade, group_id, lambda _: None)
    return trade


def _people(stack: Stack, cast: Cast) -> None:
    buyer = cast.buyer
    buyer.get("/me")
    _request(buyer, "PATCH", "/me", {"email": "ben@example.com"})
    buyer.get(f"/users/{cast.seller.user_id}")
    stack.invoke("grant_staff_role", {"userId": buyer.user_id, "tier": "TIER_2"})
    cast.world.api.get("/health")
    cast.world.api.get("/openapi.json")


def _listings(cast: Cast) -> None:
    seller = cast.seller
    listing = _list(seller, "7101")
    path = f"/listings/{listing}"
    _request(seller, "PATCH", path, {"price": 24_000})
    seller.post(f"{path}/deactivate")
    seller.post(f"{path}/activate")
    cast.world.api.get(path)
    cast.world.api.get(f"{path}/snapshots")
    cast.world.move_clock(120)
    seller.post(f"{path}/snapshots")
    _offer(cast.buyer, listing)
    seller.get(f"{path}/offers")
    _request(seller, "DELETE", path)


def _offers(stack: Stack, cast: Cast) -> None:
    seller, buyer = cast.seller, cast.buyer
    listing = _list(seller, "7102")
    offer = _offer(buyer, listing)
    buyer.get(f"/offers/{offer['id']}")
    buyer.post(f"/offers/{offer['id']}/withdraw")
    seller.post(f"/offers/{_offer(buyer, listing)['id']}/decline", {"reason": "Too little"})
    _offer(buyer, listing)
    buyer.get("/me/offers")
    cast.world.move_clock(8 * 86400)
    stack.fire("expire_offers")


def _contracts(stack: Stack, cast: Cast) -> None:
    seller, buyer = cast.seller, cast.buyer
    listing = _list(seller, "7103")
    offer = _offer(buyer, listing)
    accepted = seller.post(f"/offers/{offer['id']}/accept", {"termsHash": offer["termsHash"]})
    path = f"/contracts/{accepted['contractId']}"
    contract = buyer.until_status(path, "PENDING_SIGNATURE")
    buyer.get(f"{path}/pdf")
    buyer.post("/contracts/verify", {"sha256": contract["sha256"]})
    link = buyer.post(f"{path}/sign-link")
    consent = {"token": link["token"], "sha256": contract["sha256"], "consent": "I AGREE"}
    cast.world.api.send("POST", "/contracts/sign-by-link", consent)
    seller.post(f"{path}/void", {"reason": "I keep it after all"})
    again = _list(seller, "7104")
    offer = _offer(buyer, again)
    seller.post(f"/offers/{offer['id']}/accept", {"termsHash": offer["termsHash"]})
    stack.wait_quiet()
    stack.clock.advance(hours=73)
    stack.fire("enforce_contract_deadlines")


def _lists(cast: Cast, trade: Trade) -> None:
    cast.world.api.get("/listings")
    cast.seller.get("/me/listings")
    cast.buyer.get("/me/contracts")
    cast.buyer.get("/me/escrows")


def _lapse(stack: Stack, cast: Cast) -> None:
    """One that its buyer cancels, one that nobody pays for."""
    trade = _agreed(cast, "7105")
    stack.wait_quiet()
    cast.buyer.post(f"/escrows/{trade.escrow_id}/cancel", {"reason": "I changed my mind"})
    trade = _agreed(cast, "7106")
    stack.wait_quiet()
    stack.clock.advance(hours=73)
    stack.fire("enforce_escrow_deadlines")
    cast.buyer.until_status(f"/escrows/{trade.escrow_id}", "CANCELLED")


def _refund(stack: Stack, cast: Cast) -> None:
    trade = _agreed(cast, "7107")
    path = f"/escrows/{trade.escrow_id}"
    stories.fund(cast, trade, lambda _: None)
    evidence = {"sha256": SHA256, "contentType": "image/png", "sizeBytes": 1_000, "note": "A picture"}
    cast.seller.post(f"{path}/evidence", evidence)
    delivery = cast.seller.post(f"{path}/deliveries", {})
    stack.clock.advance(seconds=60)
    cast.buyer.post(f"{path}/deliveries/{delivery['id']}/verify")
    stories.refund(cast, trade, lambda _: None)
    stack.clock.advance(minutes=11)
    stack.fire("retry_webhooks")


def _park(stack: Stack, cast: Cast) -> None:
    """A refund that Stripe refuses for good is parked, and resumed by the staff."""
    clerk = Trader(cast.world, "kay", "810004", "910004")
    clerk.sign_in()
    stack.invoke("grant_staff_role", {"userId": clerk.user_id, "role": "PADMIN"})
    trade = _agreed(cast, "7108")
    stories.fund(cast, trade, lambda _: None)
    fault = {"method": "post", "path": "/v1/refunds", "status": 401, "times": None}
    cast.world.stripe.send("PUT", "/_double/faults", fault)
    path = f"/escrows/{trade.escrow_id}"
    cast.seller.post(f"{path}/refund", {"reason": "I can't hand it over"})
    clerk.until(lambda: clerk.get(path), lambda seen: seen["settlements"][0]["status"] == "PARKED")
    cast.world.stripe.send("DELETE", "/_double/faults")
    clerk.post(f"/staff{path}/resume", {"reason": "It was a fault of ours"})
    clerk.get("/audit", entity=trade.escrow_id)


def _leave(world: World) -> None:
    """A newcomer who unlinks Roblox and signs out."""
    guest = Trader(world, "kim", "810003", "910003")
    guest.sign_in()
    guest.link_roblox()
    guest.tokens |= world.api.send("POST", "/auth/refresh", {"refreshToken": guest.tokens["refreshToken"]})
    _request(guest, "DELETE", "/me/roblox")
    _request(guest, "POST", "/auth/logout", {})
