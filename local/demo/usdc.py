"""The demo's trade in USDC: proven wallets, a plain transfer, finality, one call that pays seller and fee."""

from collections.abc import Callable
from typing import Any

from local.client import Http
from local.demo.stories import Cast, Tell, Trade
from local.trader import World

UNITS_A_CENT = 10_000
POCKET_CENTS = 50_000
_BALANCE_OF = "0x70a08231"  # balanceOf(address)
_SETTLED = "0x9302b5ed1fcdc283c73362493cf20e5895f8696a316b448d2b8be76b7f169645"  # Settled(…), as Escrow.sol has it


def prove_wallets(cast: Cast, tell: Tell, cents: int = POCKET_CENTS) -> dict[str, str]:
    """Each side signs our message with a wallet of its own, the buyer's with so much in it. Returns the addresses by
    name."""
    found = {}
    for person, pocket in ((cast.buyer, cents), (cast.seller, 0)):
        tell(f"{person.name} proves a wallet by a signature")
        found[person.name] = person.link_wallet(pocket * UNITS_A_CENT).address
    return found


def fund(cast: Cast, trade: Trade, wallet: str, tell: Tell) -> str:
    """The buyer sends USDC to the vault as to any address; the money is held once it is final. Returns the vault."""
    buyer, world = cast.buyer, cast.world
    tell(f"{buyer.name} asks how to pay")
    payment = ask(cast, trade)
    tell(f"{buyer.name} sends {payment['amountText']} to {payment['depositAddr']} on {payment['network']}")
    world.pay_usdc(payment["depositAddr"], payment["amountUnits"], wallet)
    watch(cast, trade, "FUNDS_HELD")
    tell(f"the money is {payment['finality']}: it is held by the vault, and nobody's key moves it elsewhere")
    return str(payment["depositAddr"])


def ask(cast: Cast, trade: Trade) -> dict[str, Any]:
    """How the buyer pays, once the vault is known."""
    path = f"/escrows/{trade.escrow_id}/payment"
    return dict(cast.buyer.until(lambda: cast.buyer.post(path), lambda found: "depositAddr" in found))


def watch(cast: Cast, trade: Trade, status: str, good: Callable[[dict[str, Any]], bool] = lambda _: True) -> None:
    """Let the jobs that look at the chain run, as their rules would, until the escrow is in `status`, and `good`."""

    def look() -> Any:
        for job in ("poll_chain", "enforce_escrow_deadlines"):
            cast.world.run(job)
        return cast.buyer.get(f"/escrows/{trade.escrow_id}")

    cast.buyer.until(look, lambda found: found["status"] == status and good(found))


def balances(world: World, wallets: dict[str, str], vault: str | None = None) -> dict[str, int]:
    """Cents of USDC on chain: the wallets', the platform's fee address's, and the vault's."""
    told = world.local.send("GET", "/_local/chain")
    shown = {f"{name}'s wallet": address for name, address in wallets.items()}
    shown |= {"the fee address": told["feeAddress"]} | ({"the vault": vault} if vault else {})
    return {name: units_of(world, address) // UNITS_A_CENT for name, address in shown.items()}


def units_of(world: World, address: str) -> int:
    """The USDC of an address in base units, as the token says."""
    call = {"to": world.addresses["usdc"], "data": _BALANCE_OF + address[2:].lower().rjust(64, "0")}
    return int(_ask_node(world, "eth_call", call, "latest"), 16)


def settled(world: World, vault: str) -> list[dict[str, Any]]:
    """The logs of every settlement of a vault: `Settled(vault, action, toSeller, fee, toBuyer)`."""
    topics = [_SETTLED, "0x" + vault[2:].lower().rjust(64, "0")]
    return list(_ask_node(world, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "topics": topics}))


def cents_in(data: str) -> list[int]:
    """The amounts of a log, in cents."""
    words = bytes.fromhex(data[2:])
    return [int.from_bytes(words[at : at + 32], "big") // UNITS_A_CENT for at in range(0, len(words), 32)]


def _ask_node(world: World, method: str, *params: Any) -> Any:
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return Http(world.addresses["rpc"]).send("POST", "", asked)["result"]
