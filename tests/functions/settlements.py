"""Proposals to settle, made and answered as the parties do it."""

from typing import Any

from bloxtr8.entities import Escrow, SettlementProposal
from tests.emulator import Answer, Platform
from tests.functions import escrows

WHY = "The group lost half of its members"
GONE = "prp_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"


def parts(escrow: Escrow, to_seller: int) -> dict[str, Any]:
    """The body of a proposal that gives the seller so many cents of the amount."""
    return {"sellerAmount": to_seller, "buyerAmount": escrow.amount - to_seller, "reason": WHY}


def propose(
    aws: Platform, escrow: Escrow, to_seller: int, user: Any = None, rest: int | None = None, **options: Any
) -> Answer:
    """The buyer (or somebody else) proposes; of the amount, or of so much that is left."""
    body = parts(escrow, to_seller) | ({} if rest is None else {"buyerAmount": rest - to_seller})
    return aws.call("propose_settlement", user or escrow.buyer_id, body, escrow_id=escrow.id, **options)


def proposed(aws: Platform, escrow: Escrow, to_seller: int, user: Any = None) -> str:
    """The same where it is taken. Returns the proposal's id."""
    answer = propose(aws, escrow, to_seller, user)
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


def answer(
    aws: Platform, verb: str, escrow: Escrow, proposal: str, user: Any, key: str = "k", **options: Any
) -> Answer:
    """Somebody accepts, rejects or withdraws it."""
    headers = {"Idempotency-Key": key} | options.pop("headers", {})
    path = {"escrow_id": escrow.id, "proposal_id": proposal}
    return aws.call(f"{verb}_settlement", user, headers=headers, **path, **options)


def accept(aws: Platform, escrow: Escrow, proposal: str, user: Any = None, key: str = "k", **options: Any) -> Answer:
    """The seller (or somebody else) accepts."""
    return answer(aws, "accept", escrow, proposal, user or escrow.seller_id, key, **options)


def agreed(aws: Platform, escrow: Escrow, to_seller: int) -> None:
    """The buyer proposes and the seller accepts."""
    accepted = accept(aws, escrow, proposed(aws, escrow, to_seller))
    assert accepted.status == 202, accepted.body


def row(escrow: Escrow) -> SettlementProposal:
    """The newest proposal as it lies in the table."""
    return escrows.file(escrow).proposals[-1]
