"""The seller begins to hand over, and not before the money is held (M52)."""

import datetime as dt

import pytest

from bloxtr8.entities import Escrow
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions.chain import FakeChain, chain, wallets
from tests.functions.escrows import changed, delivery, hidden, row, seen, sound, turned_away
from tests.functions.offers import same_but
from tests.wire import Wire

__all__ = ["chain", "wallets"]
BODY = {"description": "Ownership goes over tonight. 🎮"}
WRONG = ({"description": ""}, {"description": "x" * 5001}, {"description": "a\x00"}, {"description": 5}, {"x": 1}, [])


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.funded(stripe)


def test_starts_the_delivery(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    before = aws.rows()
    wire.calls.clear()

    answer = aws.call("start_delivery", escrow.seller_id, BODY, escrow_id=escrow.id)

    assert (answer.status, wire.round_trips()) == (200, 2)
    kept = delivery(escrow)
    assert (answer.body["id"], answer.body["status"]) == (kept.id, "IN_PROGRESS")
    assert (kept.status, kept.description, kept.started_at is not None) == ("IN_PROGRESS", BODY["description"], True)
    assert same_but(before, aws.rows()) == {"Escrow", "Delivery", "AuditEntry"}
    assert row(escrow).status == "FUNDS_HELD"
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("start_delivery", escrow.seller_id, "SELLER")
    assert sound(aws, escrow) == {"BUYER": -100_000, "HELD": 100_000}
    allowed = seen(aws, escrow, escrow.seller_id)["allowedActions"]
    assert ("mark_delivered" in allowed, "start_delivery" in allowed) == (True, False)
    problem = refused(aws, 409, "INVALID_STATE", "start_delivery", escrow.seller_id, BODY, escrow_id=escrow.id).body
    assert problem["currentStatus"] == "IN_PROGRESS"


def test_is_the_sellers_alone(aws: Platform, escrow: Escrow) -> None:
    refused(aws, 403, "FORBIDDEN", "start_delivery", escrow.buyer_id, BODY, escrow_id=escrow.id)
    turned_away(aws, "start_delivery", escrow.seller_id, WRONG, escrow_id=escrow.id)
    hidden(aws, "start_delivery", escrow, escrow.seller_id, {"milestoneId": "mst_1"})
    part = {"milestoneId": "mst_1"}  # of a deal that has none
    refused(aws, 404, "NOT_FOUND", "start_delivery", escrow.seller_id, part, escrow_id=escrow.id)
    stale = {"If-Match": '"1"'}
    refused(aws, 412, "VERSION_MISMATCH", "start_delivery", escrow.seller_id, {}, headers=stale, escrow_id=escrow.id)


def test_not_before_the_money(aws: Platform) -> None:
    escrow = factories.executed()

    problem = refused(aws, 409, "INVALID_STATE", "start_delivery", escrow.seller_id, {}, escrow_id=escrow.id).body

    assert problem["currentStatus"] == "AWAIT_FUNDS"


def test_the_same_request_and_two_at_once_start_it_once(aws: Platform, escrow: Escrow) -> None:
    def start() -> int:
        return aws.call("start_delivery", escrow.seller_id, {}, escrow_id=escrow.id).status

    version = row(escrow).version
    assert sorted(together(start, start)) == [200, 409]
    assert row(escrow).version == version + 1


def test_not_where_the_vaults_term_would_come_before_the_end_of_the_inspection(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.held(aws, chain)
    term = dt.datetime.fromtimestamp(chains.vault_row(escrow).terms["reclaimAfter"], dt.UTC)
    last = term + dt.timedelta(days=90) - dt.timedelta(seconds=escrow.inspect_seconds)  # it is postponed, once
    changed(escrow, deliver_by=last)  # disputes and holds took the time
    refused(aws, 422, "TERM_TOO_NEAR", "start_delivery", escrow.seller_id, BODY, escrow_id=escrow.id)
    assert "start_delivery" not in seen(aws, escrow, escrow.seller_id)["allowedActions"]
    changed(escrow, deliver_by=last - dt.timedelta(seconds=1))
    assert aws.call("start_delivery", escrow.seller_id, BODY, escrow_id=escrow.id).status == 200
