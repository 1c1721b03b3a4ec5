"""The chain over HTTP, for testers: who is on it, wallets, payments, blocks, lists.

GET  /_local/chain                                            addresses, heights by tag, the time of the newest block
POST /_local/chain/mine {"blocks": n}                         so many blocks, a second apart
POST /_local/chain/pay {"to", "units", "from"?}               a plain transfer, from the exchange unless said;
                                                              answers {"txHash", "blockNumber", "logIndex"}
POST /_local/chain/wallets {"units"?}                         a new wallet with ether and USDC: {"address", "key"}
PUT  /_local/chain/lists/{address} {"sanctioned"?, "denied"?}  the sanctions list, and the token's deny-list

Units are base units: a cent is 10,000 of them. Blocks come with transactions only, and time follows /_local/clock.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.chain.chain import Chain  # half a second of imports: where there is a chain only

ROUTES = [
    ("GET", "/_local/chain", "overview"),
    ("POST", "/_local/chain/mine", "mine"),
    ("POST", "/_local/chain/pay", "pay"),
    ("POST", "/_local/chain/wallets", "wallet"),
    ("PUT", "/_local/chain/lists/<address>", "lists"),
]
_MOST_BLOCKS = 10_000


def answer(chain: "Chain", name: str, told: dict[str, Any]) -> dict[str, Any]:
    """The answer of a route by its name. Raises ValueError for what it cannot take."""
    return _ANSWERS[name](chain, told)


def _overview(chain: "Chain", _: dict[str, Any]) -> dict[str, Any]:
    return {
        "chainId": chain.id,
        "rpc": chain.url,
        "usdc": chain.usdc,
        "escrowContract": chain.escrow,
        "operator": chain.operator,
        "feeAddress": chain.roles.fees,
        "exchange": chain.roles.exchange,
        "heights": {tag: chain.height(tag) for tag in ("latest", "safe", "finalized")},
        "unixTime": chain.now(),
    }


def _mine(chain: "Chain", told: dict[str, Any]) -> dict[str, Any]:
    chain.mine(_number(told, "blocks", 1, most=_MOST_BLOCKS))
    return _overview(chain, {})


def _pay(chain: "Chain", told: dict[str, Any]) -> dict[str, Any]:
    from local.chain.chain import Reverted

    sender = _address(told, "from") if "from" in told else chain.roles.exchange
    try:
        tx_hash = chain.transfer(sender, _address(told, "to"), _number(told, "units"))
    except Reverted as error:
        raise ValueError(f"the token refused it: transaction {error}") from None
    block = chain.wait(tx_hash)["blockNumber"]
    return {"txHash": tx_hash, "blockNumber": int(block, 16), "logIndex": chain.log_index(tx_hash)}


def _wallet(chain: "Chain", told: dict[str, Any]) -> dict[str, Any]:
    from local.chain.chain import ETHER
    from local.chain.wallet import Wallet

    made = Wallet.new()
    chain.fund(made.address, ETHER)
    if units := _number(told, "units", 0):
        chain.transfer(chain.roles.exchange, made.address, units)
    return {"address": made.address, "key": made.key}


def _lists(chain: "Chain", told: dict[str, Any]) -> dict[str, Any]:
    address = _address(told, "address")
    flags: dict[str, Any] = {name: told[name] for name in ("sanctioned", "denied") if name in told}
    if not flags or not all(isinstance(flag, bool) for flag in flags.values()):
        raise ValueError("sanctioned or denied must be true or false")
    if "sanctioned" in flags:
        chain.sanction(address, flags["sanctioned"])
    if "denied" in flags:
        (chain.deny if flags["denied"] else chain.allow)(address)
    return {"address": address, **flags}


_ANSWERS: dict[str, Callable[["Chain", dict[str, Any]], dict[str, Any]]] = {
    "overview": _overview,
    "mine": _mine,
    "pay": _pay,
    "wallet": _wallet,
    "lists": _lists,
}


def _number(told: dict[str, Any], name: str, default: int | None = None, most: int = 2**63) -> int:
    value = told.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{name} must be a whole number up to {most}")
    return value


def _address(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not re.fullmatch("0x[0-9a-fA-F]{40}", value):
        raise ValueError(f"{name} must be an address")
    return value.lower()
