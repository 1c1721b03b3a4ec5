"""The chain's node, asked by JSON-RPC without web3: what a call would answer, an address's code, a block's number.

It only reads. The node's URL may hold a key, so it is in no log and no error. `latest` is what is asked: who decides on
money asks at a tag of his own (rails.usdc).
"""

import itertools
import re
from typing import Any

from bloxtr8 import config
from bloxtr8.outside.http import Talk

BUDGET_SECONDS = 6.0  # of one action's whole talk: a request asks others too
CALLER = "0xb10c000000000000000000000000000000b10c78"  # nobody's: some contracts take a call from zero for a rehearsal
REVERTED = 3  # geth's code of a call that reverted, and so of all who follow it
_REVERT_TEXTS = ("execution reverted", "VM Exception while processing transaction: revert")
_QUANTITY = re.compile(r"0x(0|[1-9a-f][0-9a-f]{0,63})")
_DATA = re.compile(r"0x([0-9a-fA-F]{2})*")
_asked_chain: set[tuple[str, int]] = set()


class Reverted(Exception):  # noqa: N818  (an answer of a contract, not a failure)
    """The node answered: the call reverts. `data` is what the contract says about it."""

    def __init__(self, data: bytes) -> None:
        super().__init__("reverted")
        self.data = data


class Node:
    """One action's talk with the node of the configured chain.

    Every method raises UpstreamFailed where the node gives no usable answer or is of another chain, and Unavailable
    where this deployment has no node, or may not use the chain.
    """

    def __init__(self) -> None:
        self._talk = Talk("The chain's node", seconds=BUDGET_SECONDS, private=True)
        self._ids = itertools.count(1)

    def call_contract(self, to: str, data: bytes) -> bytes:
        """What the contract answers now; empty where there is no code. Raises Reverted."""
        return self._call_latest({"from": CALLER, "to": to, "data": f"0x{data.hex()}"})

    def rehearse_creation(self, code: bytes) -> bytes:
        """What `code` returns if it is run as a new contract's constructor; nothing of it stays. Raises Reverted."""
        return self._call_latest({"from": CALLER, "data": f"0x{code.hex()}"})

    def code_at(self, address: str) -> bytes:
        """The code at an address; empty for a plain wallet, or where nothing was deployed yet."""
        return self._data(self._ask_chain("eth_getCode", address, "latest"))

    def block_number(self) -> int:
        """The number of the newest block the node knows."""
        return self._quantity(self._ask_chain("eth_blockNumber"))

    def _call_latest(self, transaction: dict[str, str]) -> bytes:
        return self._data(self._ask_chain("eth_call", transaction, "latest"))

    def _ask_chain(self, method: str, *params: Any) -> Any:
        """The result of one method, of a node that is proven to be the chain's: once a process and URL."""
        url, chain_id = config.rpc_url(), config.chain_id()
        if (url, chain_id) not in _asked_chain:
            found = self._quantity(self._send(url, "eth_chainId"))
            if found != chain_id:
                self._talk.fail(f"it is of chain {found}, not of {chain_id}")
            _asked_chain.add((url, chain_id))
        return self._send(url, method, *params)

    def _send(self, url: str, method: str, *params: Any) -> Any:
        number = next(self._ids)
        answer = self._talk.post_json(url, {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)})
        if answer.status != 200:
            self._talk.fail(f"{method} answered {answer.status}")
        found = self._talk.object(answer)
        if found.get("jsonrpc") != "2.0" or found.get("id") != number or ("result" in found) is (_error(found) != {}):
            self._talk.fail(f"{method} answered with the wrong shape")
        error = _error(found)
        if error:
            self._refuse(method, error)
        return found["result"]

    def _refuse(self, method: str, error: dict[str, Any]) -> None:
        code, text = error.get("code"), str(error.get("message"))
        if code == REVERTED or text.startswith(_REVERT_TEXTS):
            data = error.get("data")
            raise Reverted(self._data(data) if isinstance(data, str) else b"")
        self._talk.fail(f"{method} failed with code {code if type(code) is int else None}")

    def _quantity(self, value: Any) -> int:
        if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
            self._talk.fail("a number has the wrong shape")
        return int(value, 16)

    def _data(self, value: Any) -> bytes:
        if not isinstance(value, str) or not _DATA.fullmatch(value):
            self._talk.fail("data have the wrong shape")
        return bytes.fromhex(value[2:])


def _error(found: dict[str, Any]) -> dict[str, Any]:
    error = found.get("error")
    return error if isinstance(error, dict) else {}
