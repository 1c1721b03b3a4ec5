"""The buyer refuses what was delivered: the rejection and the dispute are one commit (M56, D19)."""

from typing import Any

import pytest

from bloxtr8.entities import Escrow, EscrowStatus
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions.disputes import REJECTION, filed, frozen, live, opened, rejected, withdraw
from tests.functions.escrows import (
    changed,
    confirm,
    delivery,
    file,
    hidden,
    path,
    seen,
    sound,
    turned_away,
)
from tests.functions.offers import same_but
from tests.wire import Wire

WRONG: tuple[dict[str, Any], ...] = (
    {"description": " "}, {"description": "x" * 5001}, {"reasonCode": "BECAUSE"}, {"evidenceIds": []}, {"title": "x"},
)  # fmt: skip


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.delivered(stripe)


def test_rejects_and_disputes_in_one_commit(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    evidence = filed(aws, escrow)
    place = path(escrow)
    before = aws.rows()
    wire.calls.clear()

    answer = aws.call("reject_delivery", escrow.buyer_id, REJECTION | {"evidenceIds": [evidence]}, **place)

    assert (answer.status, wire.round_trips()) == (200, 2)
    assert same_but(before, aws.rows()) == {"Escrow", "Delivery", "Dispute", "Snapshot", "AuditEntry"}
    assert frozen(escrow) == ("DISPUTED", {"DISPUTE"}, "DELIVERED")
    assert delivery(escrow).status == "REJECTED"
    dispute = live(escrow)
    assert (dispute.id, dispute.delivery_id, dispute.title) == (answer.body["id"], place["delivery_id"], None)
    assert dispute.facts["owner"]["who"] == "BUYER"
    assert dispute.facts["delivery"]["status"] == "DELIVERED"
    assert [entry.action for entry in aws.audit(escrow.id)][-1] == "reject_delivery"
    sound(aws, escrow)


def test_is_the_buyers_alone(aws: Platform, escrow: Escrow) -> None:
    refused(aws, 403, "FORBIDDEN", "reject_delivery", escrow.seller_id, REJECTION, **path(escrow))
    assert "reject_delivery" in seen(aws, escrow, escrow.buyer_id)["allowedActions"]
    assert "reject_delivery" not in seen(aws, escrow, escrow.seller_id)["allowedActions"]
    hidden(aws, "reject_delivery", escrow, escrow.buyer_id, REJECTION, deliveries=True)
    turned_away(aws, "reject_delivery", escrow.buyer_id, [REJECTION | wrong for wrong in WRONG], **path(escrow))


def test_refuses_in_every_other_state(aws: Platform, escrow: Escrow) -> None:
    for status in sorted(set(EscrowStatus) - {"FUNDS_HELD", "DELIVERED"}):
        changed(escrow, status=status)
        refused(aws, 409, "INVALID_STATE", "reject_delivery", escrow.buyer_id, REJECTION, **path(escrow))
    changed(escrow, status=EscrowStatus.DELIVERED)
    opened(aws, escrow)
    refused(aws, 409, "DISPUTE_EXISTS", "reject_delivery", escrow.buyer_id, REJECTION, **path(escrow))


def test_what_was_not_delivered_is_not_rejected(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    answer = refused(aws, 409, "INVALID_STATE", "reject_delivery", escrow.buyer_id, REJECTION, **path(escrow))
    assert answer.body["currentStatus"] == "PENDING"
    assert "reject_delivery" not in seen(aws, escrow, escrow.buyer_id)["allowedActions"]


def test_of_confirm_and_reject_at_once_one_wins(aws: Platform, escrow: Escrow) -> None:
    answers = together(lambda: confirm(aws, escrow), lambda: rejected(aws, escrow))
    assert sorted(answer.status < 300 for answer in answers) == [False, True]
    assert max(answers, key=lambda answer: answer.status).code == "INVALID_STATE"
    assert len(file(escrow).settlements) + len(file(escrow).disputes) == 1


def test_rejections_are_counted_among_themselves(aws: Platform, escrow: Escrow) -> None:
    for _ in range(3):
        assert rejected(aws, escrow).status == 200
        assert withdraw(aws, escrow).status == 200
        place = path(escrow)
        assert aws.call("verify_delivery", escrow.buyer_id, **place).status == 200
        aws.clock.advance(minutes=1)
    assert file(escrow).escrow.status == "DELIVERED"
    refused(aws, 429, "RATE_LIMITED", "reject_delivery", escrow.buyer_id, REJECTION, **path(escrow))
    assert opened(aws, escrow).status == 201
