"""A person's wallet: a key, its address, and what the key signs."""

import secrets
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ec
from eth_utils.crypto import keccak

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True)
class Wallet:
    """By its private key, as hex with 0x."""

    key: str

    @classmethod
    def new(cls) -> Self:
        """A wallet nobody had before."""
        return cls(f"0x{1 + secrets.randbelow(_ORDER - 1):064x}")

    @property
    def address(self) -> str:
        """Its account, lower-case."""
        point = ec.derive_private_key(int(self.key, 16), ec.SECP256K1()).public_key().public_numbers()
        return "0x" + keccak(point.x.to_bytes(32) + point.y.to_bytes(32))[12:].hex()

    def sign(self, message: str) -> str:
        """An EIP-191 signature of a text (an EIP-4361 message, for instance), 65 bytes as hex with 0x."""
        from eth_account import Account
        from eth_account.messages import encode_defunct

        return str(Account.sign_message(encode_defunct(text=message), self.key).signature.to_0x_hex())
