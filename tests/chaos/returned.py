"""The law of what goes back unasked: the rest of a price follows a part of it only where the seller keeps his asset."""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.world import World

MEMO = "not taken back"  # of the line by which a trade ends whose part a bank took, or somebody refunded by hand
_BOTH = {"BOTH", "NONE"}  # sources agree, or there is no such asset
JUST_NOW = dt.timedelta(minutes=5)  # as long as a function runs


def no_rest_is_returned_unseen(world: "World") -> Iterator[str]:
    """Before it a look by both sources showed somebody else than the buyer. Of a price that is gone his fee alone is
    left."""
    for escrow in world.escrows():
        fee = escrow.gross - escrow.amount
        looks = world.mirror.partition(f"LISTING#{escrow.listing_id}", "SNAP#")
        for line in [one for one in world.file(escrow).ledger if one.memo == MEMO and one.amount > fee]:
            fresh = [row for row in looks if row.source in _BOTH and line.at - JUST_NOW <= row.at <= line.at]
            if not fresh:
                yield f"{line.amount} of {escrow.id} went back at {line.at}, and nobody looked"
            elif fresh[-1].owner_id == escrow.buyer_roblox_id:
                yield f"{line.amount} of {escrow.id} went back at {line.at}, when its asset was the buyer's"
