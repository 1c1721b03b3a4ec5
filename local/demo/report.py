"""What the demo shows at its end: the story of a trade, and what everyone has."""

from typing import Any

from rich.table import Table

from local.demo.stories import Cast, Trade


def balances(cast: Cast) -> dict[str, int]:
    """Cents: the seller's and the platform's as Stripe has them, pending and available together; the buyer's is what
    came back less what was paid."""
    ledger = cast.world.stripe.get("/_double/ledger")
    account = cast.seller.get("/me/payout-account")["accountId"]
    by_card = [row["id"] for row in cast.buyer.get("/me/escrows")["items"] if row["rail"] == "STRIPE"]
    escrows = [cast.buyer.get(f"/escrows/{escrow_id}")["money"] for escrow_id in by_card]
    return {
        f"{cast.buyer.name}, the buyer's card": sum(money["refunded"] - money["deposited"] for money in escrows),
        f"{cast.seller.name}, the seller": _sum(ledger, account),
        "the platform": _sum(ledger, "platform"),
    }


def _sum(ledger: dict[str, Any], account: str) -> int:
    found = ledger["accounts"].get(account, {})
    return sum(found.get(kind, 0) for kind in ("available", "pending"))


def balance_table(title: str, moments: dict[str, dict[str, int]]) -> Table:
    """Who had how much at each moment, in dollars; whoever is not there yet has nothing."""
    table = Table(title=title, title_justify="left")
    for heading in ("", *moments):
        table.add_column(heading, justify="left" if not heading else "right")
    for name in dict.fromkeys(name for found in moments.values() for name in found):
        table.add_row(name, *(_dollars(found.get(name, 0)) for found in moments.values()))
    return table


def _dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def timeline(cast: Cast, trade: Trade) -> Table:
    """Every entry of the trade's audit path, in order."""
    names = {cast.seller.user_id: cast.seller.name, cast.buyer.user_id: cast.buyer.name}
    table = Table(title=f"Timeline of “{trade.title}”", title_justify="left")
    for heading in ("at", "who", "what", "became", "hash"):
        table.add_column(heading, overflow="fold")
    for entry in cast.buyer.get(f"/escrows/{trade.escrow_id}/timeline")["items"]:
        moves = [
            f"{item['type']} {item['to']}" for item in entry["changes"] if item["to"] and item["from"] != item["to"]
        ]
        made = [item["type"] for item in entry["created"] if item["type"] in {"Contract", "Escrow", "Settlement"}]
        became = ", ".join(moves + [f"new {name}" for name in made])
        who = names.get(entry["actor"], "platform")
        table.add_row(entry["at"][11:19], who, entry["action"], became, entry["hash"][:8])
    return table
