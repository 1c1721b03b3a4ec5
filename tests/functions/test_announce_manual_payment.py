"""Before anybody pays outside what Stripe refuses for good it is announced, and from then on nothing else pays it."""

from typing import Any
from unittest import mock

import pytest

from bloxtr8 import actors, clock, rails, table
from bloxtr8.domain import resuming
from bloxtr8.entities import Escrow, Hold, PlatformRole, SettlementStatus, User
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import RailDeclined
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions import chargebacks, escrows, manual
from tests.functions.chargebacks import decided, disputed
from tests.functions.escrows import MISSING, changed, file, row, seen, staff, turned_away
from tests.functions.manual import announce, boss, due, leg, machines
from tests.functions.offers import same_but
from tests.functions.webhooks import sent_by
from tests.wire import Wire

__all__ = ["boss", "machines"]
ACTION = "announce_manual_payment"


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    return manual.parked(aws, stripe)


def no(aws: Platform, escrow: Escrow, user: Any, status: int, code: str, **other: Any) -> dict[str, Any]:
    """It is refused, and nothing is written."""
    headers = other.pop("headers", {"Idempotency-Key": f"{code} {len(aws.rows())}"})
    answer = refused(aws, status, code, ACTION, user, due(escrow, **other), headers=headers, escrow_id=escrow.id)
    return dict(answer.body)


def test_it_is_the_intent_and_reserves_the_leg(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User, wire: Wire
) -> None:
    assert seen(aws, escrow, boss)["allowedActions"] == ["resume_settlement", ACTION]
    before, wish = aws.rows(), due(escrow)
    wire.calls.clear()

    answer = aws.call(ACTION, boss, wish, headers={"Idempotency-Key": "a"}, escrow_id=escrow.id)

    assert (answer.status, answer.body["status"], wire.round_trips()) == (201, "ANNOUNCED", 3)
    assert same_but(before, aws.rows()) == {"Escrow", "Leg", "ManualPayment", "AuditEntry", "Idempotency"}
    assert (leg(escrow).status, leg(escrow).by_hand, row(escrow).held) == ("SENT", True, 0)
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.role, entry.details["amount"]) == (ACTION, "PADMIN", 70_000)
    assert answer.body["allowedActions"] == ["record_manual_payment", "withdraw_manual_payment"]
    view = seen(aws, escrow, boss)
    assert (view["allowedActions"], view["refusals"]["refused"]) == ([], [])
    (shown,) = view["refusals"]["manualPayments"]
    assert (shown["announcedBy"], shown["amount"], shown) == (boss.id, 70_000, answer.body)
    assert (shown["pays"], shown["reverses"], entry.details["pays"]) == ("BUYER", None, "BUYER")
    other = no(aws, escrow, staff(PlatformRole.PADMIN), 409, "MANUAL_PAYMENT_ANNOUNCED", **wish)
    assert (other["manualPaymentId"], other["by"]) == (shown["id"], boss.id)
    resume = {"headers": {"Idempotency-Key": "r"}, "escrow_id": escrow.id}
    refused(aws, 409, "MANUAL_PAYMENT_ANNOUNCED", "resume_settlement", boss, {"reason": "r"}, **resume)
    assert manual.differences(stripe, escrow) == []


def test_neither_side_replaces_what_somebody_is_paying(aws: Platform, stripe: StripeDouble, boss: User) -> None:
    """The seller was paid by his bank: both sides can't agree meanwhile that the buyer has all of it back."""
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    keyed: dict[str, Any] = {"headers": {"Idempotency-Key": "c"}, "escrow_id": escrow.id}
    with mock.patch.object(type(rails.get("STRIPE")), "send", side_effect=RailDeclined("closed", code="closed")):
        factories.settle(escrow)
    wish = {"sellerAmount": 0, "buyerAmount": 100_000, "reason": "All back."}
    proposal = aws.call("propose_settlement", escrow.buyer_id, wish, **keyed)
    assert proposal.status == 201, proposal.body
    agree = {**keyed, "proposal_id": proposal.body["id"]}

    assert announce(aws, escrow, boss).status == 201

    refused(aws, 409, "INVALID_STATE", "accept_settlement", escrow.seller_id, None, **agree)
    assert manual.say(aws, escrow, boss).body["recorded"]
    assert escrows.paid_out(stripe, escrow).status == "RELEASED"
    assert escrows.sound(aws, escrow) == {"BUYER": -100_000, "SELLER": 97_100, "FEES": 2_900}


def test_no_hold_that_ends_and_no_run_sends_what_somebody_is_paying(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User
) -> None:
    """Nothing leads there; if it did, it would be paid twice."""
    assert announce(aws, escrow, boss).status == 201
    found = file(escrow)
    (settlement,) = found.settlements
    settlement.error = "ON_HOLD"
    assert resuming.resume_held(found, clock.now()) == []
    settlement.status = SettlementStatus.OPEN
    table.commit(found.escrow, settlement, action="test", actor=actors.system("test"))
    event = {"escrowId": escrow.id, "settlementId": settlement.id}
    assert aws.invoke("send_leg", event) == {"next": "WAIT", "error": ""}
    assert (leg(escrow).status, sent_by(stripe, "refund.created")) == ("SENT", [])


def test_what_a_bank_takes_meanwhile_waits_until_it_is_known(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User
) -> None:
    assert announce(aws, escrow, boss).status == 201
    decided(aws, stripe, disputed(aws, stripe, escrow, amount=10_000), "lost")
    assert [one.status for one in file(escrow).chargebacks] == ["LOST", "OPEN"]
    assert leg(escrow).status == "SENT"

    assert manual.say(aws, escrow, boss).body["recorded"]  # whatever hold was placed since: the money is out

    factories.settle(escrow, leg(escrow).settlement_id)
    aws.clock.advance(hours=2)
    aws.invoke("enforce_escrow_deadlines", {})
    aws.clock.advance(days=1)
    aws.invoke("enforce_escrow_deadlines", {})
    assert {str(one.status) for one in file(escrow).chargebacks} == {"LOST"}
    assert manual.differences(stripe, escrow) == []


def test_only_what_was_refused_for_good_by_card_and_in_full(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User
) -> None:
    assert no(aws, escrow, boss, 422, "AMOUNT_DIFFERS", amount=69_999)["due"] == 70_000
    for unknown in ({"leg": 2}, {"settlementId": "stl_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"}):
        no(aws, escrow, boss, 404, "NOT_FOUND", **unknown)
    changed(escrow, holds=frozenset({Hold.COMPLIANCE}))
    no(aws, escrow, boss, 409, "ESCROW_ON_HOLD")
    assert seen(aws, escrow, boss)["allowedActions"] == ["resume_settlement"]
    under_way = factories.funded(stripe)
    assert escrows.refund(aws, under_way).status == 202
    no(aws, under_way, boss, 409, "INVALID_STATE")  # it is not parked
    event = {"escrowId": under_way.id, "settlementId": row(under_way).settlement_id}
    aws.invoke("park_settlement", event | {"error": "RailBug"})
    assert no(aws, under_way, boss, 409, "LEG_NOT_REFUSED")["legStatus"] == "PLANNED"
    paid = chargebacks.released(aws, stripe)
    no(aws, paid, boss, 409, "INVALID_STATE")


def test_what_the_seller_pays_back_is_announced_despite_a_hold(aws: Platform, stripe: StripeDouble, boss: User) -> None:
    """A second chargeback takes months, and no hold stops what pays nobody."""
    escrow = chargebacks.released(aws, stripe)
    stripe.pay_out(str(escrow.payout_account_id), 97_100)
    decided(aws, stripe, disputed(aws, stripe, escrow, amount=40_000), "lost")
    factories.settle(escrow, chargebacks.recovery(escrow))
    disputed(aws, stripe, escrow, amount=60_000)
    assert seen(aws, escrow, boss)["allowedActions"] == ["resume_settlement", ACTION]
    assert announce(aws, escrow, boss).status == 201


@pytest.mark.parametrize("found", ["pending", "succeeded"])
def test_what_the_provider_has_after_all_is_not_paid_again(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User, found: str
) -> None:
    """It was refused, and made all the same."""
    lost = chargebacks.rows(escrow)[0].id
    stripe._world.get("dispute", lost)["is_charge_refundable"] = True
    due = leg(escrow)
    marks = {"escrowId": escrow.id, "opId": f"{due.settlement_id}:{due.n}:{due.attempt}"}
    intent = str(file(escrow).rail.external_id)
    stripe_client.client().v1.refunds.create({"payment_intent": intent, "amount": due.amount, "metadata": marks})
    if found == "succeeded":
        stripe.advance(days=5)
    no(aws, escrow, boss, 409, "PAYMENT_FOUND")
    assert leg(escrow).status == "REJECTED"


def test_a_silent_provider_loses_nothing(aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User) -> None:
    stripe.fault("503", "get", times=None)
    answer = announce(aws, escrow, boss)
    assert (answer.status, answer.code) == (502, "UPSTREAM_FAILED")
    stripe.clear_faults()
    assert announce(aws, escrow, boss).body["status"] == "ANNOUNCED"


def test_of_two_at_once_one_announces(aws: Platform, escrow: Escrow, boss: User) -> None:
    answers = together(lambda: announce(aws, escrow, boss, "a"), lambda: announce(aws, escrow, boss, "b"))
    assert sorted(answer.status for answer in answers) == [201, 409]
    assert len(file(escrow).manual_payments) == 1


def test_is_for_administrators_who_are_no_party_and_name_a_key(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User
) -> None:
    others = staff(PlatformRole.SUPPORT, PlatformRole.ARBITER, PlatformRole.COMPLIANCE)
    for user in (escrow.buyer_id, others, factories.user()):
        for escrow_id in (escrow.id, MISSING):
            answer = aws.call(ACTION, user, due(escrow), headers={"Idempotency-Key": "k"}, escrow_id=escrow_id)
            assert (answer.status, answer.code) == (403, "FORBIDDEN")
    for escrow_id in ("esc_1", "esc_\x00", MISSING):
        answer = aws.call(ACTION, boss, due(escrow), headers={"Idempotency-Key": "k"}, escrow_id=escrow_id)
        assert answer.status == 404
    no(aws, escrow, boss, 400, "IDEMPOTENCY_KEY_REQUIRED", headers={})
    no(aws, escrow, boss, 412, "VERSION_MISMATCH", headers={"Idempotency-Key": "k", "If-Match": '"1"'})
    for party in (escrow.buyer_id, escrow.seller_id):
        aws.invoke("grant_staff_role", {"userId": party, "role": "PADMIN"})
        no(aws, escrow, party, 403, "CONFLICT_OF_INTEREST")
        assert ACTION not in seen(aws, escrow, party)["allowedActions"]
    wrong = [due(escrow, amount=amount) for amount in (0, -1, 1.5, "70000", None)]
    wrong += [due(escrow, leg=n) for n in (0, 100, "1", True)]
    wrong += [due(escrow, reason=""), due(escrow, more=1), due(escrow, pays="PLATFORM"), {}, []]
    turned_away(aws, ACTION, boss, wrong, headers={"Idempotency-Key": "w"}, escrow_id=escrow.id)
