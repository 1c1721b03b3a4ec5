"""An administrator lets go on what was parked: as the next run, once, and only that (states.md, section 4; D32)."""

import json
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from bloxtr8.entities import Escrow, EscrowStatus, Hold, PlatformRole, User
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Answer, Platform
from tests.functions.escrows import (
    BAD_REASONS,
    MISSING,
    confirm,
    file,
    paid_out,
    row,
    seen,
    sound,
    staff,
    turned_away,
)
from tests.functions.offers import same_but
from tests.wire import Wire

BODY, KEY = {"reason": "The account is open again."}, {"Idempotency-Key": "k"}


@pytest.fixture
def boss(aws: Platform) -> User:
    return staff(PlatformRole.PADMIN)


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    """A release that Stripe refused for good."""
    escrow = factories.delivered(stripe)
    assert confirm(aws, escrow).status == 202
    event = {"escrowId": escrow.id, "settlementId": row(escrow).settlement_id}
    aws.invoke("park_settlement", event | {"error": "RailBug"})
    return row(escrow)


def machines(wire: Wire) -> list[dict[str, Any]]:
    """The executions that are started from here on; none ran before."""
    started: list[dict[str, Any]] = []

    def start(arguments: dict[str, Any]) -> dict[str, Any]:
        started.append(arguments)
        return {}

    wire.instead("StartExecution", start)
    wire.instead("DescribeExecution", lambda _: {"status": "RUNNING"})
    return started


def resume(aws: Platform, escrow: Escrow, boss: User, key: str = "k") -> Answer:
    return aws.call("resume_settlement", boss, BODY, headers={"Idempotency-Key": key}, escrow_id=escrow.id)


def test_goes_on_as_the_next_run_and_pays_once(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User, wire: Wire
) -> None:
    assert (escrow.status, escrow.holds) == (EscrowStatus.SETTLING, {Hold.PAYOUT_FAILED})
    assert seen(aws, escrow, boss)["allowedActions"] == ["resume_settlement"]
    assert seen(aws, escrow, escrow.seller_id)["holds"] == ["PAYOUT_FAILED"]
    started, before = machines(wire), aws.rows()
    wire.calls.clear()

    answer = resume(aws, escrow, boss)

    assert (answer.status, wire.round_trips()) == (202, 3)
    (plan,) = file(escrow).settlements
    assert (plan.status, plan.run, plan.error, row(escrow).holds) == ("OPEN", 2, None, frozenset())
    assert (answer.body["settlements"][0]["status"], answer.body["holds"]) == ("OPEN", [])
    assert answer.body["allowedActions"] == []
    assert same_but(before, aws.rows()) == {"Escrow", "Settlement", "AuditEntry", "Idempotency"}
    assert [(one["name"], json.loads(one["input"])) for one in started] == [
        (f"{plan.id}-2", {"escrowId": escrow.id, "settlementId": plan.id})
    ]
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.role, entry.details) == ("resume_settlement", boss.id, "PADMIN", BODY)

    assert paid_out(stripe, escrow).status is EscrowStatus.RELEASED
    assert sound(aws, escrow) == {"BUYER": -100_000, "SELLER": 97_100, "FEES": 2_900}
    assert [event["type"] for event in stripe.events].count("transfer.created") == 1


def test_a_start_that_is_lost_leaves_the_answer_and_the_next_look(
    aws: Platform, escrow: Escrow, boss: User, wire: Wire
) -> None:
    machines(wire)
    wire.instead("DescribeExecution", _lost)

    answer = resume(aws, escrow, boss)

    (plan,) = file(escrow).settlements
    assert (answer.status, plan.status, plan.next_look is not None) == (202, "OPEN", True)
    assert resume(aws, escrow, boss).headers["Idempotency-Replayed"] == "true"


def _lost(_: Any) -> Any:
    raise ConnectionClosedError(endpoint_url="https://states.test")


def test_is_for_administrators_who_name_a_key(aws: Platform, escrow: Escrow, boss: User) -> None:
    others = staff(PlatformRole.SUPPORT, PlatformRole.ARBITER, PlatformRole.COMPLIANCE)
    for user in (escrow.buyer_id, escrow.seller_id, others, factories.user()):
        for escrow_id in (escrow.id, MISSING):
            answer = aws.call("resume_settlement", user, BODY, headers=KEY, escrow_id=escrow_id)
            assert (answer.status, answer.code) == (403, "FORBIDDEN")
    path = {"escrow_id": escrow.id}
    refused(aws, 400, "IDEMPOTENCY_KEY_REQUIRED", "resume_settlement", boss, BODY, **path)
    refused(aws, 412, "VERSION_MISMATCH", "resume_settlement", boss, BODY, headers=KEY | {"If-Match": '"1"'}, **path)
    turned_away(aws, "resume_settlement", boss, BAD_REASONS, headers=KEY, **path)
    for escrow_id in ("esc_1", "esc_\x00", MISSING):
        assert aws.call("resume_settlement", boss, BODY, headers=KEY, escrow_id=escrow_id).status == 404
    for party in (escrow.buyer_id, escrow.seller_id):
        aws.invoke("grant_staff_role", {"userId": party, "role": "PADMIN"})
        refused(aws, 403, "CONFLICT_OF_INTEREST", "resume_settlement", party, BODY, headers=KEY, **path)
        assert "resume_settlement" not in seen(aws, escrow, party)["allowedActions"]
    assert file(escrow).settlements[0].status == "PARKED"


def test_nothing_parked_is_nothing_to_resume(aws: Platform, boss: User) -> None:
    escrow = factories.executed()

    problem = refused(aws, 409, "INVALID_STATE", "resume_settlement", boss, BODY, headers=KEY, escrow_id=escrow.id).body

    assert problem["currentStatus"] == "AWAIT_FUNDS"
    assert seen(aws, escrow, boss)["allowedActions"] == []


def test_of_two_at_once_one_resumes(aws: Platform, escrow: Escrow, boss: User, wire: Wire) -> None:
    machines(wire)

    answers = together(lambda: resume(aws, escrow, boss, "a"), lambda: resume(aws, escrow, boss, "b"))

    assert sorted(answer.status for answer in answers) == [202, 409]
    assert file(escrow).settlements[0].run == 2
