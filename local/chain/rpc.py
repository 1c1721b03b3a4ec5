"""JSON-RPC as it is on the wire, and the encoding of a call; what the answers mean is the caller's matter."""

import itertools
from typing import Any

import urllib3
from eth_abi.abi import encode
from eth_utils.crypto import keccak


class RpcError(Exception):
    """The node refused: its code, its message, and the data of a revert where there is some."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("message", ""))
        self.code, self.data = error.get("code"), error.get("data")


class Rpc:
    """`rpc("eth_getBalance", address, "latest")`. Safe in any thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._pool = urllib3.PoolManager(maxsize=16, retries=False, timeout=30)
        self._ids = itertools.count(1)

    def __call__(self, method: str, *params: Any) -> Any:
        """The result. Raises RpcError where the node answers with one."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        answer = self._pool.request("POST", self.url, json=body).json()
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """Let go of its connections."""
        self._pool.clear()


def call_data(signature: str, *values: object) -> str:
    """The input of a call: `call_data("transfer(address,uint256)", to, 5_000_000)`. No tuples."""
    return "0x" + keccak(text=signature)[:4].hex() + arguments(signature, *values)


def arguments(signature: str, *values: object) -> str:
    """The encoded arguments alone, hex without 0x: what is appended to a contract's creation code."""
    types = signature[signature.index("(") + 1 : -1]
    return encode(types.split(",") if types else [], values).hex()
