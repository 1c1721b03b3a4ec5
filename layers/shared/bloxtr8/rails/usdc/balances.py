"""What lies in many vaults, and at the signers, in one request to the chain's node and without web3: jobs ask every
minute."""

import json
import re
from collections.abc import Sequence
from typing import Any

from bloxtr8 import config
from bloxtr8.outside.http import Talk

BALANCE_OF = "0x70a08231"  # balanceOf(address)
_WORD = 2 + 64  # 0x and 32 bytes
_HEX = re.compile(r"0x[0-9a-fA-F]{1,64}")


def at_finality(vaults: Sequence[str]) -> dict[str, int]:
    """Base units of our token by vault, at the tag at which deposits count (config.chain_finality).

    Raises UpstreamFailed where the node does not answer all of it, or is of another chain.
    """
    settings = config.settings()
    calls = [{"to": settings.usdc_address, "data": BALANCE_OF + vault[2:].rjust(64, "0")} for vault in vaults]
    talk = Talk("The chain's node", private=True)
    words = _ask(talk, [("eth_call", [call, settings.chain_finality]) for call in calls])
    if any(len(word) != _WORD for word in words):
        talk.fail("the token is not there")
    return {vault: int(word, 16) for vault, word in zip(vaults, words, strict=True)}


def ether(accounts: Sequence[str]) -> dict[str, int]:
    """Wei by account, as of now. Raises UpstreamFailed."""
    found = _ask(
        Talk("The chain's node", private=True), [("eth_getBalance", [account, "latest"]) for account in accounts]
    )
    return {account: int(quantity, 16) for account, quantity in zip(accounts, found, strict=True)}


def _ask(talk: Talk, asked: Sequence[tuple[str, list[Any]]]) -> list[str]:
    """The answers to a batch of questions, each in hex, in their order; in the batch they come in any. Of a node of
    our chain alone."""
    settings = config.settings()
    batch = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in enumerate([("eth_chainId", []), *asked])
    ]
    answer = talk.post_json(config.rpc_url(), batch)
    try:
        results = {one["id"]: one["result"] for one in json.loads(answer.body)}
        chain_id, *found = [results[number] for number in range(len(batch))]
    except (ValueError, TypeError, KeyError, RecursionError):
        talk.fail(f"{answer.status}, and not all of a batch answered")
    if chain_id != hex(settings.chain_id):
        talk.fail("it is of another chain")
    if not all(isinstance(one, str) and _HEX.fullmatch(one) for one in found):
        talk.fail("an answer has the wrong shape")
    return found
