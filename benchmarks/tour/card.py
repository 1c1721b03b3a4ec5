"""The tour by card: people, listings, offers, contracts, and what may go wrong with a payment."""

from benchmarks.tour.acts import agreed, clerk, list_group, offer, quiet, request
from local.demo import milestones, stories
from local.demo.stories import Cast
from local.stack import Stack
from local.trader import Trader

SHA256 = "5d" * 32


def people(stack: Stack, cast: Cast) -> None:
    buyer = cast.buyer
    buyer.get("/me")
    request(buyer, "PATCH", "/me", {"email": "ben@example.com"})
    buyer.get(f"/users/{cast.seller.user_id}")
    stack.invoke("grant_staff_role", {"userId": buyer.user_id, "tier": "TIER_2"})
    cast.world.api.get("/health")
    cast.world.api.get("/openapi.json")


def listings(_: Stack, cast: Cast) -> None:
    seller = cast.seller
    listing = list_group(seller, "7101")
    path = f"/listings/{listing}"
    request(seller, "PATCH", path, {"price": 24_000})
    seller.post(f"{path}/deactivate")
    seller.post(f"{path}/activate")
    cast.world.api.get(path)
    cast.world.api.get(f"{path}/snapshots")
    cast.world.move_clock(120)
    seller.post(f"{path}/snapshots")
    offer(cast.buyer, listing)
    seller.get(f"{path}/offers")
    request(seller, "DELETE", path)


def offers(stack: Stack, cast: Cast) -> None:
    seller, buyer = cast.seller, cast.buyer
    listing = list_group(seller, "7102")
    first = offer(buyer, listing)
    buyer.get(f"/offers/{first['id']}")
    buyer.post(f"/offers/{first['id']}/withdraw")
    seller.post(f"/offers/{offer(buyer, listing)['id']}/decline", {"reason": "Too little"})
    offer(buyer, listing)
    buyer.get("/me/offers")
    cast.world.move_clock(8 * 86400)
    stack.fire("expire_offers")


def contracts(stack: Stack, cast: Cast) -> None:
    seller, buyer = cast.seller, cast.buyer
    path = f"/contracts/{_accepted(cast, '7103')}"
    contract = buyer.until_status(path, "PENDING_SIGNATURE")
    buyer.get(f"{path}/pdf")
    buyer.post("/contracts/verify", {"sha256": contract["sha256"]})
    link = buyer.post(f"{path}/sign-link")
    consent = {"token": link["token"], "sha256": contract["sha256"], "consent": "I AGREE"}
    cast.world.api.send("POST", "/contracts/sign-by-link", consent)
    seller.post(f"{path}/void", {"reason": "I keep it after all"})
    _accepted(cast, "7104")
    stack.wait_quiet()
    stack.clock.advance(hours=73)
    stack.fire("enforce_contract_deadlines")


def _accepted(cast: Cast, group_id: str) -> str:
    """An offer that the seller accepts at once. Returns the contract's id."""
    made = offer(cast.buyer, list_group(cast.seller, group_id))
    accepted = cast.seller.post(f"/offers/{made['id']}/accept", {"termsHash": made["termsHash"]})
    return str(accepted["contractId"])


def lists(_: Stack, cast: Cast) -> None:
    cast.world.api.get("/listings")
    cast.seller.get("/me/listings")
    cast.buyer.get("/me/contracts")
    cast.buyer.get("/me/escrows")


def lapse(stack: Stack, cast: Cast) -> None:
    """One that its buyer cancels, one that nobody pays for."""
    trade = agreed(cast, "7105")
    stack.wait_quiet()
    cast.buyer.post(f"/escrows/{trade.escrow_id}/cancel", {"reason": "I changed my mind"})
    trade = agreed(cast, "7106")
    stack.wait_quiet()
    stack.clock.advance(hours=73)
    stack.fire("enforce_escrow_deadlines")
    cast.buyer.until_status(f"/escrows/{trade.escrow_id}", "CANCELLED")


def refund(stack: Stack, cast: Cast) -> None:
    trade = agreed(cast, "7107")
    path = f"/escrows/{trade.escrow_id}"
    stories.fund(cast, trade, quiet)
    evidence = {"sha256": SHA256, "contentType": "image/png", "sizeBytes": 1_000, "note": "A picture"}
    cast.seller.post(f"{path}/evidence", evidence)
    delivery = cast.seller.post(f"{path}/deliveries", {})
    stack.clock.advance(seconds=60)
    cast.buyer.post(f"{path}/deliveries/{delivery['id']}/verify")
    stories.refund(cast, trade, quiet)
    stack.clock.advance(minutes=11)
    stack.fire("retry_webhooks")


def park(stack: Stack, cast: Cast) -> None:
    """Refunds that Stripe refuses for good are parked: one is resumed by the staff, one announced and paid outside."""
    kay = clerk(cast, "kay", 4, "PADMIN", stack.invoke)
    resumed, paid = (_parked(cast, kay, group_id) for group_id in ("7108", "7114"))
    kay.post(f"/staff{resumed}/resume", {"reason": "It was a fault of ours"})
    (due,) = kay.get(paid)["refusals"]["refused"]
    by_hand = f"/staff{paid}/manual-payments"
    about = {name: due[name] for name in ("settlementId", "leg", "amount")} | {"reason": "His card is closed"}
    kay.post(f"{by_hand}/{kay.post(by_hand, about)['id']}/withdraw", {"reason": "His bank took it neither"})
    said = {"paymentId": "BANK-0001", "reason": "Sent to his bank"}
    kay.post(f"{by_hand}/{kay.post(by_hand, about)['id']}/record", said)
    kay.get("/audit", entity=paid.removeprefix("/escrows/"))


def _parked(cast: Cast, kay: Trader, group_id: str) -> str:
    """A trade whose refund was refused; its path."""
    trade = agreed(cast, group_id)
    stories.fund(cast, trade, quiet)
    fault = {"method": "post", "path": "/v1/refunds", "status": 401, "times": None}
    cast.world.stripe.send("PUT", "/_double/faults", fault)
    path = f"/escrows/{trade.escrow_id}"
    cast.seller.post(f"{path}/refund", {"reason": "I can't hand it over"})
    kay.until(lambda: kay.get(path), lambda seen: seen["settlements"][0]["status"] == "PARKED")
    cast.world.stripe.send("DELETE", "/_double/faults")
    return path


def in_parts(stack: Stack, cast: Cast) -> None:
    """One in two parts: the first is delivered and confirmed, the other released as it is."""
    trade = agreed(cast, "7113", milestones=milestones.PARTS)
    stories.fund(cast, trade, quiet)
    milestones.confirm(cast, trade, milestones.hand_over(cast, trade, "7113", quiet), quiet)
    milestones.release(cast, trade, 1, quiet)
    stack.wait_quiet()
