"""The only starter of work (states.md, One reaction): look at a row and its run, and start, wake or do nothing.

Called by dispatch_events (the fast path, which may lose anything), by the enforcing jobs, by process_webhook_event
after it recorded a fact, and by resume_settlement. Calling it too often does nothing; never calling it only delays
until `next_look`.
"""

import functools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bloxtr8 import aws, clock, config, table
from bloxtr8.actors import Actor
from bloxtr8.domain import escrows
from bloxtr8.entities import (
    Contract,
    ContractStatus,
    Entity,
    Escrow,
    EscrowStatus,
    RailRow,
    Settlement,
    SettlementStatus,
)
from bloxtr8.errors import StaleWrite
from bloxtr8.ids import ulid_of
from bloxtr8.logs import logger

_TOO_LATE = {"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"}


def react(row: Entity, actor: Actor, *, restart: bool = True) -> bool:
    """Do what `row`, read just now, waits for; nothing where it waits for nothing or its run is under way.

    A run that ended while the row still waits is followed by the next. Not so with `restart=False`, for the stream: a
    slow leg's own entries would start run after run. Returns whether it saved the row, as its next run.
    """
    saved = False
    if isinstance(row, Contract) and row.status is ContractStatus.PENDING_PDF:
        _invoke(config.settings().render_contract_arn, {"contractId": row.id})
    elif isinstance(row, Escrow) and waits_for_funding(row):
        saved = restart and _next_funding_run(row)
        if saved:
            table.commit(row, action="restart_funding", actor=actor, details={"run": row.funding_run})
        _start(config.settings().fund_escrow_arn, f"{row.id}-{row.funding_run}", {"escrowId": row.id})
    elif isinstance(row, Settlement) and row.status is SettlementStatus.OPEN:
        saved = restart and _next_settlement_run(row)
        if saved:
            escrow = table.get(Escrow, ulid=ulid_of(row.escrow_id))
            table.commit(escrow, row, action="restart_settlement", actor=actor, details={"run": row.run})
        event = {"escrowId": row.escrow_id, "settlementId": row.id}
        _start(config.settings().settle_escrow_arn, f"{row.id}-{row.run}", event)
    return saved


def renew(row: Entity) -> bool:
    """Give a row that waits, and whose run is over, its next run: for the caller's own commit, after which he calls
    `react` with `restart=False`. Returns whether the row was changed. Where that cannot be seen, the next look will."""
    try:
        if isinstance(row, Escrow) and waits_for_funding(row):
            return _next_funding_run(row)
        if isinstance(row, Settlement) and row.status is SettlementStatus.OPEN:
            return _next_settlement_run(row)
    except (BotoCoreError, ClientError):
        logger.warning("whether a run is over can't be seen; the next look will", exc_info=True)
    return False


def waits_for_funding(escrow: Escrow) -> bool:
    """AWAIT_FUNDS, or cancelled while the rail could still take money."""
    return escrow.status is EscrowStatus.AWAIT_FUNDS or (
        escrow.status is EscrowStatus.CANCELLED and not escrow.funding_closed
    )


def answer(rail: RailRow, outcome: str) -> None:
    """Wake the funding machine: PAID, CANCELLED or DEADLINE. No token yet, or one answered before, is not an error."""
    if rail.task_token is None:
        return
    try:
        _client("stepfunctions").send_task_success(taskToken=rail.task_token, output=json.dumps({"outcome": outcome}))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _TOO_LATE:
            raise


@contextmanager
def after_commit() -> Iterator[None]:
    """Around what follows a person's commit: his answer stands, and what is lost here `next_look` repairs."""
    try:
        yield
    except (BotoCoreError, ClientError, StaleWrite):
        logger.warning("not started; the next look will", exc_info=True)


def _next_funding_run(escrow: Escrow) -> bool:
    if not _ended(config.settings().fund_escrow_arn, f"{escrow.id}-{escrow.funding_run}"):
        return False
    escrow.funding_run += 1
    return True


def _next_settlement_run(settlement: Settlement) -> bool:
    if not _ended(config.settings().settle_escrow_arn, f"{settlement.id}-{settlement.run}"):
        return False
    settlement.run += 1
    settlement.next_look = clock.now() + escrows.repair_delay(settlement.looks)
    return True


def _ended(machine: str, name: str) -> bool:
    """Whether that execution exists and is over, however it ended: a slow leg ends its attempt with success."""
    try:
        found = _client("stepfunctions").describe_execution(
            executionArn=f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
            return False
        raise
    return bool(found["status"] != "RUNNING")


def _start(machine: str, name: str, event: dict[str, str]) -> None:
    """Start an execution under its name; a twin that started it first is as good."""
    try:
        _client("stepfunctions").start_execution(stateMachineArn=machine, name=name, input=json.dumps(event))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise


def _invoke(function: str, event: dict[str, str]) -> None:
    _client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())


@functools.cache
def _client(service: str) -> Any:
    return aws.client(service)
