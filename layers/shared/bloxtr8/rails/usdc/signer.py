"""A key in KMS as an account of the chain (rail-usdc.md, Signing): it signs digests; what it says is checked first."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys.datatypes import PublicKey
from eth_keys.datatypes import Signature as Recoverable
from eth_keys.exceptions import BadSignature
from eth_utils.address import to_checksum_address

from bloxtr8.addresses import keccak
from bloxtr8.rails.base import RailBug, RailOutcomeUnknown

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1
_SEQUENCE, _INTEGER = 0x30, 0x02  # tags of DER
REFUSED = {"AccessDeniedException", "NotFoundException", "DisabledException", "InvalidKeyUsageException"}


class Signature(NamedTuple):
    """`v` is the parity, 0 or 1; `s` is in the lower half of the curve's order (EIP-2)."""

    v: int
    r: int
    s: int


class Signed(NamedTuple):
    """A transaction as it goes to the chain, both in hex."""

    hash: str
    raw: str


class Signer(Protocol):
    """Who settles and postpones."""

    @property
    def address(self) -> str: ...

    def sign(self, transaction: dict[str, Any]) -> Signed: ...


class KmsSigner:
    """The platform's signer. Its public key is asked once."""

    def __init__(self, kms: Any, key_id: str) -> None:
        self._kms, self._key_id = kms, key_id

    @functools.cached_property
    def _public(self) -> PublicKey:
        with _translated():
            info: bytes = self._kms.get_public_key(KeyId=self._key_id)["PublicKey"]
        return PublicKey(info[-64:])  # SubjectPublicKeyInfo ends in 0x04, X, Y

    @property
    def address(self) -> str:
        """Lower case."""
        return str(self._public.to_address())

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """An EIP-1559 transaction: chainId, nonce, to, value, data, gas, maxFeePerGas, maxPriorityFeePerGas.

        KMS is not deterministic: signing twice makes two hashes, so store what it made before it is sent.
        """
        to = to_checksum_address(transaction["to"])
        unsigned = {**transaction, "to": to, "type": 2, "accessList": ()}
        signature = self.sign_digest(bytes(TypedTransaction.from_dict(unsigned).hash()))
        raw = TypedTransaction.from_dict({**unsigned, **signature._asdict()}).encode()
        return Signed("0x" + keccak(raw).hex(), "0x" + raw.hex())

    def sign_digest(self, digest: bytes) -> Signature:
        """RailBug where it does not recover to our key."""
        with _translated():
            der: bytes = self._kms.sign(
                KeyId=self._key_id, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
            )["Signature"]
        r, s = low(*of_der(der))
        for v in (0, 1):
            if _recovers(digest, Signature(v, r, s), self._public):
                return Signature(v, r, s)
        raise RailBug("the signature is not of the signer's key")


def of_der(der: bytes) -> tuple[int, int]:
    """SEQUENCE { INTEGER r, INTEGER s }, as KMS answers: each length is one byte, since all of it is at most 70. Raises
    RailBug for anything else."""
    if len(der) < 2 or der[0] != _SEQUENCE or der[1] != len(der) - 2:
        raise RailBug("the signature is no DER sequence")
    r, rest = _integer(der[2:])
    s, rest = _integer(rest)
    if rest:
        raise RailBug("the signature has more than two numbers")
    return r, s


def _integer(der: bytes) -> tuple[int, bytes]:
    """The number that comes first, and what follows it."""
    if len(der) < 3 or der[0] != _INTEGER:
        raise RailBug("the signature holds no number")
    end = 2 + der[1]
    return int.from_bytes(der[2:end]), der[end:]


def low(r: int, s: int) -> tuple[int, int]:
    """The same signature with the lower of the two `s` it may have: the chain takes no other."""
    return r, min(s, ORDER - s)


def _recovers(digest: bytes, signature: Signature, public: PublicKey) -> bool:
    try:
        found = Recoverable(vrs=signature).recover_public_key_from_msg_hash(digest)
    except BadSignature:
        return False
    return bool(found == public)


@contextmanager
def _translated() -> Iterator[None]:
    """A signature that did not come has moved nothing; KMS is asked again, unless it refuses for good."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise (RailBug if code in REFUSED else RailOutcomeUnknown)(f"KMS {code}") from None
    except BotoCoreError as error:
        raise RailOutcomeUnknown(f"KMS {type(error).__name__}") from None
