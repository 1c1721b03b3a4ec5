"""The law of rollbacks: whoever has his asset again is not paid for it, once the platform could see that (M59)."""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bloxtr8 import config
from bloxtr8.domain.escrows import EscrowFile

if TYPE_CHECKING:
    from tests.chaos.people import Trade
    from tests.chaos.world import World

NOBODY = ""  # has it where Roblox locked it
# Why the seller is paid for the asset; what an arbiter or both sides said counts whoever has it.
_REASONS = {"CONFIRMED_BY_BUYER", "INSPECTION_OVER", "RELEASED_BY_BUYER"}


def no_seller_is_paid_for_what_he_has_again(world: "World") -> Iterator[str]:
    """Of what a confirmation, a clock or a release pays nothing is sent once the asset has left the buyer for the
    seller, or nobody, and a look came by while the payment waited; unless COMPLIANCE cleared just that."""
    for trade in (one for one in world.trades if one.escrow is not None):
        file = world.file(trade.escrow)
        for settlement in file.settlements:
            if settlement.reason in _REASONS and _hands_over(file, settlement) and not _cleared(file, settlement):
                for at in _sent(world, file, settlement):
                    if _seen(trade, at, settlement):
                        yield f"{settlement.id} was sent to the seller at {at}, who has the asset again"


def _hands_over(file: EscrowFile, settlement: Any) -> bool:
    """Whether the asset is all that is sold, or its part was decided by then."""
    asset = {row.n for row in file.milestones if row.transfers_asset}
    decided = (row.confirmed_at for row in file.deliveries if row.n in asset)
    return not asset or any(at is not None and at <= settlement.created_at for at in decided)


def _cleared(file: EscrowFile, settlement: Any) -> bool:
    """Whether people have looked at that rollback; what is planned anew is what was decided first."""
    names, row = set[str](), settlement
    while row is not None:
        names.add(f"rollback:{row.id}")
        row = file.settlement(row.replaces) if row.replaces else None
    decided = (row for row in file.decisions if (row.decision, row.status) == ("CLEAR", "DECIDED"))
    return any(names.intersection(row.covers) for row in decided)


def _sent(world: "World", file: EscrowFile, settlement: Any) -> list[dt.datetime]:
    """When the seller's part of it was sent, in vain too."""
    legs = {leg.id for leg in file.legs_of(settlement.id) if leg.pays == "SELLER"}
    out = {(leg_id, "PLANNED", "SENT") for leg_id in legs}
    entries = world.mirror.partition(f"AUDIT#{file.escrow.root_id}")
    return [entry.at for entry in entries if any((it["id"], it["from"], it["to"]) in out for it in entry.changes)]


def _seen(trade: "Trade", sent_at: dt.datetime, settlement: Any) -> bool:
    """Whether it went back before, and two runs of the watch in which nothing went wrong came by since then, so far
    apart that the second had to look, however seldom it looks."""
    escrow = trade.escrow
    assert escrow is not None
    moment, owner = max((one for one in trade.owners if one[0] < sent_at), default=(sent_at, "unknown"))
    was_buyers = escrow.at_buyer_at is not None and escrow.at_buyer_at <= moment
    if owner not in {escrow.seller_roblox_id, NOBODY} or not was_buyers:
        return False
    since = max(moment, settlement.created_at)
    looks = [at for at, hidden in trade.world.looks if since < at < sent_at and trade.asset_id not in hidden]
    return bool(looks) and looks[-1] - looks[0] > dt.timedelta(seconds=config.settings().watch_paused_seconds)
