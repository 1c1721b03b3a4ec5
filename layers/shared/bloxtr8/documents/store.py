"""Documents in S3: contracts by their sha256, written once and read again before anybody relies on them (D18)."""

import base64
import functools
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from bloxtr8 import aws, config, errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READ_SECONDS = 300
UPLOAD_SECONDS = 900
PUT_ATTEMPTS = 3
NOT_FOUND = 404

_SHA256 = re.compile(r"[0-9a-f]{64}")
_GONE = {"NoSuchKey"}


@dataclass(frozen=True, slots=True)
class Stored:
    """A document that is where it should be, re-read and equal. `size` in bytes."""

    sha256: str
    key: str
    size: int


def key_of(sha256: str) -> str:
    """The one place of a contract's file."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError("not a sha256")
    return f"contracts/sha256/{sha256}.pdf"


def put(pdf: bytes) -> Stored:
    """Store a contract under its own hash, unless it is there, and read it back.

    Safe to repeat and to race: an equal object is success. Raises InvalidState CONTRACT_TAMPERED where another object
    is in its place, and UpstreamFailed where S3 gave no answer (what it did is unknown: put it again).
    """
    sha256 = hashlib.sha256(pdf).hexdigest()
    if not any(_put_once(key_of(sha256), pdf) for _ in range(PUT_ATTEMPTS)):
        raise errors.UpstreamFailed("The document store is busy with the same contract.")
    verify(sha256)
    return Stored(sha256, key_of(sha256), len(pdf))


def verify(sha256: str) -> None:
    """Read the contract and hash it. Raises InvalidState CONTRACT_TAMPERED (409) where it is missing or not itself.

    Raises UpstreamFailed where S3 could not be read: an outage is no evidence of anything.
    """
    found = _read(key_of(sha256))
    if found is None or hashlib.sha256(found).hexdigest() != sha256:
        raise errors.InvalidState(
            "The stored contract is not the one that was made.", "CONTRACT_TAMPERED", sha256=sha256
        )


def presign(sha256: str, seconds: int = READ_SECONDS) -> str:
    """A link by which whoever has it reads this contract, for so many seconds. Verify first; give it to a party."""
    return _s3().generate_presigned_url(
        "get_object",
        Params={
            "Bucket": config.settings().contracts_bucket,
            "Key": key_of(sha256),
            "ResponseContentType": "application/pdf",
            "ResponseContentDisposition": f'inline; filename="contract-{sha256[:12]}.pdf"',
        },
        ExpiresIn=seconds,
    )


def presign_evidence(key: str, sha256: str, content_type: str, size_bytes: int) -> tuple[str, dict[str, str]]:
    """A link by which one file is uploaded once, and the headers that must come with it: S3 refuses any other content.

    Bound by the signature: hash, type, size, and that nothing is there yet. The size is a header too, which every
    client sets by itself. A file that never arrives, or changes later, shows by its hash.
    """
    checksum = _checksum(sha256)
    url = _s3().generate_presigned_url(
        "put_object",
        Params={
            "Bucket": config.settings().evidence_bucket,
            "Key": key,
            "ContentType": content_type,
            "ContentLength": size_bytes,
            "ChecksumSHA256": checksum,
            "IfNoneMatch": "*",
        },
        ExpiresIn=UPLOAD_SECONDS,
    )
    return url, {"Content-Type": content_type, "x-amz-checksum-sha256": checksum, "If-None-Match": "*"}


def evidence_key(escrow_id: str, sha256: str) -> str:
    """The one place of a file in an escrow, however often and by however many it is filed."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError("not a sha256")
    return f"evidence/{escrow_id}/{sha256}"


def evidence_state(key: str, sha256: str, size_bytes: int) -> str:
    """STORED where the object has the hash and the size that were named at its upload, CHANGED where it has others or
    none, MISSING where it never came, UNKNOWN where S3 does not say.

    S3 worked the checksum out of the bytes it stores and keeps it with them, so nothing is downloaded. An upload by our
    link always has one: an object without it is not that upload.
    """
    try:
        found = _s3().head_object(Bucket=config.settings().evidence_bucket, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        return "MISSING" if error.response["ResponseMetadata"]["HTTPStatusCode"] == NOT_FOUND else "UNKNOWN"
    except BotoCoreError:
        return "UNKNOWN"
    same = found.get("ChecksumSHA256") == _checksum(sha256) and found["ContentLength"] == size_bytes
    return "STORED" if same else "CHANGED"


def presign_evidence_file(key: str, evidence_id: str, content_type: str, seconds: int = READ_SECONDS) -> str:
    """A link by which whoever has it reads this file, for so many seconds; a browser saves it and shows nothing. Its
    type is the piece's: another piece may have brought the same bytes under another."""
    return _s3().generate_presigned_url(
        "get_object",
        Params={
            "Bucket": config.settings().evidence_bucket,
            "Key": key,
            "ResponseContentType": content_type,
            "ResponseContentDisposition": f'attachment; filename="{evidence_id}"',
        },
        ExpiresIn=seconds,
    )


def _checksum(sha256: str) -> str:
    """A hash as S3 writes it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def put_webhook(key: str, body: bytes) -> None:
    """Keep a webhook's body, unless it is there. Raises what S3 raises: the provider then delivers it again."""
    try:
        _s3().put_object(
            Bucket=config.settings().evidence_bucket,
            Key=key,
            Body=body,
            ContentType="application/json",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise


def _put_once(key: str, pdf: bytes) -> bool:
    """Whether something is there now: this upload, or one before it. False: another upload was under way, ask again."""
    try:
        _s3().put_object(
            Bucket=config.settings().contracts_bucket,
            Key=key,
            Body=pdf,
            ContentType="application/pdf",
            ChecksumSHA256=base64.b64encode(hashlib.sha256(pdf).digest()).decode(),
            IfNoneMatch="*",
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in {"PreconditionFailed", "ConditionalRequestConflict"}:
            raise errors.UpstreamFailed("The document store did not take the contract.") from error
        return code == "PreconditionFailed"
    except BotoCoreError as error:
        raise errors.UpstreamFailed("The document store did not answer.") from error
    return True


def _read(key: str) -> bytes | None:
    try:
        return _s3().get_object(Bucket=config.settings().contracts_bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return None
        raise errors.UpstreamFailed("The document store could not be read.") from error
    except BotoCoreError as error:
        raise errors.UpstreamFailed("The document store could not be read.") from error


@functools.cache
def _s3() -> "S3Client":
    """Opened on first use. Virtual addressing: links name the bucket's own region, not the global endpoint."""
    client: S3Client = aws.client(
        "s3",
        retries={"total_max_attempts": 3, "mode": "standard"},
        signature_version="s3v4",
        s3={"addressing_style": "virtual"},
    )
    return client
