"""The arbiter decides: the money goes where the decision says, to the cent, and the dispute closes with it (M64)."""

from typing import Any
from unittest import mock

import pytest

from bloxtr8 import rails, table
from bloxtr8.entities import Deals, Escrow, EscrowStatus, Hold, PlatformRole
from bloxtr8.rails.base import RailDeclined
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions import chargebacks
from tests.functions.disputes import WHY, arbiter, assigned, live, names, newest, opened, rejected, resolve, seen
from tests.functions.escrows import around, changed, delivery, file, paid_out, refund, row, sound, staff, turned_away
from tests.functions.offers import same_but
from tests.functions.settlements import accept, agreed, proposed
from tests.functions.webhooks import Machines
from tests.wire import Wire

KEY = {"Idempotency-Key": "k"}
BODY: dict[str, Any] = {"outcome": "SPLIT", "sellerAmount": 33_333, "buyerAmount": 66_667, "resolution": WHY}
WRONG: tuple[dict[str, Any], ...] = (
    {"outcome": "BOTH"}, {"outcome": None}, {"sellerAmount": -1}, {"sellerAmount": "1"}, {"buyerAmount": 1.5},
    {"buyerAmount": 10**12}, {"resolution": "x" * 19}, {"resolution": " " * 30}, {"resolution": "x" * 5001},
    {"resolution": None}, {"reason": "x"},
)  # fmt: skip


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    found = factories.funded(stripe)
    opened(aws, found)
    return found


def test_a_split_pays_both_to_the_cent_and_closes_it(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, wire: Wire
) -> None:
    judge = assigned(aws, escrow)
    before, place = aws.rows(), names(escrow)
    wire.calls.clear()

    answer = aws.call("resolve_dispute", judge, BODY, headers=KEY, **place)

    assert (answer.status, wire.round_trips()) == (202, 3)
    kept = file(escrow)
    assert answer.body == {"status": "SETTLING", "settlementId": kept.escrow.settlement_id}
    assert same_but(before, aws.rows()) == {"Escrow", "Dispute", "Settlement", "Leg", "AuditEntry", "Idempotency"}
    dispute = newest(escrow)
    assert (str(dispute.status), dispute.decision, dispute.outcome) == ("RESOLVED", "SPLIT", None)
    assert (dispute.seller_amount, dispute.buyer_amount, dispute.resolution) == (33_333, 66_667, WHY)
    (plan,) = kept.settlements
    assert (plan.kind, plan.to_seller, plan.to_platform, plan.to_buyer) == ("SPLIT", 32_367, 966, 66_667)
    assert (plan.reason, plan.actor, dispute.settlement_id) == ("DISPUTE_RESOLVED", judge.id, plan.id)
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.role, entry.actor) == ("resolve_dispute", "ARBITER", judge.id)
    assert WHY not in str(entry.details)
    assert (entry.details["sellerAmount"], entry.details["buyerAmount"]) == (33_333, 66_667)

    end = paid_out(stripe, escrow)

    assert (end.status, end.released, end.fees, end.refunded, end.held) == ("SPLIT", 32_367, 966, 66_667, 0)
    assert (str(newest(escrow).status), newest(escrow).outcome) == ("CLOSED", "EXECUTED")
    assert seen(aws, escrow, escrow.buyer_id)["dispute"]["resolution"] == WHY
    assert around(escrow)["listing"] == "INACTIVE"  # the group is the seller's still
    assert [table.get(Deals, user_id=user).disputed for user in (escrow.buyer_id, escrow.seller_id)] == [1, 1]
    assert sound(aws, escrow) == {"BUYER": -33_333, "SELLER": 32_367, "FEES": 966}


@pytest.mark.parametrize(
    ("outcome", "seller", "buyer", "status", "listing"),
    [("RELEASE", 100_000, 0, "RELEASED", "SOLD"), ("REFUND", 0, 100_000, "REFUNDED", "INACTIVE")],
)
def test_a_release_and_a_refund_end_as_such(
    aws: Platform,
    stripe: StripeDouble,
    escrow: Escrow,
    outcome: str,
    seller: int,
    buyer: int,
    status: str,
    listing: str,
) -> None:
    judge = assigned(aws, escrow)
    assert resolve(aws, escrow, judge, outcome, seller, buyer).status == 202
    assert str(file(escrow).settlements[0].kind) == outcome
    end = paid_out(stripe, escrow)
    assert (str(end.status), newest(escrow).outcome) == (status, "EXECUTED")
    assert around(escrow)["listing"] == listing
    sound(aws, escrow)


@pytest.mark.parametrize(("fee", "paid"), [(0, (3_237, 96, 6_667)), (100, (3_237, 129, 6_734))])
def test_the_worked_numbers_hold_to_the_cent(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, fee: int, paid: tuple[int, int, int]
) -> None:
    monkeypatch.setenv("BUYER_FEE_BPS", str(fee))
    escrow = factories.funded(stripe, amount=10_000)
    opened(aws, escrow)
    assert resolve(aws, escrow, assigned(aws, escrow), "SPLIT", 3_333, 6_667).status == 202
    end = paid_out(stripe, escrow)
    assert (end.released, end.fees, end.refunded, end.held) == (*paid, 0)


def test_a_split_of_what_the_buyer_has_sells_it(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    rejected(aws, escrow)
    judge = assigned(aws, escrow)
    resolve(aws, escrow, judge, "SPLIT", 60_000, 40_000)
    assert str(paid_out(stripe, escrow).status) == "SPLIT"
    assert (around(escrow)["listing"], delivery(escrow).status) == ("SOLD", "CANCELLED")


def test_a_split_of_what_the_seller_has_again_does_not(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    _, roblox = factories._ground
    roblox.set_group(escrow.asset_id, owner=escrow.seller_roblox_id)
    opened(aws, escrow, reasonCode="REVERSED")
    judge = assigned(aws, escrow)
    resolve(aws, escrow, judge, "SPLIT", 60_000, 40_000)
    paid_out(stripe, escrow)
    assert around(escrow)["listing"] == "INACTIVE"


def test_the_amounts_are_all_that_remains_and_what_the_outcome_says(aws: Platform, escrow: Escrow) -> None:
    judge = assigned(aws, escrow)
    for seller, buyer in ((33_333, 66_666), (100_000, 1), (0, 0)):
        body = BODY | {"sellerAmount": seller, "buyerAmount": buyer}
        answer = refused(aws, 422, "SUM_MISMATCH", "resolve_dispute", judge, body, headers=KEY, **names(escrow))
        assert answer.body["remaining"] == 100_000
    for outcome, seller in (("RELEASE", 99_999), ("REFUND", 1), ("SPLIT", 0), ("SPLIT", 100_000)):
        body = BODY | {"outcome": outcome, "sellerAmount": seller, "buyerAmount": 100_000 - seller}
        refused(aws, 422, "OUTCOME_MISMATCH", "resolve_dispute", judge, body, headers=KEY, **names(escrow))
    turned_away(aws, "resolve_dispute", judge, [BODY | wrong for wrong in WRONG], headers=KEY, **names(escrow))


def test_only_the_assigned_arbiter_decides(aws: Platform, escrow: Escrow) -> None:
    judge = arbiter()
    answer = refused(aws, 409, "INVALID_STATE", "resolve_dispute", judge, BODY, headers=KEY, **names(escrow))
    assert answer.body["currentStatus"] == "OPEN"
    mine = assigned(aws, escrow)
    for user in (judge, escrow.buyer_id, escrow.seller_id):
        refused(aws, 403, "FORBIDDEN", "resolve_dispute", user, BODY, headers=KEY, **names(escrow))
        assert "resolve_dispute" not in seen(aws, escrow, user)["dispute"]["allowedActions"]
    for stranger in (factories.user(), staff(PlatformRole.SUPPORT, PlatformRole.COMPLIANCE, PlatformRole.PADMIN)):
        refused(aws, 404, "NOT_FOUND", "resolve_dispute", stranger, BODY, headers=KEY, **names(escrow))
    refused(aws, 400, "IDEMPOTENCY_KEY_REQUIRED", "resolve_dispute", mine, BODY, **names(escrow))
    stale = KEY | {"If-Match": f'"{newest(escrow).version + 1}"'}
    refused(aws, 412, "VERSION_MISMATCH", "resolve_dispute", mine, BODY, headers=stale, **names(escrow))


@pytest.mark.parametrize("hold", [Hold.CHARGEBACK, Hold.COMPLIANCE])
def test_waits_for_a_chargeback_and_every_other_hold(aws: Platform, escrow: Escrow, hold: Hold) -> None:
    judge = assigned(aws, escrow)
    changed(escrow, holds=frozenset({hold}))
    answer = refused(aws, 409, "ESCROW_ON_HOLD", "resolve_dispute", judge, BODY, headers=KEY, **names(escrow))
    assert answer.body["holds"] == [str(hold)]
    assert "resolve_dispute" not in seen(aws, escrow, judge)["dispute"]["allowedActions"]
    changed(escrow, holds=frozenset())
    assert resolve(aws, escrow, judge, "REFUND", 0, 100_000).status == 202


def test_waits_for_the_bank_and_decides_when_it_is_won(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, wire: Wire
) -> None:
    Machines(wire)
    judge = assigned(aws, escrow)
    chargeback = chargebacks.disputed(aws, stripe, escrow)
    refused(aws, 409, "ESCROW_ON_HOLD", "resolve_dispute", judge, BODY, headers=KEY, **names(escrow))
    chargebacks.decided(aws, stripe, chargeback, "won")
    assert (str(live(escrow).status), row(escrow).frozen_causes) == ("IN_REVIEW", {"DISPUTE"})
    assert resolve(aws, escrow, judge, "REFUND", 0, 100_000).status == 202


def test_waits_for_a_settlement_under_way(aws: Platform, escrow: Escrow) -> None:
    judge = assigned(aws, escrow)
    changed(escrow, settlement_id="stl_1")
    answer = refused(aws, 409, "SETTLEMENT_IN_PROGRESS", "resolve_dispute", judge, BODY, headers=KEY, **names(escrow))
    assert answer.body["settlementId"] == "stl_1"


def test_what_cannot_be_paid_as_decided_may_be_settled_otherwise(
    aws: Platform, stripe: StripeDouble, escrow: Escrow
) -> None:
    judge = assigned(aws, escrow)
    resolve(aws, escrow, judge, "RELEASE", 100_000, 0)
    with mock.patch.object(type(rails.get("STRIPE")), "send", side_effect=RailDeclined("no", code="no")):
        assert factories.settle(escrow).holds == {Hold.PAYOUT_FAILED}
    assert str(newest(escrow).status) == "RESOLVED"  # parked: neither executed nor open again

    agreed(aws, escrow, 0)

    assert str(paid_out(stripe, escrow).status) == "REFUNDED"
    assert (str(newest(escrow).status), newest(escrow).outcome) == ("CLOSED", "SETTLED")
    assert sound(aws, escrow) == {}


def test_a_decision_leaves_no_proposal_to_accept(aws: Platform, escrow: Escrow) -> None:
    judge = assigned(aws, escrow)
    proposal = proposed(aws, escrow, 50_000)
    resolve(aws, escrow, judge, "REFUND", 0, 100_000)
    answer = accept(aws, escrow, proposal)
    assert (answer.status, answer.code) == (409, "INVALID_STATE")
    assert len(file(escrow).settlements) == 1


def test_the_same_request_decides_once(aws: Platform, escrow: Escrow) -> None:
    judge = assigned(aws, escrow)
    first = resolve(aws, escrow, judge, "SPLIT", 33_333, 66_667)
    before = aws.rows()
    again = resolve(aws, escrow, judge, "SPLIT", 33_333, 66_667)
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (202, first.body, "true")
    assert resolve(aws, escrow, judge, "REFUND", 0, 100_000, key="other").code == "INVALID_STATE"
    assert aws.rows() == before


def test_of_a_refund_and_a_decision_at_once_one_wins(aws: Platform, escrow: Escrow) -> None:
    judge = assigned(aws, escrow)
    decided, refunded = together(
        lambda: resolve(aws, escrow, judge, "RELEASE", 100_000, 0), lambda: refund(aws, escrow)
    )
    won, lost = sorted((decided, refunded), key=lambda answer: answer.status)
    assert (won.status, lost.status, lost.code) == (202, 409, "INVALID_STATE")
    (plan,) = file(escrow).settlements
    assert plan.kind == ("RELEASE" if decided is won else "REFUND")


def test_who_is_no_arbiter_any_more_decides_nothing(aws: Platform, escrow: Escrow) -> None:
    judge = assigned(aws, escrow)
    aws.invoke("grant_staff_role", {"userId": judge.id, "role": "ARBITER", "revoke": True})
    refused(aws, 404, "NOT_FOUND", "resolve_dispute", judge, BODY, headers=KEY, **names(escrow))
    assert (str(live(escrow).status), row(escrow).status) == ("IN_REVIEW", EscrowStatus.DISPUTED)
