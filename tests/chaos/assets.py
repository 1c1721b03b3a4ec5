"""The asset at Roblox, and evidence: what people do outside of the platform that it looks at."""

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from bloxtr8.documents import store

if TYPE_CHECKING:
    from tests.chaos.people import Trade

FILE = b"a screenshot"


def begin(trade: "Trade") -> None:
    """The asset is the seller's."""
    if trade.fate.asset == "GAME":
        trade.world.outside.roblox.put_game(trade.asset_id, user=trade.seller.roblox_id)
    else:
        trade.world.outside.roblox.put_group(trade.asset_id, owner=trade.seller.roblox_id, memberCount=1_200)


def give(trade: "Trade", owner: str) -> None:
    """Somebody else has it now. A game moves only to a group (states.md, section 6)."""
    roblox = trade.world.outside.roblox
    trade.world.tell(f"  t{trade.number} asset to {owner}")
    trade.owners.append((trade.world.clock.moment, owner))
    if trade.fate.asset == "GAME":
        group = str(800_000 + trade.number)
        roblox.put_group(group, owner=owner)
        roblox.put_game(trade.asset_id, group=group)
    else:
        roblox.put_group(trade.asset_id, owner=owner)
    trade.world.jobs.want("watch_assets")


def take_back(trade: "Trade") -> None:
    """The seller has it again, and the watch comes by more than once."""
    give(trade, trade.seller.roblox_id)
    for hours in (1.2, 2.4, 5, 9):
        trade.later_act(hours * 3600, "looked at", lambda: trade.world.jobs.want("watch_assets"))


def lock(trade: "Trade") -> None:
    """Roblox locks the group."""
    if trade.fate.asset == "GROUP":
        trade.world.outside.roblox.put_group(trade.asset_id, isLocked=True)
        trade.owners.append((trade.world.clock.moment, ""))
    trade.world.jobs.want("watch_assets")


def file_evidence(trade: "Trade", escrow: Any, user: Any) -> None:
    """A piece of evidence, and its file."""
    sha256 = hashlib.sha256(FILE).hexdigest()
    about = {"sha256": sha256, "contentType": "image/png", "sizeBytes": len(FILE), "note": "n"}

    def upload(_: dict[str, Any]) -> None:
        place = "bloxtr8-local-evidence", store.evidence_key(escrow.id, sha256)
        checksum = base64.b64encode(hashlib.sha256(FILE).digest()).decode()
        trade.world.outside.objects[place] = FILE, {"ChecksumSHA256": checksum}

    trade.ask("add_evidence", user, about, then=upload, escrow_id=escrow.id)
