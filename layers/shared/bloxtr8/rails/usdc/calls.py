"""The contract's words: what is called, what it logs, and why it refuses. Pure; no web3."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bloxtr8.addresses import keccak
from bloxtr8.money import units_of
from bloxtr8.rails.base import LegKind, LegOrder, RailBug
from bloxtr8.rails.usdc.vault import Terms

TERMS = "(bytes32,address,address,address,address,uint128,uint64,uint16)"
TRANSFER = "0x" + keccak(b"Transfer(address,address,uint256)").hex()
SETTLED = "0x" + keccak(b"Settled(address,uint8,uint256,uint256,uint256)").hex()
RECLAIMED = "0x" + keccak(b"Reclaimed(address,address,uint256)").hex()

_TEXT = keccak(b"Error(string)")[:4]  # how older contracts say why: Circle's does


@dataclass(frozen=True, slots=True)
class Payment:
    """What one call of `settle` pays, in base units."""

    to_seller: int
    fee: int
    to_buyer: int

    @property
    def total(self) -> int:
        return self.to_seller + self.fee + self.to_buyer


def payment_of(order: LegOrder) -> Payment:
    """What a leg pays. RailBug for what a vault can't do."""
    if order.amount <= 0 or order.fee < 0 or order.also_buyer < 0:
        raise RailBug(f"{order.leg_id} moves nothing")
    match order.kind:
        case LegKind.TRANSFER:
            cents = (order.amount, order.fee, order.also_buyer)
        case LegKind.REFUND if not order.also_buyer:
            cents = (0, order.fee, order.amount)
        case _:
            raise RailBug(f"{order.leg_id}: a vault takes nothing back")
    return Payment(*map(units_of, cents))


def settle(terms: Terms, index: int, payment: Payment) -> str:
    """Call data, in hex."""
    numbers = (index, payment.to_seller, payment.fee, payment.to_buyer)
    return _call(f"settle({TERMS},uint8,uint256,uint256,uint256)", terms, *map(_word, numbers))


def postpone(terms: Terms) -> str:
    return _call(f"postpone({TERMS})", terms)


def vault_of(terms: Terms) -> str:
    return _call(f"vaultOf({TERMS})", terms)


def state_of(terms_hash: str) -> str:
    return _selector("stateOf(bytes32)") + terms_hash[2:]


def balance_of(account: str) -> str:
    return _selector("balanceOf(address)") + topic(account)[2:]


def is_blacklisted(account: str) -> str:
    return _selector("isBlacklisted(address)") + topic(account)[2:]


def paused() -> str:
    return _selector("paused()")


def topic(address: str) -> str:
    """An address as an indexed field of a log has it."""
    return "0x" + address[2:].lower().rjust(64, "0")


def number_topic(number: int) -> str:
    return "0x" + _word(number).hex()


def address_in(word: str) -> str:
    """The address in the last 20 bytes of a word."""
    return "0x" + word[-40:].lower()


def numbers(data: bytes) -> list[int]:
    """The words of an answer."""
    return [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]


def refusal(data: bytes) -> str:
    """Why a call reverts: `AlreadyDone(66)`, or the text that the token gives; at most 200 letters."""
    selector, words = data[:4], data[4:]
    if selector == _TEXT and len(words) >= 64:
        length = int.from_bytes(words[32:64], "big")
        return words[64 : 64 + length].decode(errors="replace")[:200]
    known = _errors().get(selector)
    if known is None:
        return f"reverted 0x{data[:36].hex()}"
    return f"{known}({', '.join(map(str, numbers(words)))})"[:200]


def _call(signature: str, terms: Terms, *words: bytes) -> str:
    return _selector(signature) + b"".join([terms.encoded(), *words]).hex()


def _selector(signature: str) -> str:
    return "0x" + keccak(signature.encode())[:4].hex()


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


@functools.cache
def _errors() -> Mapping[bytes, str]:
    """The names of the errors of both contracts and of what they stand on, from the committed artifact."""
    artifact: dict[str, Any] = json.loads((Path(__file__).parent / "artifact.json").read_text())
    errors = [entry for made in artifact["contracts"].values() for entry in made["abi"] if entry["type"] == "error"]
    return {
        keccak(f"{entry['name']}({','.join(each['type'] for each in entry['inputs'])})".encode())[:4]: entry["name"]
        for entry in errors
    }
