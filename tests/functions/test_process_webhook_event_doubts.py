"""A payment in doubt stops, and money that went back in the Dashboard is accounted for or shown to a person."""

from typing import Any

import pytest

from bloxtr8 import table
from bloxtr8.entities import Escrow, EscrowStatus, Hold, LegStatus, SettlementStatus, StripeEscrow, WebhookStatus
from bloxtr8.rails import stripe_client
from bloxtr8.reads import escrow as file_of
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.webhooks import Machines, alarms, event, process, sent_by, stored
from tests.wire import Wire

DOUBTFUL = "pm_card_riskLevelElevated"
REVIEWS = ("review.opened", "review.closed")
REFUNDS = ("refund.created", "refund.updated", "refund.failed", "charge.refunded")


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    return alarms(monkeypatch)


def happen(aws: Platform, stripe: StripeDouble, *kinds: str) -> None:
    """The double's events of these kinds arrive, each as a delivery of its own."""
    for one in sent_by(stripe, *kinds):
        again = one | {"id": f"{one['id']}_{len(aws.rows())}"}
        assert process(aws, stored(aws, again)).status is WebhookStatus.PROCESSED


def charge_of(escrow: Escrow) -> str:
    return str(table.get(StripeEscrow, escrow_ulid=escrow.ulid).charge_id)


def review_of(stripe: StripeDouble) -> str:
    return str(sent_by(stripe, "review.opened")[-1]["data"]["object"]["id"])


def refund(escrow: Escrow, **fields: Any) -> str:
    """Somebody refunds in the Dashboard."""
    intent = str(file_of(escrow.id).rail.external_id)
    return stripe_client.client().v1.refunds.create({"payment_intent": intent, **fields}).id  # type: ignore[typeddict-item]


def actions(aws: Platform, escrow: Escrow) -> list[str]:
    return [entry.action for entry in aws.audit(escrow.id)]


# --- warnings and reviews


def test_a_fraud_warning_holds_what_is_being_paid_out_once(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow, other = factories.delivered(stripe), factories.funded(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    warning = stripe.warn(charge_of(escrow))["id"]

    for _ in range(2):
        happen(aws, stripe, "radar.early_fraud_warning.created")

    row = factories.escrow_row(escrow)
    assert (row.status, row.holds, row.hold_causes) == ("SETTLING", {Hold.RISK_REVIEW}, {f"warning:{warning}"})
    assert actions(aws, escrow).count("place_hold") == 1
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.role) == ("place_hold", "SYSTEM")
    assert entry.details == {"hold": "RISK_REVIEW", "cause": f"warning:{warning}"}
    assert [message for message, _ in told] == ["an escrow is on hold"]
    assert factories.settle(escrow).status is EscrowStatus.SETTLING
    (parked,) = file_of(escrow.id).settlements
    assert (parked.status, parked.error) == (SettlementStatus.PARKED, "ON_HOLD")
    assert sent_by(stripe, "transfer.created") == []
    assert factories.escrow_row(other).holds == set()


def test_a_held_escrow_starts_no_money_and_no_deadline_passes(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    stripe.warn(charge_of(escrow))
    happen(aws, stripe, "radar.early_fraud_warning.created")

    refused = escrows.confirm(aws, escrow)

    assert (refused.status, refused.body["code"]) == (409, "ESCROW_ON_HOLD")
    assert factories.escrow_row(escrow).frozen_causes == {Hold.RISK_REVIEW}


def test_an_approved_review_lifts_its_hold_and_the_payout_goes_on(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    stripe.review(charge_of(escrow))
    happen(aws, stripe, "review.opened")
    factories.settle(escrow)
    (parked,) = file_of(escrow.id).settlements
    assert parked.status is SettlementStatus.PARKED
    stripe.end_review(review_of(stripe))

    happen(aws, stripe, *REVIEWS)  # the opening arrives late, too: what the review says now counts

    row = factories.escrow_row(escrow)
    assert (row.holds, row.hold_causes, row.frozen_causes) == (set(), set(), set())
    assert machines.started[-1] == f"{escrow_settlement(escrow)}-2"
    assert actions(aws, escrow)[-1] == "lift_hold"
    assert factories.settle(escrow).status is EscrowStatus.RELEASED


def escrow_settlement(escrow: Escrow) -> str:
    return file_of(escrow.id).settlements[0].id


def test_a_warning_outlives_the_review(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.funded(stripe)
    stripe.review(charge_of(escrow))
    warning = stripe.warn(charge_of(escrow))["id"]
    happen(aws, stripe, "review.opened", "radar.early_fraud_warning.created")
    stripe.end_review(review_of(stripe))

    happen(aws, stripe, "review.closed")

    row = factories.escrow_row(escrow)
    assert (row.holds, row.hold_causes) == ({Hold.RISK_REVIEW}, {f"warning:{warning}"})


@pytest.mark.parametrize("reason", ["refunded", "refunded_as_fraud", "disputed"])
def test_a_review_that_ends_otherwise_lifts_nothing(
    aws: Platform, stripe: StripeDouble, machines: Machines, reason: str
) -> None:
    escrow = factories.funded(stripe)
    stripe.review(charge_of(escrow))
    happen(aws, stripe, "review.opened")
    stripe.end_review(review_of(stripe), reason)
    happen(aws, stripe, "review.closed")
    assert factories.escrow_row(escrow).holds == {Hold.RISK_REVIEW}


def test_money_that_came_under_review_is_held_only_after_its_approval(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow, DOUBTFUL)
    happen(aws, stripe, "review.opened")  # before the payment itself
    aws.invoke("screen_deposit", {"escrowId": escrow.id})
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": False}
    row = factories.escrow_row(escrow)
    assert (row.status, row.holds, row.held) == (EscrowStatus.AWAIT_FUNDS, {Hold.RISK_REVIEW}, escrow.gross)
    machines.ended.add(f"{escrow.id}-{row.funding_run}")
    machines.started.append(f"{escrow.id}-{row.funding_run}")
    stripe.end_review(review_of(stripe))

    happen(aws, stripe, "review.closed")

    assert machines.started[-1] == f"{escrow.id}-{row.funding_run + 1}"
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}


def test_a_doubt_after_the_end_rings_the_alarm_and_changes_nothing(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    ended = factories.settle(escrow)
    assert ended.status is EscrowStatus.RELEASED
    stripe.warn(charge_of(escrow))

    happen(aws, stripe, "radar.early_fraud_warning.created")

    assert factories.escrow_row(escrow).version == ended.version
    assert [message for message, _ in told] == ["a payment is in doubt after its end"]


def test_a_doubt_about_another_products_payment_is_not_ours(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.payable(stripe)
    intents = stripe_client.client().v1.payment_intents
    intent = intents.create({"amount": 500, "currency": "usd", "allowed_payment_method_types": ["card"]})
    intents.confirm(intent.id, {"payment_method": DOUBTFUL, "return_url": "https://bloxtr8.example/paid"})

    happen(aws, stripe, "review.opened")

    assert factories.escrow_row(escrow).version == escrow.version
    assert told == []


# --- refunds of the Dashboard


@pytest.mark.parametrize("start", [factories.funded, factories.delivered])
def test_a_refund_of_everything_is_adopted_and_booked_when_stripe_says_so(
    aws: Platform, stripe: StripeDouble, machines: Machines, start: Any
) -> None:
    escrow = start(stripe)
    refund_id = refund(escrow)

    for _ in range(2):
        happen(aws, stripe, "refund.created")

    file = file_of(escrow.id)
    (settlement,), (leg,) = file.settlements, file.legs
    assert (file.escrow.status, settlement.kind, settlement.reason) == ("SETTLING", "REFUND", "REFUNDED_IN_DASHBOARD")
    assert (leg.status, leg.external_id, leg.amount) == (LegStatus.SENT, refund_id, escrow.gross)
    assert file.escrow.held == escrow.gross  # not booked before Stripe says succeeded
    assert machines.started[-1] == f"{settlement.id}-1"
    assert factories.settle(escrow).status is EscrowStatus.SETTLING
    stripe.advance(seconds=3_600)
    happen(aws, stripe, "refund.updated")
    (leg,) = file_of(escrow.id).legs
    assert leg.status is LegStatus.CONFIRMED
    ended = factories.settle(escrow, settlement.id)
    assert (ended.status, ended.held, ended.refunded) == (EscrowStatus.REFUNDED, 0, escrow.gross)
    assert len(sent_by(stripe, "refund.created")) == 1
    assert actions(aws, escrow).count("adopt_refund") == 1


@pytest.mark.parametrize("refused", [False, True])
def test_a_refund_of_everything_overtakes_a_payout_of_which_nothing_moved(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]], refused: bool
) -> None:
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    refund(escrow)
    if refused:
        assert factories.settle(escrow).holds == {Hold.PAYOUT_FAILED}  # Stripe has nothing left to transfer

    for _ in range(2):
        happen(aws, stripe, "refund.created")

    assert _overtaken(escrow) == ([SettlementStatus.DROPPED, SettlementStatus.OPEN], set())
    assert [message for message, _ in told[refused:]] == ["a refund of the Dashboard overtook a payout"]
    stripe.advance(seconds=3_600)
    ended = factories.settle(escrow)
    assert (ended.status, ended.held, ended.refunded) == (EscrowStatus.REFUNDED, 0, escrow.gross)
    assert sent_by(stripe, "transfer.created") == []


def test_a_refund_told_of_while_a_leg_may_have_moved_is_adopted_once_it_did_not(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    stripe.fault("drop_before", "post", "/v1/transfers$", times=9)
    with pytest.raises(money.UNKNOWN):
        factories.settle(escrow)
    refund_id = refund(escrow)
    happen(aws, stripe, "refund.created")
    assert factories.escrow_row(escrow).hold_causes == {f"refund:{refund_id}"}
    assert [message for message, _ in told] == ["an escrow is on hold", "money moved that nobody ordered"]

    for _ in range(2):  # the leg is looked up and not there; then the hold would park it
        factories.settle(escrow, file_of(escrow.id).settlements[0].id)

    assert _overtaken(escrow) == ([SettlementStatus.DROPPED, SettlementStatus.OPEN], set())
    stripe.advance(seconds=3_600)
    assert factories.settle(escrow).status is EscrowStatus.REFUNDED


def _overtaken(escrow: Escrow) -> tuple[list[SettlementStatus], set[Hold]]:
    file = file_of(escrow.id)
    return [row.status for row in file.settlements], set(file.escrow.holds)


def test_a_refund_decides_the_doubt_it_answers(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.funded(stripe)
    stripe.review(charge_of(escrow))
    happen(aws, stripe, "review.opened")
    refund(escrow)
    stripe.end_review(review_of(stripe), "refunded")

    happen(aws, stripe, "refund.created", "review.closed")

    row = factories.escrow_row(escrow)
    assert (row.status, row.holds) == (EscrowStatus.SETTLING, set())


def test_an_adopted_refund_that_failed_is_made_again_by_us(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.funded(stripe)
    refund_id = refund(escrow)
    happen(aws, stripe, "refund.created")
    stripe.fail_refund(refund_id)
    happen(aws, stripe, "refund.failed")
    (leg,) = file_of(escrow.id).legs
    assert (leg.status, leg.attempt) == (LegStatus.PLANNED, 2)

    aws.clock.advance(seconds=3_600)
    factories.settle(escrow)
    aws.clock.advance(seconds=3_600)
    stripe.advance()

    assert factories.settle(escrow).status is EscrowStatus.REFUNDED
    happen(aws, stripe, "refund.failed")  # once more, late: its leg has another refund since
    assert len(sent_by(stripe, "refund.created")) == 2
    assert [message for message, _ in told if "nobody" in message] == []


def test_an_adopted_refund_that_came_back_after_the_end_is_returned(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.funded(stripe)
    refund_id = refund(escrow)
    happen(aws, stripe, "refund.created")
    stripe.advance(seconds=3_600)
    assert factories.settle(escrow).status is EscrowStatus.REFUNDED
    stripe.fail_refund(refund_id)

    for _ in range(2):
        happen(aws, stripe, "refund.failed")

    file = file_of(escrow.id)
    assert [row.to_buyer for row in file.settlements if row.kind == "RETURN"] == [escrow.gross]
    assert file.escrow.surplus == escrow.gross


def test_a_refund_of_a_part_holds_the_escrow_until_a_person_looked(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.funded(stripe)
    refund_id = refund(escrow, amount=1_000)

    happen(aws, stripe, *REFUNDS)

    file = file_of(escrow.id)
    assert (file.escrow.status, file.settlements) == (EscrowStatus.FUNDS_HELD, [])
    assert (file.escrow.holds, file.escrow.hold_causes) == ({Hold.RISK_REVIEW}, {f"refund:{refund_id}"})
    assert [message for message, _ in told] == [
        "an escrow is on hold", "money moved that nobody ordered", "more was refunded than is known",
    ]  # fmt: skip


def test_a_refund_of_a_part_that_fails_after_all_lifts_its_hold(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.funded(stripe)
    refund_id = refund(escrow, amount=1_000)
    happen(aws, stripe, "refund.created")
    assert factories.escrow_row(escrow).holds == {Hold.RISK_REVIEW}
    stripe.fail_refund(refund_id)
    happen(aws, stripe, "refund.failed")
    after = factories.escrow_row(escrow)
    assert (after.holds, after.hold_causes, after.frozen_causes) == (frozenset(), frozenset(), frozenset())


def test_a_refund_that_failed_before_it_was_seen_moved_nothing(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.funded(stripe)
    stripe.fail_refund(refund(escrow))
    happen(aws, stripe, "refund.created")
    assert factories.escrow_row(escrow).version == escrow.version


def test_a_refund_after_the_end_is_an_alarm(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    ended = factories.settle(escrow)
    refund(escrow)
    happen(aws, stripe, "refund.created")
    assert factories.escrow_row(escrow).version == ended.version
    assert [message for message, _ in told] == ["money moved that nobody ordered"]


def test_a_refund_is_looked_up_at_stripe_before_it_counts(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow, other = factories.funded(stripe), factories.funded(stripe)
    intent = file_of(escrow.id).rail.external_id
    invented = {"id": refund(other), "object": "refund", "payment_intent": intent, "metadata": {}}
    assert process(aws, stored(aws, event("refund.created", invented))).status is WebhookStatus.PROCESSED
    assert factories.escrow_row(escrow).version == escrow.version


def test_what_our_own_legs_gave_back_is_known(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow, adopted = factories.funded(stripe), factories.funded(stripe)
    headers = {"Idempotency-Key": "refund"}
    answer = aws.call("refund_escrow", escrow.seller_id, {"reason": "no"}, headers=headers, escrow_id=escrow.id)
    assert answer.status == 202, answer.body
    factories.settle(escrow)
    refund(adopted)
    happen(aws, stripe, "refund.created")

    happen(aws, stripe, "charge.refunded")

    assert told == []
