"""The seller gives everything back, from wherever the money is held, without staff (M45, M47)."""

import pytest

from bloxtr8 import actors, ids, table
from bloxtr8.entities import Dispute, DisputeStatus, Escrow, EscrowStatus, Hold
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Clock, Platform
from tests.functions.escrows import (
    BAD_REASONS,
    around,
    changed,
    confirm,
    delivery,
    file,
    hidden,
    paid_out,
    refund,
    row,
    seen,
    sound,
    turned_away,
)
from tests.functions.offers import same_but
from tests.wire import Wire

BODY, KEY = {"reason": "Sorry."}, {"Idempotency-Key": "k"}
ROUNDS = 2  # fifty: tests/races


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.funded(stripe)


def disputed(escrow: Escrow) -> Dispute:
    """The escrow with a dispute that an arbiter looks at."""
    dispute = Dispute(
        escrow_id=escrow.id, id=ids.new("dsp"), opener_id=escrow.buyer_id, reason_code="OTHER",
        status=DisputeStatus.IN_REVIEW, respond_by=escrow.deliver_by, created_at=escrow.created_at,
    )  # fmt: skip
    found = row(escrow)
    found.status, found.frozen_from = EscrowStatus.DISPUTED, str(found.status)
    table.commit(found, dispute, action="test", actor=actors.system("test"))
    return dispute


def test_gives_the_gross_back_and_ends_refunded(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, wire: Wire
) -> None:
    monkeypatch.setenv("BUYER_FEE_BPS", "100")
    escrow = factories.funded(stripe)
    before = aws.rows()
    wire.calls.clear()

    answer = refund(aws, escrow)

    assert (answer.status, wire.round_trips()) == (202, 2)
    kept = file(escrow)
    assert answer.body == {"status": "SETTLING", "settlementId": kept.escrow.settlement_id}
    assert same_but(before, aws.rows()) == {"Escrow", "Settlement", "Leg", "AuditEntry", "Idempotency"}
    (plan,), (leg,) = kept.settlements, kept.legs
    assert (plan.kind, plan.to_buyer, plan.to_seller, plan.to_platform, plan.reason) == (
        "REFUND",
        101_000,
        0,
        0,
        "Sorry.",
    )
    assert (leg.pays, leg.amount, leg.destination, leg.status) == ("BUYER", 101_000, None, "PLANNED")
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.role, entry.details) == ("refund_escrow", escrow.seller_id, "SELLER", BODY)
    assert sound(aws, escrow) == {"BUYER": -101_000, "HELD": 101_000}

    end = paid_out(stripe, escrow)

    assert (end.status, end.refunded, end.held, end.settlement_id) == (EscrowStatus.REFUNDED, 101_000, 0, None)
    assert delivery(escrow).status == "CANCELLED"
    assert around(escrow)["listing"] == "INACTIVE"
    assert sound(aws, escrow) == {}


@pytest.mark.parametrize("delivered", [True, False])
def test_closes_the_dispute_that_has_nothing_left_to_decide(
    aws: Platform, stripe: StripeDouble, delivered: bool
) -> None:
    escrow = (factories.delivered if delivered else factories.funded)(stripe)
    dispute = disputed(escrow)
    assert "refund_escrow" in seen(aws, escrow, escrow.seller_id)["allowedActions"]

    assert refund(aws, escrow).status == 202

    assert seen(aws, escrow, escrow.buyer_id)["dispute"] == {
        "id": dispute.id, "status": "CLOSED", "reasonCode": "OTHER", "outcome": "REFUNDED_BY_SELLER",
        "createdAt": seen(aws, escrow, escrow.seller_id)["dispute"]["createdAt"],
    }  # fmt: skip
    assert paid_out(stripe, escrow).status is EscrowStatus.REFUNDED


def test_is_the_sellers_alone_and_needs_a_key(aws: Platform, escrow: Escrow) -> None:
    path = {"escrow_id": escrow.id}
    refused(aws, 403, "FORBIDDEN", "refund_escrow", escrow.buyer_id, BODY, headers=KEY, **path)
    refused(aws, 400, "IDEMPOTENCY_KEY_REQUIRED", "refund_escrow", escrow.seller_id, BODY, **path)
    refused(
        aws, 412, "VERSION_MISMATCH", "refund_escrow", escrow.seller_id, BODY, headers=KEY | {"If-Match": '"1"'}, **path
    )
    turned_away(aws, "refund_escrow", escrow.seller_id, BAD_REASONS, headers=KEY, **path)
    hidden(aws, "refund_escrow", escrow, escrow.seller_id, BODY, headers=KEY)


def test_waits_for_holds_and_for_a_settlement_under_way(aws: Platform, escrow: Escrow) -> None:
    changed(escrow, holds=frozenset({Hold.COMPLIANCE}))
    path = {"escrow_id": escrow.id, "headers": KEY}
    problem = refused(aws, 409, "ESCROW_ON_HOLD", "refund_escrow", escrow.seller_id, BODY, **path).body
    assert problem["holds"] == ["COMPLIANCE"]
    assert "refund_escrow" not in seen(aws, escrow, escrow.seller_id)["allowedActions"]
    changed(escrow, holds=frozenset(), settlement_id="stl_1")
    problem = refused(aws, 409, "SETTLEMENT_IN_PROGRESS", "refund_escrow", escrow.seller_id, BODY, **path).body
    assert problem["settlementId"] == "stl_1"


def test_refuses_before_the_money_and_after_the_end(aws: Platform, escrow: Escrow) -> None:
    for status in sorted(set(EscrowStatus) - {"FUNDS_HELD", "DELIVERED", "DISPUTED"}):
        version = changed(escrow, status=status).version
        answer = refund(aws, escrow)
        assert (answer.status, answer.code, answer.body["currentStatus"]) == (409, "INVALID_STATE", status)
        assert row(escrow).version == version


def test_the_same_request_moves_money_once(aws: Platform, escrow: Escrow, clock: Clock) -> None:
    first = refund(aws, escrow)
    before = aws.rows()

    again = refund(aws, escrow)

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (202, first.body, "true")
    assert refund(aws, escrow, key="other").code == "INVALID_STATE"
    reused = aws.call("refund_escrow", escrow.seller_id, {"reason": "Else."}, headers=KEY, escrow_id=escrow.id)
    assert (reused.status, reused.code) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert aws.rows() == before


def test_of_confirm_and_refund_at_once_one_wins(aws: Platform, stripe: StripeDouble) -> None:
    for _ in range(ROUNDS):
        escrow = factories.delivered(stripe)
        confirmed, refunded = together(
            lambda escrow=escrow: confirm(aws, escrow), lambda escrow=escrow: refund(aws, escrow)
        )
        won, lost = sorted((confirmed, refunded), key=lambda answer: answer.status)
        assert (won.status, lost.status, lost.code) == (202, 409, "INVALID_STATE")
        assert lost.body["currentStatus"] == "SETTLING"
        (plan,) = file(escrow).settlements
        assert plan.kind == ("RELEASE" if confirmed is won else "REFUND")
        assert delivery(escrow).status == ("CONFIRMED" if confirmed is won else "DELIVERED")
        sound(aws, escrow)
