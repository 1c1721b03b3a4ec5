"""A KMS key as an account of the chain: every signature is the chain's kind, and its own (rail-usdc.md, Signing)."""

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from eth_account import Account
from eth_keys.datatypes import PrivateKey

from bloxtr8.rails.base import RailBug, RailOutcomeUnknown
from bloxtr8.rails.usdc import signer
from bloxtr8.rails.usdc.signer import ORDER, KmsSigner
from tests import emulator
from tests.emulator import Platform

CALL = {
    "chainId": 84532,
    "nonce": 7,
    "to": "0x" + "ab" * 20,
    "value": 0,
    "data": "0x1234",
    "gas": 100_000,
    "maxFeePerGas": 10**9,
    "maxPriorityFeePerGas": 10**6,
}


@pytest.fixture
def kms_signer(aws: Platform) -> KmsSigner:
    kms = emulator.client("kms")
    key_id = kms.create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    return KmsSigner(kms, key_id)


class Pen:
    """KMS of a known key, which always answers the higher of the two signatures."""

    def __init__(self, key: int, signs_with: int | None = None) -> None:
        self.key, self.other = PrivateKey(key.to_bytes(32, "big")), PrivateKey((signs_with or key).to_bytes(32, "big"))

    def get_public_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 (as AWS calls it)
        return {"PublicKey": bytes(24) + self.key.public_key.to_bytes()}

    def sign(self, **asked: Any) -> dict[str, Any]:
        made = self.other.sign_msg_hash(asked["Message"])
        return {"Signature": encode_dss_signature(made.r, max(made.s, ORDER - made.s))}


def test_every_signature_is_low_and_recovers_to_the_key(kms_signer: KmsSigner) -> None:
    raw = [kms_signer.sign_digest(hashlib.sha256(bytes([n])).digest()) for n in range(40)]
    assert all(0 < made.s <= ORDER // 2 and made.v in (0, 1) for made in raw)
    assert {made.v for made in raw} == {0, 1}


def test_a_high_signature_is_turned_low() -> None:
    pen = KmsSigner(Pen(5), "key")
    for n in range(20):
        digest = hashlib.sha256(bytes([n])).digest()
        high = signer.of_der(Pen(5).sign(Message=digest)["Signature"])
        assert high[1] > ORDER // 2
        assert pen.sign_digest(digest)[1:] == (high[0], ORDER - high[1])


def test_a_signed_transaction_is_the_one_that_was_asked_for_by_the_account(kms_signer: KmsSigner) -> None:
    signed = kms_signer.sign(CALL)
    assert signed.raw.startswith("0x02")
    assert Account.recover_transaction(signed.raw).lower() == kms_signer.address
    assert kms_signer.sign(CALL).hash != signed.hash  # KMS is not deterministic: store before sending


def test_a_signature_of_another_key_is_never_used() -> None:
    with pytest.raises(RailBug, match="not of the signer"):
        KmsSigner(Pen(5, signs_with=6), "key").sign_digest(bytes(32))


@pytest.mark.parametrize("size", [1, 31, 32])
def test_a_signature_is_read_as_it_was_written(size: int) -> None:
    r, s = int.from_bytes(bytes([0x80] * size)), int.from_bytes(bytes([0x7F] * size))
    assert signer.of_der(encode_dss_signature(r, s)) == (r, s)


GOOD = encode_dss_signature(ORDER - 1, 5)


@pytest.mark.parametrize(
    "der",
    [b"", b"0", GOOD[:-1], GOOD + b"0", b"1" + GOOD[1:], GOOD[:2] + b"3" + GOOD[3:], b"0\x03" + b"\x02\x01\x05",
     b"0\x09" + b"\x02\x01\x05" * 3],
    ids=["nothing", "a tag", "cut", "longer", "no sequence", "no number", "one number", "three numbers"],
)  # fmt: skip
def test_what_is_no_signature_is_refused(der: bytes) -> None:
    with pytest.raises(RailBug):
        signer.of_der(der)


@pytest.mark.parametrize(
    ("code", "raised"), [("AccessDeniedException", RailBug), ("ThrottlingException", RailOutcomeUnknown)]
)
def test_what_kms_refuses_moves_nothing(code: str, raised: type[Exception]) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code}}, "Sign")

    with pytest.raises(raised, match=code):
        _ = KmsSigner(SimpleNamespace(get_public_key=refuse), "key").address


def test_the_public_key_is_asked_once(kms_signer: KmsSigner) -> None:
    asked = []
    real = Pen(9)
    kms = SimpleNamespace(get_public_key=lambda **by: asked.append(1) or real.get_public_key(**by), sign=real.sign)
    pen = KmsSigner(kms, "key")
    assert pen.address == pen.address
    assert len(asked) == 1
