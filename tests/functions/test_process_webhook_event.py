"""What a stored event of Stripe does: the provider is asked, what is true is written down, what waited is woken."""

import random
from functools import partial
from typing import Any

import pytest

from bloxtr8 import table
from bloxtr8.actors import system
from bloxtr8.entities import (
    Escrow,
    EscrowStatus,
    Freeze,
    LegStatus,
    Lookup,
    SettlementStatus,
    StripeEscrow,
    User,
    WebhookEvent,
    WebhookStatus,
)
from bloxtr8.errors import NotFound
from bloxtr8.rails import stripe_client
from bloxtr8.reads import escrow as file_of
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Clock, Platform
from tests.functions.milestones import parts
from tests.functions.webhooks import Machines, alarms, error, event, process, row_of, sent_by, stored
from tests.wire import Wire

NOBODYS = "esc_01JDCZ0000000000000000000A"


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def waiting(aws: Platform, stripe: StripeDouble) -> Escrow:
    """An escrow whose machine sleeps: the rail is open and the token is stored."""
    escrow = factories.payable(stripe)
    aws.invoke("await_funding", {"escrowId": escrow.id, "token": "token-1"})
    return factories.escrow_row(escrow)


def about(kind: str, escrow: Escrow) -> dict[str, Any]:
    """An event of the escrow's payment."""
    intent = table.get(StripeEscrow, escrow_ulid=escrow.ulid).external_id
    return event(kind, {"id": intent, "object": "payment_intent", "metadata": {"protectedPayment": escrow.id}})


def confirmed(aws: Platform, stripe: StripeDouble, **fields: Any) -> Escrow:
    """An escrow whose buyer confirmed: SETTLING, its transfer PLANNED."""
    escrow = factories.delivered(stripe, **fields)
    delivery = file_of(escrow.id).delivery.id
    path = {"escrow_id": escrow.id, "delivery_id": delivery}
    headers = {"Idempotency-Key": "confirm"}
    answer = aws.call("confirm_delivery", escrow.buyer_id, {"acknowledge": True}, headers=headers, **path)
    assert answer.status == 202, answer.body
    return factories.escrow_row(escrow)


def test_a_payment_is_recorded_and_wakes_the_machine(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = waiting(aws, stripe)
    factories.pay(escrow)
    (paid,) = sent_by(stripe, "payment_intent.succeeded")

    row = process(aws, stored(aws, paid))

    assert (row.status, row.attempts, row.error, row.gsi3pk) == (WebhookStatus.PROCESSED, 0, None, None)
    assert row.processed_at is not None
    after = factories.escrow_row(escrow)
    assert (after.status, after.deposited, after.held) == (EscrowStatus.AWAIT_FUNDS, escrow.gross, escrow.gross)
    assert machines.answered == [("token-1", "PAID")]
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("record_deposit", "process_webhook_event", "SYSTEM")


def test_the_events_of_a_payment_twenty_times_and_shuffled_move_money_once(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = waiting(aws, stripe)
    factories.pay(escrow)
    events = [one for one in stripe.events if one["type"].startswith("payment_intent.")]
    rows = [stored(aws, one) for one in events]
    again = rows * (20 // len(rows) + 1)
    random.Random(7).shuffle(again)

    for row in again:
        process(aws, row)

    file = file_of(escrow.id)
    assert (file.escrow.deposited, len(file.deposits), len(file.ledger)) == (escrow.gross, 1, 1)
    aws.audit(escrow.id)


def test_a_payment_under_way_freezes_the_clock(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = waiting(aws, stripe)
    intent = str(table.get(StripeEscrow, escrow_ulid=escrow.ulid).external_id)
    stripe.pay_slowly(intent)
    process(aws, stored(aws, about("payment_intent.processing", escrow)))
    assert Freeze.PROCESSING in factories.escrow_row(escrow).frozen_causes
    assert machines.answered == []


def test_a_canceled_payment_counts_as_the_deadline(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = waiting(aws, stripe)
    intent = str(table.get(StripeEscrow, escrow_ulid=escrow.ulid).external_id)
    stripe_client.client().v1.payment_intents.cancel(intent)

    process(aws, stored(aws, about("payment_intent.canceled", escrow)))

    assert machines.answered == [("token-1", "DEADLINE")]
    assert factories.escrow_row(escrow).status is EscrowStatus.AWAIT_FUNDS


def test_a_payment_that_stripe_does_not_confirm_is_not_believed(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = waiting(aws, stripe)
    before = factories.escrow_row(escrow).version

    row = process(aws, stored(aws, about("payment_intent.succeeded", escrow)))

    assert row.status is WebhookStatus.PROCESSED
    assert (factories.escrow_row(escrow).version, machines.answered) == (before, [])


def test_late_money_goes_back(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = waiting(aws, stripe)
    cancelled = aws.call("cancel_escrow", escrow.buyer_id, {"reason": "no more"}, escrow_id=escrow.id)
    assert cancelled.status == 200, cancelled.body
    factories.pay(escrow)
    (paid,) = sent_by(stripe, "payment_intent.succeeded")

    for row in [stored(aws, paid)] * 2:
        process(aws, row)

    file = file_of(escrow.id)
    assert (file.escrow.status, file.escrow.surplus) == (EscrowStatus.CANCELLED, escrow.gross)
    (returned,) = file.settlements
    assert (returned.kind, returned.to_buyer) == ("RETURN", escrow.gross)
    assert f"{returned.id}-1" in machines.started


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("payment_intent.succeeded", {"id": "pi_1", "metadata": {"protectedPayment": NOBODYS}}),
        ("payment_intent.succeeded", {"id": "pi_1", "metadata": {"protectedPayment": "../../USER#1"}}),
        ("payment_intent.succeeded", {"id": "pi_1", "metadata": {}}),
        ("payment_intent.succeeded", {"id": "pi_1"}),
        ("account.updated", {"id": "acct_nobodys", "object": "account"}),
        ("customer.updated", {"id": "cus_1"}),
        ("invented.event", {}),
    ],
)
def test_what_concerns_nothing_of_ours_is_stored_and_changes_nothing(
    aws: Platform, stripe: StripeDouble, machines: Machines, kind: str, thing: dict[str, Any]
) -> None:
    row = stored(aws, event(kind, thing))
    before = [one for one in aws.rows() if not one["PK"]["S"].startswith("WEBHOOK#")]

    assert process(aws, row).status is WebhookStatus.PROCESSED

    assert [one for one in aws.rows() if not one["PK"]["S"].startswith("WEBHOOK#")] == before
    assert (machines.asked, stripe.requests) == (0, [])


def test_an_event_that_was_processed_is_left_alone(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    row = process(aws, stored(aws, event("customer.updated", {"id": "cus_1"})))
    assert process(aws, row).version == row.version


def test_an_event_that_is_not_there_ends_in_the_dead_letters(aws: Platform) -> None:
    with pytest.raises(NotFound):
        process(aws, WebhookEvent(provider="stripe", account="platform", event_id="evt_gone"))


# --- legs


def test_a_transfer_is_booked_by_its_event(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = confirmed(aws, stripe)
    work = {"escrowId": escrow.id, "settlementId": escrow.settlement_id}
    assert aws.invoke("send_leg", work)["next"] == "CONFIRM"  # and there the machine was lost
    (sent,) = sent_by(stripe, "transfer.created")

    process(aws, stored(aws, sent))

    (leg,) = file_of(escrow.id).legs
    assert (leg.status, leg.external_id) == (LegStatus.CONFIRMED, sent["data"]["object"]["id"])
    assert f"{escrow.settlement_id}-1" in machines.started


def test_a_refund_that_the_bank_sent_back_is_ours_again_once(
    aws: Platform, stripe: StripeDouble, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = factories.funded(stripe)
    headers = {"Idempotency-Key": "refund"}
    answer = aws.call("refund_escrow", escrow.seller_id, {"reason": "no"}, headers=headers, escrow_id=escrow.id)
    assert answer.status == 202, answer.body
    factories.settle(escrow)
    aws.clock.advance(seconds=60)
    stripe.advance()
    factories.settle(escrow)
    (leg,) = file_of(escrow.id).legs
    assert leg.status is LegStatus.CONFIRMED
    told = alarms(monkeypatch)
    stripe.fail_refund(str(leg.external_id))

    for row in [stored(aws, one) for one in sent_by(stripe, "refund.failed", "refund.updated")] * 2:
        process(aws, row)

    back = [row for row in file_of(escrow.id).settlements if row.kind == "RETURN"]
    assert [(row.to_buyer, row.status) for row in back] == [(escrow.gross, SettlementStatus.OPEN)]
    assert [message for message, _ in told] == ["a refund came back"]
    assert f"{back[0].id}-1" in machines.started


def leg_event(escrow_id: str, settlement_id: str, n: int = 1) -> dict[str, Any]:
    metadata = {"protectedPayment": escrow_id, "opId": f"{settlement_id}:{n}:1"}
    return event("transfer.created", {"id": "tr_1", "object": "transfer", "metadata": metadata})


def test_money_that_nobody_ordered_rings_the_alarm_and_changes_nothing(
    aws: Platform,
    stripe: StripeDouble,
    machines: Machines,
    monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
) -> None:
    one, other = confirmed(aws, stripe), factories.funded(stripe)
    told = alarms(monkeypatch)
    refund = {"id": "re_1", "object": "refund", "payment_intent": "pi_1", "metadata": {}}
    cases = {
        "a refund in the Dashboard": event("refund.created", refund),
        "an escrow we don't have": leg_event(NOBODYS, str(one.settlement_id)),
        "a settlement of another escrow": leg_event(other.id, str(one.settlement_id)),
        "a leg its settlement has not": leg_event(one.id, str(one.settlement_id), 7),
    }
    for name, sent in cases.items():
        with subtests.test(name):
            told.clear()
            row = stored(aws, sent)
            before = [row for row in aws.rows() if not row["PK"]["S"].startswith("WEBHOOK#")]
            assert process(aws, row).status is WebhookStatus.PROCESSED
            assert [(message, extra["object"]) for message, extra in told] == [
                ("money moved that nobody ordered", sent["data"]["object"]["id"])
            ]
            assert [row for row in aws.rows() if not row["PK"]["S"].startswith("WEBHOOK#")] == before


def test_a_refund_in_the_dashboard_stops_what_is_being_paid_out_of_its_payment(
    aws: Platform, stripe: StripeDouble, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow, other = confirmed(aws, stripe), confirmed(aws, stripe)
    intent = str(file_of(escrow.id).rail.external_id)
    told = alarms(monkeypatch)
    stripe_client.client().v1.refunds.create({"payment_intent": intent, "amount": 1_000})

    for sent in sent_by(stripe, "refund.created", "refund.updated"):
        assert process(aws, stored(aws, sent)).status is WebhookStatus.PROCESSED

    assert factories.escrow_row(escrow).holds == {"RISK_REVIEW"}
    assert factories.settle(escrow).status is EscrowStatus.SETTLING
    (parked,) = file_of(escrow.id).settlements
    assert (parked.status, parked.error) == (SettlementStatus.PARKED, "ON_HOLD")
    assert [message for message, _ in told][:2] == ["an escrow is on hold", "money moved that nobody ordered"]
    assert [about["escrowId"] for _, about in told[:2]] == [escrow.id] * 2  # by it people decide
    assert file_of(other.id).settlements[0].status is SettlementStatus.OPEN
    assert sent_by(stripe, "transfer.created") == []


# --- accounts


def account_event(user: User) -> dict[str, Any]:
    account = {"id": user.payout_account_id, "object": "account"}
    return event("account.updated", account, account=user.payout_account_id)


def account_of(aws: Platform, stripe: StripeDouble) -> User:
    """A seller whose account is open, and whom Stripe still asks."""
    user = factories.user(payout_account_id=None, payout_country=None, payouts_ready=False)
    assert aws.call("open_payout_account", user, {"country": "US"}).status == 200
    return table.get(User, id=user.id)


def test_an_account_that_became_ready_is_remembered_once(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    user = account_of(aws, stripe)
    stripe.onboard(str(user.payout_account_id))

    for _ in range(2):
        assert process(aws, stored(aws, account_event(user))).status is WebhookStatus.PROCESSED

    after = table.get(User, id=user.id)
    assert (after.payouts_ready, after.version) == (True, user.version + 1)
    entry = aws.audit(user.id)[-1]
    assert (entry.action, entry.details) == ("note_payout_account", {"ready": True})


def test_an_account_that_stripe_asks_again_can_not_be_paid(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    user = account_of(aws, stripe)
    stripe.onboard(str(user.payout_account_id))
    process(aws, stored(aws, account_event(user)))
    stripe.onboard(str(user.payout_account_id), succeeds=False)

    assert process(aws, stored(aws, account_event(user))).status is WebhookStatus.PROCESSED

    assert table.get(User, id=user.id).payouts_ready is False


def test_an_account_that_was_closed_can_not_be_paid(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    user = factories.user(payout_account_id="acct_closed")
    lookup = Lookup(index="AC", value="acct_closed", target=user.id)
    table.commit(user, lookup, action="open_payout_account", actor=system("factory"))

    assert process(aws, stored(aws, account_event(user))).status is WebhookStatus.PROCESSED

    assert table.get(User, id=user.id).payouts_ready is False


@pytest.mark.parametrize(
    ("deal", "status", "released"),
    [
        ({}, EscrowStatus.RELEASED, 97_100),
        ({"milestones": parts(50_000, 50_000, asset=0)}, EscrowStatus.FUNDS_HELD, 48_550),
    ],
)
def test_an_account_that_became_ready_wakes_the_legs_that_waited_for_it(
    aws: Platform,
    stripe: StripeDouble,
    machines: Machines,
    clock: Clock,
    deal: dict[str, Any],
    status: EscrowStatus,
    released: int,
) -> None:
    user = account_of(aws, stripe)
    stripe.onboard(str(user.payout_account_id))
    process(aws, stored(aws, account_event(user)))
    escrow = confirmed(aws, stripe, seller=table.get(User, id=user.id), **deal)
    stripe.onboard(str(user.payout_account_id), succeeds=False)
    machines.started.append(f"{escrow.settlement_id}-1")
    factories.settle(escrow)
    (leg,) = file_of(escrow.id).legs
    assert (leg.status, leg.error) == (LegStatus.PLANNED, "SELLER_NOT_READY")
    assert leg.next_look is not None
    assert leg.next_look > clock.moment
    machines.ended.add(f"{escrow.settlement_id}-1")
    stripe.onboard(str(user.payout_account_id))

    process(aws, stored(aws, account_event(user)))

    (leg,) = file_of(escrow.id).legs
    assert leg.next_look is not None
    assert leg.next_look <= clock.moment
    assert machines.started[-1] == f"{escrow.settlement_id}-2"
    ended = factories.settle(escrow)
    assert (ended.status, ended.released) == (status, released)


# --- failures


@pytest.mark.parametrize("fault", ["503", "429", "drop_before"])
def test_a_failure_is_kept_on_the_row_and_rings_nothing_yet(
    aws: Platform, stripe: StripeDouble, machines: Machines, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    escrow = waiting(aws, stripe)
    factories.pay(escrow)
    (paid,) = sent_by(stripe, "payment_intent.succeeded")
    told = alarms(monkeypatch)
    stripe.fault(fault, "get", "", None)

    row = process(aws, stored(aws, paid))

    assert (row.status, row.attempts, row.processed_at) == (WebhookStatus.FAILED, 1, None)
    assert row.error in {"RailOutcomeUnknown", "RailThrottled"}
    assert (row.gsi3pk, told, factories.escrow_row(escrow).deposited) == ("QUEUE#WEBHOOK", [], 0)
    stripe.clear_faults()
    row = process(aws, row)
    assert (row.status, row.attempts, row.error) == (WebhookStatus.PROCESSED, 1, None)
    assert factories.escrow_row(escrow).deposited == escrow.gross


def test_what_is_written_survives_a_lost_answer(
    aws: Platform, stripe: StripeDouble, machines: Machines, wire: Wire
) -> None:
    escrow = waiting(aws, stripe)
    factories.pay(escrow)
    (paid,) = sent_by(stripe, "payment_intent.succeeded")
    row = stored(aws, paid)
    wire.lose("TransactWriteItems", done=True)

    row = process(aws, row)
    assert row.status is WebhookStatus.FAILED
    assert process(aws, row).status is WebhookStatus.PROCESSED

    file = file_of(escrow.id)
    assert (file.escrow.deposited, len(file.deposits)) == (escrow.gross, 1)
    assert machines.answered[-1] == ("token-1", "PAID")


@pytest.mark.parametrize("code", ["InvalidToken", "TaskDoesNotExist", "TaskTimedOut"])
def test_a_token_answered_too_late_is_no_failure(
    aws: Platform, stripe: StripeDouble, machines: Machines, code: str
) -> None:
    escrow = waiting(aws, stripe)
    factories.pay(escrow)
    machines.late = code

    row = process(aws, stored(aws, about("payment_intent.succeeded", escrow)))

    assert (row.status, row.error) == (WebhookStatus.PROCESSED, None)


def test_a_machine_that_can_not_be_asked_is_a_failure_that_is_tried_again(
    aws: Platform, stripe: StripeDouble, machines: Machines, wire: Wire
) -> None:
    escrow = waiting(aws, stripe)
    factories.pay(escrow)

    def down(_: dict[str, Any]) -> None:
        raise error("ServiceUnavailable", "SendTaskSuccess")

    wire.instead("SendTaskSuccess", down)
    row = process(aws, stored(aws, about("payment_intent.succeeded", escrow)))
    assert (row.status, row.error) == (WebhookStatus.FAILED, "ClientError")
    Machines(wire)
    assert process(aws, row).status is WebhookStatus.PROCESSED


def test_the_job_and_the_event_may_do_it_at_once(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = waiting(aws, stripe)
    factories.pay(escrow)
    (paid,) = sent_by(stripe, "payment_intent.succeeded")
    row = stored(aws, paid)

    together(partial(process, aws, row), partial(aws.invoke, "retry_webhooks"))
    aws.invoke("retry_webhooks")

    assert row_of(paid).status is WebhookStatus.PROCESSED
    assert len(file_of(escrow.id).deposits) == 1
    aws.audit(escrow.id)
