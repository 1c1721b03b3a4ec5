"""What the tests of disputes start from and look at."""

import base64
import hashlib
from typing import Any

from bloxtr8.documents import store
from bloxtr8.entities import Dispute, Escrow, PlatformRole, User
from tests.emulator import Answer, Platform, client
from tests.functions.escrows import file, path, staff

TITLE, TEXT = "Nothing came", "The group is still the seller's, he does not answer."
CLAIM: dict[str, Any] = {"title": TITLE, "description": TEXT, "reasonCode": "NOT_DELIVERED"}
REJECTION: dict[str, Any] = {"reasonCode": "NOT_AS_DESCRIBED", "description": "It has no games."}
WHY = "Both sides share what remains, as they said."
FILE = b"a screenshot"


def opened(aws: Platform, escrow: Escrow, user: Any = None, **changes: Any) -> Answer:
    """A party (the buyer, unless another is named) opens a dispute."""
    return aws.call("open_dispute", user or escrow.buyer_id, CLAIM | changes, escrow_id=escrow.id)


def rejected(aws: Platform, escrow: Escrow, user: Any = None, **changes: Any) -> Answer:
    """The buyer rejects the delivery."""
    return aws.call("reject_delivery", user or escrow.buyer_id, REJECTION | changes, **path(escrow))


def live(escrow: Escrow) -> Dispute:
    """The dispute that lives, as it lies in the table."""
    found = file(escrow).dispute
    assert found is not None
    return found


def newest(escrow: Escrow) -> Dispute:
    """The last one that was opened."""
    return max(file(escrow).disputes, key=lambda row: row.created_at)


def names(escrow: Escrow) -> dict[str, str]:
    """The path parameters of its newest dispute."""
    return {"escrow_id": escrow.id, "dispute_id": newest(escrow).id}


def arbiter() -> User:
    return staff(PlatformRole.ARBITER)


def seen(aws: Platform, escrow: Escrow, user: Any) -> dict[str, Any]:
    """The newest dispute's file as somebody reads it."""
    answer = aws.call("get_dispute", user, **names(escrow))
    assert answer.status == 200, answer.body
    return dict(answer.body)


def assigned(aws: Platform, escrow: Escrow) -> User:
    """The arbiter who took it."""
    taker = arbiter()
    answer = aws.call("assign_dispute", taker, **names(escrow))
    assert answer.status == 200, answer.body
    return taker


def resolve(
    aws: Platform, escrow: Escrow, user: Any, outcome: str, seller: int, buyer: int, key: str = "k", **options: Any
) -> Answer:
    """An arbiter decides."""
    body = {"outcome": outcome, "sellerAmount": seller, "buyerAmount": buyer, "resolution": WHY}
    headers = {"Idempotency-Key": key} | options.pop("headers", {})
    return aws.call("resolve_dispute", user, body, headers=headers, **(names(escrow) | options))


def withdraw(aws: Platform, escrow: Escrow, user: Any = None) -> Answer:
    """Who opened the newest dispute (or somebody else) takes it back."""
    return aws.call("withdraw_dispute", user or newest(escrow).opener_id, **names(escrow))


def say(aws: Platform, escrow: Escrow, user: Any, text: str = "Please look.", **more: Any) -> Answer:
    """Somebody posts a message."""
    return aws.call("post_dispute_message", user, {"text": text, **more}, **names(escrow))


def filed(aws: Platform, escrow: Escrow, user: Any = None, content: bytes = FILE) -> str:
    """A piece of evidence whose file has yet to be uploaded. Returns its id."""
    about = {"sha256": hashlib.sha256(content).hexdigest(), "contentType": "image/png", "sizeBytes": len(content)}
    answer = aws.call("add_evidence", user or escrow.buyer_id, about | {"note": "n"}, escrow_id=escrow.id)
    assert answer.status == 201, answer.body
    return str(answer.body["evidenceId"])


def put_file(escrow: Escrow, named: bytes = FILE, content: bytes | None = None, *, checked: bool = True) -> None:
    """A file comes to the place of the one that was named, as by its link (`checked`), or past it."""
    content = named if content is None else content
    key = store.evidence_key(escrow.id, hashlib.sha256(named).hexdigest())
    checksum = {"ChecksumSHA256": base64.b64encode(hashlib.sha256(content).digest()).decode()} if checked else {}
    client("s3").put_object(Bucket="bloxtr8-local-evidence", Key=key, Body=content, **checksum)


def frozen(escrow: Escrow) -> tuple[str, set[str], str | None]:
    """The escrow's status, what stops its clocks, and the status that the dispute left."""
    row = file(escrow).escrow
    return str(row.status), set(row.frozen_causes), row.frozen_from
