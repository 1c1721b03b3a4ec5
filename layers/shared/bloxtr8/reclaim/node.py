"""What the chain says of one reclaim, asked of any node by JSON-RPC. It only reads, and needs only Python."""

import itertools
import json
import re
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, NoReturn

from bloxtr8 import addresses
from bloxtr8.rails.usdc import vault
from bloxtr8.rails.usdc.reclaiming import TERMS
from bloxtr8.reclaim.plan import ETHER, Plan

TIMEOUT_SECONDS = 20.0
BODY_LIMIT_BYTES = 1_000_000
GAS_MARGIN = 1.25  # above the estimate
BASE_FEE_MARGIN = 2  # the base fee may double before it is mined
TIP = 1_000_000  # wei a gas, where the node names none

_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x([0-9a-fA-F]{2})*")


class ChainError(Exception):
    """The node gave no usable answer, or what is on its chain is not what the terms say. The message says which."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The chain at its newest block. Times in unix seconds; `units` of the token (wei of ether) lie in the vault."""

    now: int
    postponed: bool
    units: int
    base_fee: int


class Node:
    """A node, by its URL."""

    def __init__(self, url: str) -> None:
        self._url, self._ids = url, itertools.count(1)

    def survey(self, plan: Plan) -> Seen:
        """Whether it is the chain and the contract of these terms, and how it stands. Raises ChainError."""
        chain_id = self._number("eth_chainId")
        if chain_id != plan.chain_id:
            raise ChainError(f"This node is of chain {chain_id}; the terms are of chain {plan.chain_id}.")
        if self._bytes("eth_getCode", plan.contract, "latest") == b"":
            raise ChainError(f"There is no contract at {plan.contract} on this chain.")
        terms = plan.vault.terms
        place = self._call(plan.contract, f"vaultOf({TERMS})", terms.encoded())[-20:]
        if f"0x{place.hex()}" != vault.address(terms):
            raise ChainError(f"The contract has another deposit address for these terms: 0x{place.hex()}.")
        state = self._call(plan.contract, "stateOf(bytes32)", bytes.fromhex(vault.terms_hash(terms)[2:]))
        block = self._object("eth_getBlockByNumber", "latest", False)
        return Seen(
            now=_number(block.get("timestamp")),
            postponed=len(state) == 128 and any(state[96:]),
            units=self._units(plan),
            base_fee=_number(block.get("baseFeePerGas", "0x0")),
        )

    def _units(self, plan: Plan) -> int:
        place = vault.address(plan.vault.terms)
        if plan.token == ETHER:
            return self._number("eth_getBalance", place, "latest")
        balance = self._call(plan.token, "balanceOf(address)", bytes.fromhex(place[2:]).rjust(32, b"\0"))
        if len(balance) != 32:
            raise ChainError(f"There is no token at {addresses.checksum(plan.token)} on this chain.")
        return int.from_bytes(balance)

    def prices(self, plan: Plan, seen: Seen, sender: str | None) -> dict[str, int | str]:
        """Gas and fees as they are now; with a sender also his next nonce. Raises ChainError where it would revert."""
        call = {"from": sender or plan.vault.buyer, "to": plan.contract, "data": plan.data}
        gas = int(self._number("eth_estimateGas", call) * GAS_MARGIN)
        tip = self._tip()
        found: dict[str, int | str] = {
            "gas": gas, "maxPriorityFeePerGas": tip, "maxFeePerGas": BASE_FEE_MARGIN * seen.base_fee + tip,
        }  # fmt: skip
        if sender:
            found |= {
                "from": addresses.checksum(sender),
                "nonce": self._number("eth_getTransactionCount", sender, "pending"),
            }
        return found

    def _tip(self) -> int:
        try:
            return self._number("eth_maxPriorityFeePerGas")
        except ChainError:
            return TIP

    def _call(self, to: str, function: str, arguments: bytes) -> bytes:
        data = addresses.keccak(function.encode())[:4] + arguments
        return self._bytes("eth_call", {"to": to, "data": f"0x{data.hex()}"}, "latest")

    def _number(self, method: str, *params: Any) -> int:
        return _number(self._ask(method, *params))

    def _bytes(self, method: str, *params: Any) -> bytes:
        found = self._ask(method, *params)
        if not isinstance(found, str) or not _DATA.fullmatch(found):
            _unusable()
        return bytes.fromhex(found[2:])

    def _object(self, method: str, *params: Any) -> dict[str, Any]:
        found = self._ask(method, *params)
        if not isinstance(found, dict):
            _unusable()
        return found

    def _ask(self, method: str, *params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        try:
            request = urllib.request.Request(
                self._url, json.dumps(body).encode(), {"Content-Type": "application/json", "User-Agent": "bloxtr8"}
            )
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                found = json.loads(answer.read(BODY_LIMIT_BYTES))
        except (OSError, HTTPException, ValueError) as error:  # no answer, half of one, or no JSON; a wrong URL
            raise ChainError(f"The node gave no answer to {method}: {error}.") from None
        if not isinstance(found, dict):
            _unusable()
        if found.get("error"):
            said = found["error"].get("message") if isinstance(found["error"], dict) else found["error"]
            raise ChainError(f"The node refused {method}: {said}")
        return found.get("result")


def _number(value: Any) -> int:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        _unusable()
    return int(value, 16)


def _unusable() -> NoReturn:
    raise ChainError("The node's answer makes no sense.")
