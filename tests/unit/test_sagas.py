"""The one starter of work: it looks at a row and its run, and starts, wakes or does nothing, whoever asks how often."""

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from bloxtr8 import sagas, table
from bloxtr8.actors import system
from bloxtr8.entities import (
    Contract,
    ContractStatus,
    Entity,
    Escrow,
    EscrowStatus,
    Listing,
    Settlement,
    SettlementStatus,
    StripeEscrow,
)
from bloxtr8.errors import StaleWrite
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions.webhooks import Machines, error
from tests.wire import Wire

JOB = system("test")
ESCROW = "esc_01JDCZ0000000000000000000A"
SETTLEMENT = "stl_01JDCZ0000000000000000000B"


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def escrow(status: EscrowStatus, **fields: Any) -> Escrow:
    return Escrow(id=ESCROW, status=status, **fields)


def settlement(status: SettlementStatus) -> Settlement:
    return Settlement(id=SETTLEMENT, escrow_id=ESCROW, status=status)


WAITING = [
    ("escrow unpaid", escrow(EscrowStatus.AWAIT_FUNDS), f"{ESCROW}-1", {"escrowId": ESCROW}),
    ("escrow cancelled, rail open", escrow(EscrowStatus.CANCELLED), f"{ESCROW}-1", {"escrowId": ESCROW}),
    (
        "settlement",
        settlement(SettlementStatus.OPEN),
        f"{SETTLEMENT}-1",
        {"escrowId": ESCROW, "settlementId": SETTLEMENT},
    ),
]
AT_REST: list[Entity] = [
    *(escrow(status) for status in EscrowStatus if status not in {EscrowStatus.AWAIT_FUNDS, EscrowStatus.CANCELLED}),
    escrow(EscrowStatus.CANCELLED, funding_closed=True),
    *(settlement(status) for status in SettlementStatus if status is not SettlementStatus.OPEN),
    *(Contract(id="con_1", status=status) for status in ContractStatus if status is not ContractStatus.PENDING_PDF),
    Listing(id="lst_1"),
]


@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize(("row", "name", "event"), [case[1:] for case in WAITING], ids=[case[0] for case in WAITING])
def test_what_waits_is_started_once_with_ids_alone(
    machines: Machines, row: Entity, name: str, event: dict[str, str], restart: bool
) -> None:
    for _ in range(3):
        sagas.react(row, JOB, restart=restart)

    assert (machines.started, machines.inputs) == ([name], {name: event})


@pytest.mark.parametrize("row", AT_REST, ids=lambda row: f"{row.entity} {getattr(row, 'status', '')}")
def test_what_does_not_wait_is_left_alone(machines: Machines, row: Entity) -> None:
    sagas.react(row, JOB)
    assert (machines.asked, machines.rendered) == (0, [])


def test_a_contract_without_its_document_is_rendered(machines: Machines) -> None:
    sagas.react(Contract(id="con_1", status=ContractStatus.PENDING_PDF), JOB)
    assert machines.rendered == ["con_1"]


def test_a_run_that_ended_while_it_still_waits_is_followed_by_the_next(aws: Platform, machines: Machines) -> None:
    row = factories.executed()
    sagas.react(row, JOB)
    sagas.react(row, JOB)
    assert machines.started == [f"{row.id}-1"]
    machines.ended.add(f"{row.id}-1")

    sagas.react(row, JOB)

    assert machines.started == [f"{row.id}-1", f"{row.id}-2"]
    assert factories.escrow_row(row).funding_run == 2
    entry = aws.audit(row.id)[-1]
    assert (entry.action, entry.actor, entry.details) == ("restart_funding", "test", {"run": 2})


def test_the_stream_never_starts_another_run(aws: Platform, machines: Machines) -> None:
    row = factories.executed()
    sagas.react(row, JOB, restart=False)
    machines.ended.add(f"{row.id}-1")
    sagas.react(row, JOB, restart=False)
    assert (machines.started, factories.escrow_row(row).version) == ([f"{row.id}-1"], row.version)


def test_a_run_that_was_counted_but_never_started_is_started(aws: Platform, machines: Machines, wire: Wire) -> None:
    row = factories.executed()
    sagas.react(row, JOB)
    machines.ended.add(f"{row.id}-1")
    start = machines.start
    wire.instead("StartExecution", _lost)
    with pytest.raises(ConnectionClosedError):
        sagas.react(row, JOB)
    wire.instead("StartExecution", start)

    sagas.react(factories.escrow_row(row), JOB)

    assert machines.started == [f"{row.id}-1", f"{row.id}-2"]


def _lost(_: dict[str, Any]) -> None:
    raise ConnectionClosedError(endpoint_url="https://aws.test")


def test_two_who_see_an_ended_run_start_one(aws: Platform, machines: Machines) -> None:
    row = factories.executed()
    sagas.react(row, JOB)
    machines.ended.add(f"{row.id}-1")

    def look() -> bool:
        try:
            sagas.react(factories.escrow_row(row), JOB)
        except StaleWrite:
            return False
        return True

    assert any(together(look, look))
    assert machines.started == [f"{row.id}-1", f"{row.id}-2"]
    assert factories.escrow_row(row).funding_run == 2


def test_a_settlements_next_run_waits_longer(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    paid = factories.funded(stripe)
    headers = {"Idempotency-Key": "k"}
    assert aws.call("refund_escrow", paid.seller_id, {"reason": "no"}, headers=headers, escrow_id=paid.id).status == 202
    settlement_id = factories.escrow_row(paid).settlement_id
    read = partial(table.get, Settlement, escrow_ulid=paid.ulid, id=settlement_id)
    sagas.react(read(), JOB)
    machines.ended.add(f"{settlement_id}-1")

    sagas.react(read(), JOB)

    assert machines.started[-2:] == [f"{settlement_id}-1", f"{settlement_id}-2"]
    row = read()
    assert (row.run, row.next_look is not None and row.next_look > aws.clock.moment) == (2, True)
    entry = aws.audit(paid.id)[-1]
    assert (entry.action, entry.details) == ("restart_settlement", {"run": 2})


def test_anything_else_that_aws_says_is_an_error(aws: Platform, machines: Machines, wire: Wire) -> None:
    row = factories.executed()
    for operation, restart in (("DescribeExecution", True), ("StartExecution", False)):

        def denied(_: dict[str, Any], operation: str = operation) -> None:
            raise error("AccessDeniedException", operation)

        wire.instead(operation, denied)
        with pytest.raises(ClientError, match="AccessDenied"):
            sagas.react(row, JOB, restart=restart)


# --- tokens


def rail(token: str | None) -> StripeEscrow:
    return StripeEscrow(escrow_id=ESCROW, task_token=token)


@pytest.mark.parametrize("outcome", ["PAID", "CANCELLED", "DEADLINE"])
def test_the_waiting_machine_is_told(machines: Machines, outcome: str) -> None:
    sagas.answer(rail("t"), outcome)
    assert machines.answered == [("t", outcome)]


def test_without_a_token_nobody_is_told(machines: Machines) -> None:
    sagas.answer(rail(None), "PAID")
    assert machines.answered == []


@pytest.mark.parametrize("late", ["InvalidToken", "TaskDoesNotExist", "TaskTimedOut"])
def test_too_late_is_no_error(machines: Machines, late: str) -> None:
    machines.late = late
    sagas.answer(rail("t"), "PAID")
    assert machines.answered == []


def test_any_other_refusal_of_a_token_is_one(machines: Machines) -> None:
    machines.late = "AccessDeniedException"
    with pytest.raises(ClientError):
        sagas.answer(rail("t"), "PAID")


@pytest.mark.parametrize(
    "lost", [StaleWrite("x"), error("ThrottlingException", "StartExecution"), ConnectionClosedError(endpoint_url="x")]
)
def test_what_is_lost_after_a_persons_commit_does_not_take_his_answer(lost: Exception) -> None:
    with sagas.after_commit():
        raise lost


def test_a_mistake_of_ours_after_a_commit_is_still_one() -> None:
    with pytest.raises(KeyError), sagas.after_commit():
        raise KeyError("x")
