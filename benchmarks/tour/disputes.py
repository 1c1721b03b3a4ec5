"""The tour where something goes wrong between the two: disputes, the watch over the asset, the day's comparison."""

import datetime as dt

from benchmarks.tour.acts import agreed, clerk, quiet
from local.demo import disputes, stories
from local.demo.stories import Cast, Trade
from local.stack import Stack


def decided(_: Stack, cast: Cast) -> None:
    """Opened with a file, answered, taken, split."""
    trade = agreed(cast, "7301")
    stories.fund(cast, trade, quiet)
    disputes.dispute_and_split(cast, trade, disputes.arbiter(cast.world, quiet), quiet)
    disputes.wait(cast, trade, quiet)


def rejected(stack: Stack, cast: Cast) -> None:
    """A delivery that the buyer does not accept; nobody decides for a month, and the buyer takes it back."""
    trade, delivery = _delivered(stack, cast, "7302")
    path = f"/escrows/{trade.escrow_id}"
    claim = {"reasonCode": "NOT_AS_DESCRIBED", "description": "The games are not there."}
    dispute = cast.buyer.post(f"{path}/deliveries/{delivery}/reject", claim)
    stack.clock.advance(days=31)
    stack.fire("escalate_disputes")
    cast.buyer.sign_in()
    cast.buyer.post(f"{path}/disputes/{dispute['id']}/withdraw")


def watched(stack: Stack, cast: Cast) -> None:
    """The group is the buyer's, and nobody says so: the watch sees it."""
    trade = agreed(cast, "7303")
    stories.fund(cast, trade, quiet)
    cast.world.group("7303", cast.buyer.roblox_id)
    stack.clock.advance(hours=1)
    stack.fire("watch_assets")


def settled(stack: Stack, cast: Cast) -> None:
    """What stands in the way is looked at; more time; three proposals between the two, the last of which is taken."""
    trade = agreed(cast, "7304")
    path = f"/escrows/{trade.escrow_id}"
    cast.buyer.get(f"{path}/preflight")
    stories.fund(cast, trade, quiet)
    until = (stack.clock() + dt.timedelta(days=9)).isoformat()
    cast.buyer.post(f"{path}/extend", {"deadline": "deliverBy", "until": until})
    amount = cast.buyer.get(path)["money"]["amount"]
    parts = {"sellerAmount": amount // 3, "buyerAmount": amount - amount // 3, "reason": "Half of it works."}
    for end in ("withdraw", "reject", "accept"):
        proposal = cast.seller.post(f"{path}/settlements", parts)["id"]
        answers = cast.seller if end == "withdraw" else cast.buyer
        answers.post(f"{path}/settlements/{proposal}/{end}")
    disputes.wait(cast, trade, quiet)


def reminded(stack: Stack, cast: Cast) -> None:
    """A day before the buyer's time to pay is over."""
    agreed(cast, "7305")
    stack.clock.advance(hours=49)
    stack.fire("send_reminders")


def reconciled(stack: Stack, cast: Cast) -> None:
    """The books of all the trades so far against what Stripe and the chain have."""
    stack.wait_quiet()
    stack.fire("reconcile_money")
    mia = clerk(cast, "mia", 6, "COMPLIANCE", stack.invoke)
    mia.get(f"/reconciliation/{stack.clock():%Y-%m-%d}")
    mia.post(f"/staff/users/{cast.buyer.user_id}/card", {"reason": "His bank took nothing"})


def _delivered(stack: Stack, cast: Cast, group_id: str) -> tuple[Trade, str]:
    """A trade whose asset is the buyer's, and the platform knows it. With the delivery's id."""
    trade = agreed(cast, group_id)
    stories.fund(cast, trade, quiet)
    path = f"/escrows/{trade.escrow_id}/deliveries"
    delivery = cast.seller.post(path, {})["id"]
    cast.world.group(group_id, cast.buyer.roblox_id)
    cast.seller.post(f"{path}/{delivery}/delivered")
    stack.wait_quiet()
    return trade, str(delivery)
