"""A trade's deposit address: a hash of the frozen terms, as `onchain/Escrow.sol` computes it. Pure and light.

Addresses are lower-case `0x…` texts; amounts are in the token's base units; times are unix seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bloxtr8.addresses import checksum, keccak

_CLONE = (
    bytes.fromhex("3d602d80600a3d3981f3363d3d373d3d3d363d73"),
    bytes.fromhex("5af43d82803e903d91602b57fd5bf3"),
)  # ERC-1167


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a vault is bound to, and where: `contract.terms["vault"]`."""

    chain_id: int
    escrow_contract: str
    escrow_id: str  # bytes32: keccak256 of the `esc_…` id
    token: str
    buyer: str
    seller: str
    fee_receiver: str
    amount: int
    reclaim_after: int
    max_fee_bps: int

    @classmethod
    def from_json(cls, frozen: Mapping[str, Any]) -> Self:
        """From the frozen JSON; addresses in any case. Raises KeyError where one is missing."""
        return cls(
            chain_id=frozen["chainId"],
            escrow_contract=frozen["escrowContract"].lower(),
            escrow_id=frozen["escrowId"].lower(),
            token=frozen["token"].lower(),
            buyer=frozen["buyer"].lower(),
            seller=frozen["seller"].lower(),
            fee_receiver=frozen["feeReceiver"].lower(),
            amount=frozen["amount"],
            reclaim_after=frozen["reclaimAfter"],
            max_fee_bps=frozen["maxFeeBps"],
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON it was frozen as."""
        return {
            "chainId": self.chain_id,
            "escrowContract": self.escrow_contract,
            "escrowId": self.escrow_id,
            "token": self.token,
            "buyer": self.buyer,
            "seller": self.seller,
            "feeReceiver": self.fee_receiver,
            "amount": self.amount,
            "reclaimAfter": self.reclaim_after,
            "maxFeeBps": self.max_fee_bps,
        }

    def encoded(self) -> bytes:
        """abi.encode(terms): all eight are static, so it is eight words of 32 bytes."""
        texts = (self.escrow_id, self.token, self.buyer, self.seller, self.fee_receiver)
        numbers = (self.amount, self.reclaim_after, self.max_fee_bps)
        words = [bytes.fromhex(text[2:]).rjust(32, b"\0") for text in texts]
        return b"".join([*words, *(number.to_bytes(32, "big") for number in numbers)])


def terms_hash(terms: Terms) -> str:
    """The key of `Escrow.stateOf`, and the salt of the vault."""
    return "0x" + keccak(terms.encoded()).hex()


def address(terms: Terms) -> str:
    """Where the buyer pays: the CREATE2 clone of the vault's implementation, whether or not code is there yet."""
    contract = bytes.fromhex(terms.escrow_contract[2:])
    implementation = keccak(b"\xd6\x94" + contract + b"\x01")[12:]  # CREATE, nonce 1
    code = keccak(implementation.join(_CLONE))
    return "0x" + keccak(b"\xff" + contract + keccak(terms.encoded()) + code)[12:].hex()


def payment_uri(terms: Terms, place: str, units: int) -> str:
    """What a wallet reads from the QR code: a transfer of USDC to the vault on its chain (EIP-681)."""
    return f"ethereum:{checksum(terms.token)}@{terms.chain_id}/transfer?address={checksum(place)}&uint256={units}"
