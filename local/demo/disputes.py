"""The demo's trade that goes wrong: the buyer says so with a screenshot, an arbiter reads the file and splits."""

import hashlib
from typing import Any

import urllib3

from local.client import Http
from local.demo.stories import Cast, Tell, Trade
from local.trader import Trader, World

SCREENSHOT = b"\x89PNG what the buyer saw"
WHY = "The group was handed over late and without its games; both sides share what is held."


def arbiter(world: World, tell: Tell) -> Trader:
    """Somebody of staff, who is no party: signs in like anybody, and an operator grants the role."""
    judge = Trader(world, "ada", "810003", "910003")
    judge.sign_in()
    tell(f"an operator makes {judge.name} an arbiter")
    grant = {"userId": judge.user_id, "role": "ARBITER"}
    Http(world.addresses["lambda"]).send("POST", "/2015-03-31/functions/grant_staff_role/invocations", grant)
    return judge


def file_evidence(who: Trader, trade: Trade, content: bytes = SCREENSHOT) -> str:
    """A file through its link, which takes no other. Returns the id of the piece."""
    sha256 = hashlib.sha256(content).hexdigest()
    about = {"sha256": sha256, "contentType": "image/png", "sizeBytes": len(content), "note": "What I saw"}
    link = who.post(f"/escrows/{trade.escrow_id}/evidence", about)
    reply = urllib3.PoolManager().request("PUT", link["url"], body=content, headers=link["headers"])
    if reply.status != 200:
        raise ValueError(f"the file was not taken: {reply.status}")
    return str(link["evidenceId"])


def dispute_and_split(cast: Cast, trade: Trade, judge: Trader, tell: Tell) -> dict[str, Any]:
    """From the complaint to the last cent. Returns the dispute's file as the arbiter read it."""
    buyer, seller = cast.buyer, cast.seller
    path = f"/escrows/{trade.escrow_id}/disputes"
    tell(f"{buyer.name} files a screenshot and opens a dispute; no clock runs any more")
    claim = {"title": "Not what was agreed", "description": "It came late.", "reasonCode": "NOT_AS_DESCRIBED"}
    opened = buyer.post(path, claim | {"evidenceIds": [file_evidence(buyer, trade)]})
    tell(f"{seller.name} answers")
    seller.post(f"{path}/{opened['id']}/messages", {"text": "I was ill, and the games were never mine."})
    (waiting,) = [one for one in judge.get("/disputes")["items"] if one["escrowId"] == trade.escrow_id]
    judge.post(f"{path}/{waiting['id']}/assign")
    file: dict[str, Any] = judge.get(f"{path}/{waiting['id']}")
    owner = file["facts"]["filed"]["owner"]["who"].lower()
    tell(f"{judge.name} takes it and reads: the group is the {owner}'s, the file is the one that was named")
    rest = buyer.get(f"/escrows/{trade.escrow_id}")["money"]["amount"]
    sellers = rest // 3
    decision = {"outcome": "SPLIT", "sellerAmount": sellers, "buyerAmount": rest - sellers, "resolution": WHY}
    judge.post(f"{path}/{waiting['id']}/resolve", decision)
    tell(f"{judge.name} splits: ${sellers / 100:.2f} to {seller.name}, ${(rest - sellers) / 100:.2f} to {buyer.name}")
    return file


def wait(cast: Cast, trade: Trade, tell: Tell) -> None:
    """Both are paid."""
    cast.buyer.until_status(f"/escrows/{trade.escrow_id}", "SPLIT")
    tell("both are paid, and the dispute is closed")
