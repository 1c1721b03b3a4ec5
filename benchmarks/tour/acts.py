"""What the chapters of the tour do again and again."""

from collections.abc import Callable
from typing import Any

from local.demo import stories
from local.demo.stories import Cast, Parts, Trade
from local.trader import Trader

type Tell = Callable[[str], None]


def quiet(_: str) -> None:
    """Told to nobody."""


def request(who: Trader, method: str, path: str, body: Any = None) -> Any:
    """A request with the bearer token and no Idempotency-Key."""
    headers = {"Authorization": f"Bearer {who.tokens['accessToken']}"}
    return who.world.api.send(method, path, body, headers=headers)


def list_group(who: Trader, group_id: str) -> str:
    """A listing of a group of theirs. Returns its id."""
    who.world.group(group_id, who.roblox_id, memberCount=1_000, name=f"Group {group_id}")
    about = {"title": "A quiet group", "summary": "An active group", "price": 25_000, "category": "roleplay"}
    asset = {"assetType": "GROUP", "assetId": group_id, "visibility": "PUBLIC"}
    return str(who.post("/listings", about | asset)["id"])


def offer(who: Trader, listing_id: str) -> dict[str, Any]:
    """An offer of $200 by card."""
    return dict(who.post(f"/listings/{listing_id}/offers", {"amount": 20_000, "currency": "USD"}))


def agreed(cast: Cast, group_id: str, currency: str = "USD", milestones: Parts | None = None) -> Trade:
    """A trade that both have signed."""
    trade = Trade(f"Group {group_id}")
    stories.agree(cast, trade, group_id, quiet, currency, milestones=milestones)
    return trade


def clerk(cast: Cast, name: str, number: int, role: str, invoke: Callable[[str, Any], Any]) -> Trader:
    """Somebody of the staff, signed in. `number` makes him one of his own at Discord and Roblox."""
    made = Trader(cast.world, name, f"81{number:04}", f"91{number:04}")
    made.sign_in()
    invoke("grant_staff_role", {"userId": made.user_id, "role": role})
    return made
