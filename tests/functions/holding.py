"""What COMPLIANCE does about a hold, as the tests of the room do it."""

from typing import Any

from bloxtr8 import clock
from bloxtr8.domain import holds
from bloxtr8.entities import Escrow, PlatformRole, User
from tests import factories
from tests.emulator import Answer, Platform
from tests.functions import escrows

REASON = "The sender's bank has answered."


def officer() -> User:
    """A person of COMPLIANCE who is no party."""
    return escrows.staff(PlatformRole.COMPLIANCE)


def body(hold: str, decision: str) -> dict[str, str]:
    return {"hold": hold, "decision": decision, "reason": REASON}


def decide(aws: Platform, escrow: Escrow, user: Any, hold: str, decision: str, **options: Any) -> Answer:
    """One vote, under a key of its own unless `key` names one."""
    key = options.pop("key", None) or f"key-{len(aws.rows())}-{hold}-{decision}"
    headers = {"Idempotency-Key": key} | options.pop("headers", {})
    return aws.call("decide_hold", user, body(hold, decision), headers=headers, escrow_id=escrow.id, **options)


def decided(aws: Platform, escrow: Escrow, hold: str, decision: str, user: Any = None) -> dict[str, Any]:
    """The decision of one person, where that is enough."""
    answer = decide(aws, escrow, user or officer(), hold, decision)
    assert (answer.status, answer.body.get("decided")) == (202, True), answer.body
    return dict(answer.body)


def desk(aws: Platform, escrow: Escrow, user: Any = None) -> dict[str, Any]:
    """What COMPLIANCE sees of it."""
    return dict(escrows.seen(aws, escrow, user or officer())["compliance"])


def held(escrow: Escrow, *causes: str) -> Escrow:
    """The escrow after these doubts were placed."""
    row = factories.escrow_row(escrow)
    for cause in causes:
        holds.place(row, cause, clock.now())
    return escrows.changed(
        escrow, holds=row.holds, hold_causes=row.hold_causes, frozen_causes=row.frozen_causes, frozen_at=row.frozen_at,
        next_look=row.next_look,
    )  # fmt: skip
