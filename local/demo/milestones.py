"""The demo's trade in parts: the group first, which Roblox proves, then what only its seller can say."""

from typing import Any

from local.demo.stories import Cast, Parts, Tell, Trade

PARTS: Parts = [
    {"title": "The group changes hands", "amountCents": 15_000, "transfersAsset": True},
    {"title": "A week of help with its games", "amountCents": 8_000},
]


def hand_over(cast: Cast, trade: Trade, group_id: str | None, tell: Tell) -> str:
    """The seller delivers what has its turn; with a group, Roblox shows it. Returns the delivery's id."""
    seller, path = cast.seller, f"/escrows/{trade.escrow_id}"
    delivery = seller.post(f"{path}/deliveries", {})
    part = next(one for one in seller.get(path)["milestones"] if one["deliveryId"] == delivery["id"])
    if group_id is not None:
        cast.world.group(group_id, cast.buyer.roblox_id)
    shown = seller.post(f"{path}/deliveries/{delivery['id']}/delivered")
    proof = "Roblox shows it" if shown["verification"] == "VERIFIED" else f"on {seller.name}'s word"
    tell(f"delivered: {part['title']} ({proof})")
    return str(delivery["id"])


def confirm(cast: Cast, trade: Trade, delivery_id: str, tell: Tell) -> None:
    """The buyer confirms it, and that part is paid."""
    cast.buyer.post(f"/escrows/{trade.escrow_id}/deliveries/{delivery_id}/confirm", {"acknowledge": True})
    found = wait(cast, trade, delivery_id)
    tell(f"{cast.buyer.name} confirms: {_dollars(found, 'released')} paid, {_dollars(found, 'held')} held on")


def release(cast: Cast, trade: Trade, n: int, tell: Tell) -> None:
    """The buyer releases a part without waiting for its delivery."""
    path = f"/escrows/{trade.escrow_id}"
    part = cast.buyer.get(path)["milestones"][n]
    cast.buyer.post(f"{path}/milestones/{part['id']}/release", {"acknowledge": True})
    found = wait(cast, trade, part["deliveryId"])
    tell(f"{cast.buyer.name} releases: {part['title']}; {_dollars(found, 'released')} paid in all")


def wait(cast: Cast, trade: Trade, delivery_id: str) -> dict[str, Any]:
    """Until the part of that delivery is paid. Returns the escrow."""

    def is_paid(escrow: dict[str, Any]) -> bool:
        return any(one["deliveryId"] == delivery_id and one["status"] == "RELEASED" for one in escrow["milestones"])

    return dict(cast.buyer.until(lambda: cast.buyer.get(f"/escrows/{trade.escrow_id}"), is_paid))


def released(escrow: dict[str, Any]) -> int:
    """How many of its parts are paid."""
    return sum(one["status"] == "RELEASED" for one in escrow["milestones"])


def _dollars(escrow: dict[str, Any], total: str) -> str:
    return f"${escrow['money'][total] / 100:.2f}"
