"""Contracts nobody signed in time are void, and documents that were lost are made again (M36)."""

import datetime as dt
import json
from typing import Any

import pytest

from bloxtr8 import config, table
from bloxtr8.entities import Listing, User
from tests import factories
from tests.checks import together
from tests.emulator import Clock, Platform
from tests.functions.contracts import FREE, STANDS, deal, escrow, sign
from tests.functions.offers import same_but, volume
from tests.wire import Wire

ROUNDS = 3


@pytest.fixture
def renders(aws: Platform, wire: Wire) -> list[str]:
    """The contracts whose document was asked for; it is made at once."""
    asked: list[str] = []

    def render(call: dict[str, Any]) -> dict[str, Any]:
        assert (call["InvocationType"], call["FunctionName"]) == ("Event", config.settings().render_contract_arn)
        event = json.loads(call["Payload"])
        asked.append(event["contractId"])
        aws.invoke("render_contract", event)
        return {"StatusCode": 202}

    wire.instead("Invoke", render)
    return asked


def enforce(aws: Platform) -> None:
    aws.invoke("enforce_contract_deadlines")


def test_voids_what_was_not_signed_in_time_with_all_around_it(aws: Platform, clock: Clock) -> None:
    contract = factories.contract()
    sign(aws, contract.buyer_id, contract)
    clock.moment = contract.sign_by
    before = aws.rows()

    enforce(aws)

    assert same_but(before, aws.rows()) == {"Contract", "Offer", "Listing", "Deals", "AuditEntry"}
    row = factories.contract_row(contract)
    assert (row.status, row.reason, row.next_look) == ("VOID", "SIGN_WINDOW_CLOSED", None)
    assert deal(contract) == FREE
    assert [volume(table.get(User, id=one)) for one in (row.buyer_id, row.seller_id)] == [(0, 0), (0, 0)]
    assert table.get(Listing, id=row.listing_id).reserved_offer_id is None
    entry = aws.audit(contract.id)[-1]
    assert (entry.action, entry.actor, entry.role) == (
        "expire_contract", "enforce_contract_deadlines", "SYSTEM",
    )  # fmt: skip
    enforce(aws)
    assert aws.audit(contract.id)[-1].hash == entry.hash


def test_leaves_what_is_not_due_and_what_is_signed(aws: Platform, clock: Clock) -> None:
    contract, done = factories.contract(), factories.contract()
    opened = factories.executed(done)
    clock.moment = contract.sign_by - dt.timedelta(milliseconds=1)
    before = aws.rows()
    enforce(aws)
    assert aws.rows() == before
    clock.moment = max(contract.sign_by, done.sign_by)
    enforce(aws)
    assert (factories.contract_row(done).status, opened.status, deal(done)) == ("EXECUTED", "AWAIT_FUNDS", STANDS)


def test_has_a_lost_document_made_again(aws: Platform, clock: Clock, renders: list[str]) -> None:
    contract = factories.accepted()
    enforce(aws)
    assert renders == []
    clock.advance(minutes=2)

    enforce(aws)

    assert renders == [contract.id]
    row = factories.contract_row(contract)
    assert (row.status, row.next_look, row.looks) == ("PENDING_SIGNATURE", contract.sign_by, 0)


def test_looks_less_and_less_often_until_the_window_closes(aws: Platform, clock: Clock, wire: Wire) -> None:
    asked: list[dict[str, Any]] = []
    wire.instead("Invoke", lambda call: asked.append(call) or {"StatusCode": 202})
    contract = factories.accepted()
    waits = []
    for _ in range(8):
        look = factories.contract_row(contract).next_look
        waits.append(round((look - clock.moment).total_seconds() / 60))
        clock.moment = look
        enforce(aws)
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    assert len(asked) == 8
    clock.moment = contract.sign_by - dt.timedelta(minutes=5)
    enforce(aws)
    assert factories.contract_row(contract).next_look == contract.sign_by
    clock.moment = contract.sign_by
    enforce(aws)
    assert (factories.contract_row(contract).status, len(asked)) == ("VOID", 9)
    assert deal(contract) == FREE


def test_a_lost_invocation_is_repeated_at_the_next_look(
    aws: Platform, clock: Clock, renders: list[str], wire: Wire
) -> None:
    contract = factories.accepted()
    clock.advance(minutes=2)
    wire.instead("Invoke", lambda _: 1 / 0)
    enforce(aws)
    assert factories.contract_row(contract).looks == 1
    wire.instead("Invoke", lambda call: aws.invoke("render_contract", json.loads(call["Payload"])))
    clock.advance(minutes=4)
    enforce(aws)
    assert factories.contract_row(contract).status == "PENDING_SIGNATURE"


def test_one_bad_row_does_not_stop_the_others(aws: Platform, clock: Clock) -> None:
    broken, fine = factories.contract(), factories.contract()
    listing = table.get(Listing, id=broken.listing_id)
    listing.reserved_offer_id, listing.status = None, "CANCELLED"  # what can't be, is
    table.commit(listing, action="test", actor=factories.actors.system("test"))
    clock.moment = max(broken.sign_by, fine.sign_by)

    enforce(aws)

    assert (factories.contract_row(broken).status, factories.contract_row(fine).status) == ("PENDING_SIGNATURE", "VOID")


def test_two_runs_at_once_void_it_once(aws: Platform, clock: Clock) -> None:
    for _ in range(ROUNDS):
        contract = factories.contract()
        clock.moment = contract.sign_by

        together(*[lambda: enforce(aws)] * 2)

        assert deal(contract) == FREE
        assert [one.action for one in aws.audit(contract.id)][1:] == ["expire_contract"]


def test_a_signature_that_was_faster_wins(aws: Platform, clock: Clock, wire: Wire) -> None:
    contract = factories.contract()
    sign(aws, contract.buyer_id, contract)

    def sign_first() -> None:
        """It was decided a moment before the window closed, and written while the job was deciding."""
        now, clock.moment = clock.moment, contract.sign_by - dt.timedelta(seconds=1)
        assert sign(aws, contract.seller_id, contract).status == 201
        clock.moment = now

    clock.moment = contract.sign_by
    wire.before("TransactWriteItems", sign_first)

    enforce(aws)

    assert factories.contract_row(contract).status == "EXECUTED"
    assert escrow(contract) is not None
    assert deal(contract) == STANDS
