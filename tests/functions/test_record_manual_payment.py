"""What Stripe refuses for good is paid by people outside of it, and recorded: once, by who may, as what it is."""

from typing import Any
from unittest import mock

import pytest

from bloxtr8 import rails, reads
from bloxtr8.domain import adoption, reconciliations
from bloxtr8.entities import Escrow, EscrowStatus, Hold, Leg, PlatformRole, User
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import RailDeclined
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Answer, Platform
from tests.functions import chargebacks, escrows
from tests.functions.chargebacks import FEE, decided, disputed, recovery, tell
from tests.functions.escrows import MISSING, changed, file, row, seen, staff, turned_away
from tests.functions.offers import same_but
from tests.functions.webhooks import Machines, sent_by
from tests.wire import Wire

ACTION, PAYMENT, REASON = "record_manual_payment", "20261129-BANK-000417", "Paid to his account."


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


@pytest.fixture
def boss(aws: Platform) -> User:
    return staff(PlatformRole.PADMIN)


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble, machines: Machines) -> Escrow:
    """Of $1,000 the bank kept $300, and Stripe refunds nothing of the rest."""
    escrow = factories.funded(stripe)
    decided(aws, stripe, disputed(aws, stripe, escrow, amount=30_000), "lost")
    (back,) = file(escrow).settlements
    factories.settle(escrow, back.id)
    assert (file(escrow).settlement(back.id).error, leg(escrow).status) == ("RailFrozen", "REJECTED")
    return row(escrow)


@pytest.fixture
def _two(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trades of this test are above the limit."""
    escrows.settings(monkeypatch, two_people_cents=99_999)


def leg(escrow: Escrow) -> Leg:
    """The newest leg."""
    return file(escrow).legs[-1]


def body(escrow: Escrow, **other: Any) -> dict[str, Any]:
    found = leg(escrow)
    return {
        "settlementId": found.settlement_id, "leg": found.n, "amount": found.amount, "paymentId": PAYMENT,
        "reason": REASON,
    } | other  # fmt: skip


def record(aws: Platform, escrow: Escrow, user: Any, key: str = "k", **other: Any) -> Answer:
    headers = {"Idempotency-Key": key}
    return aws.call(ACTION, user, body(escrow, **other), headers=headers, escrow_id=escrow.id)


def no(aws: Platform, escrow: Escrow, user: Any, status: int, code: str, **other: Any) -> dict[str, Any]:
    """It is refused, and nothing is written."""
    headers = other.pop("headers", {"Idempotency-Key": f"{code} {len(aws.rows())}"})
    answer = refused(aws, status, code, ACTION, user, body(escrow, **other), headers=headers, escrow_id=escrow.id)
    return dict(answer.body)


def differences(stripe: StripeDouble, escrow: Escrow) -> list[Any]:
    """What the reconciliation would find of it."""
    found = reads.escrow(escrow.id)
    books = rails.cards().books(str(found.rail.external_id), escrow.id)
    paid, sent = books.received - books.refunded, books.transferred - books.reversed
    return [*reconciliations.of_ledger(found), *reconciliations.of_card(found, paid, sent)]


def test_what_a_bank_left_is_paid_outside_and_the_trade_is_over(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User, machines: Machines, wire: Wire
) -> None:
    view = seen(aws, escrow, boss)
    (due,) = view["refusals"]["refused"]
    assert (due["settlementId"], due["leg"], due["pays"]) == (leg(escrow).settlement_id, 1, "BUYER")
    assert (due["amount"], due["error"], due["parkedFor"], due["kind"]) == (
        70_000,
        "RailFrozen",
        "RailFrozen",
        "RETURN",
    )
    assert (view["refusals"]["neededVotes"], view["refusals"]["manualPayments"]) == (1, [])
    assert view["allowedActions"] == ["resume_settlement", ACTION]
    for other in (escrow.buyer_id, staff(PlatformRole.COMPLIANCE)):
        assert seen(aws, escrow, other)["refusals"] is None
    before, wish = aws.rows(), body(escrow)
    wire.calls.clear()

    answer = aws.call(ACTION, boss, wish, headers={"Idempotency-Key": "k"}, escrow_id=escrow.id)

    assert (answer.status, wire.round_trips()) == (202, 3), answer.body
    assert (answer.body["recorded"], answer.body["votes"], answer.body["neededVotes"]) == (True, 1, 1)
    assert same_but(before, aws.rows()) == {
        "Escrow", "Settlement", "Leg", "LedgerLine", "ManualPayment", "Lookup", "AuditEntry", "Idempotency",
    }  # fmt: skip
    paid, settlement = leg(escrow), file(escrow).settlements[0]
    assert (paid.status, paid.external_id, settlement.status, settlement.run) == (
        "CONFIRMED", f"manual:{PAYMENT}", "OPEN", 2,
    )  # fmt: skip
    assert machines.started[-1] == f"{settlement.id}-2"
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.role) == (ACTION, boss.id, "PADMIN")
    said = {name: entry.details[name] for name in ("paymentId", "amount", "reason", "people")}
    assert said == {"paymentId": PAYMENT, "amount": 70_000, "reason": REASON, "people": [boss.id]}

    factories.settle(escrow, settlement.id)

    assert file(escrow).settlements[0].status == "DONE"
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -30_000, "BANK": 30_000 + FEE, "LOSS": -FEE}
    assert (differences(stripe, escrow), adoption.given_back(file(escrow))) == ([], 0)
    assert sent_by(stripe, "refund.created") == []
    view = seen(aws, escrow, boss)
    assert (view["allowedActions"], view["refusals"]["refused"]) == ([], [])
    assert [one["status"] for one in view["refusals"]["manualPayments"]] == ["RECORDED"]
    assert record(aws, escrow, boss).headers["Idempotency-Replayed"] == "true"


def test_one_payment_is_recorded_once_on_the_whole_platform(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User
) -> None:
    other = factories.funded(stripe)
    decided(aws, stripe, disputed(aws, stripe, other, amount=30_000), "lost")
    factories.settle(other, file(other).settlements[0].id)
    assert record(aws, escrow, boss).status == 202
    no(aws, escrow, boss, 409, "PAYMENT_ALREADY_RECORDED")
    no(aws, other, boss, 409, "PAYMENT_ALREADY_RECORDED")
    no(aws, escrow, boss, 409, "INVALID_STATE", paymentId="ANOTHER-1")  # it is parked no more
    assert record(aws, other, boss, "other", paymentId="ANOTHER-1").status == 202


def test_a_sellers_part_is_paid_with_the_fee_and_the_buyers_is_sent_as_always(
    aws: Platform, stripe: StripeDouble, machines: Machines, boss: User
) -> None:
    """A split; and what people paid him can't be taken back at Stripe when a bank takes it later."""
    escrow = factories.delivered(stripe)
    proposal = aws.call(
        "propose_settlement", escrow.buyer_id, {"sellerAmount": 40_000, "buyerAmount": 60_000, "reason": "Both."},
        headers={"Idempotency-Key": "p"}, escrow_id=escrow.id,
    ).body["id"]  # fmt: skip
    aws.call(
        "accept_settlement", escrow.seller_id, None, headers={"Idempotency-Key": "a"}, escrow_id=escrow.id,
        proposal_id=proposal,
    )  # fmt: skip
    with mock.patch.object(type(rails.get("STRIPE")), "send", side_effect=RailDeclined("closed", code="closed")):
        factories.settle(escrow)
    assert row(escrow).holds == {Hold.PAYOUT_FAILED}
    due = file(escrow).legs[0]

    assert record(aws, escrow, boss, leg=1, amount=due.amount).status == 202

    assert (row(escrow).holds, row(escrow).status) == (set(), EscrowStatus.SETTLING)
    assert escrows.paid_out(stripe, escrow).status is EscrowStatus.SPLIT
    assert escrows.sound(aws, escrow) == {"BUYER": -40_000, "SELLER": 38_840, "FEES": 1_160}
    assert (differences(stripe, escrow), sent_by(stripe, "transfer.created")) == ([], [])

    decided(aws, stripe, disputed(aws, stripe, escrow, amount=40_000), "lost")

    assert [row.kind for row in file(escrow).settlements] == ["SPLIT"]
    assert escrows.sound(aws, escrow)["LOSS"] == -40_000 - FEE


def test_a_seller_who_paid_his_transfer_back_ends_the_recovery(
    aws: Platform, stripe: StripeDouble, machines: Machines, boss: User
) -> None:
    escrow = chargebacks.released(aws, stripe)
    stripe.pay_out(str(escrow.payout_account_id), 97_100)
    decided(aws, stripe, disputed(aws, stripe, escrow), "lost")
    factories.settle(escrow, recovery(escrow))
    (due,) = seen(aws, escrow, boss)["refusals"]["refused"]
    assert (due["kind"], due["amount"], due["reverses"]) == ("RECOVERY", 97_100, file(escrow).legs[0].external_id)

    assert record(aws, escrow, boss).status == 202

    factories.settle(escrow, recovery(escrow))
    assert file(escrow).settlement(recovery(escrow)).status == "DONE"
    assert escrows.sound(aws, escrow) == {
        "BUYER": -100_000, "FEES": 2_900, "BANK": 100_000 + FEE, "LOSS": -2_900 - FEE,
    }  # fmt: skip
    assert differences(stripe, escrow) == []


def test_a_card_that_keeps_no_refund_is_paid_otherwise(
    aws: Platform, stripe: StripeDouble, machines: Machines, boss: User
) -> None:
    """After the fifth refund that came back; and a bank can send back nothing that it never got."""
    escrow = factories.funded(stripe)
    assert escrows.refund(aws, escrow).status == 202
    settlement_id = str(row(escrow).settlement_id)
    for _ in range(6):
        assert leg(escrow).status == "PLANNED"
        escrows.paid_out(stripe, escrow, settlement_id)
        stripe.fail_refund(str(leg(escrow).external_id))
        tell(aws, sent_by(stripe, "refund.failed")[-1])
        settlement_id = leg(escrow).settlement_id
        if leg(escrow).status == "REJECTED":
            break
    assert file(escrow).settlement(settlement_id).error == leg(escrow).error == "REFUND_FAILED"

    assert record(aws, escrow, boss).status == 202

    factories.settle(escrow, settlement_id)
    tell(aws, sent_by(stripe, "refund.failed")[-1])
    assert (escrows.sound(aws, escrow), differences(stripe, escrow)) == ({}, [])
    assert {one.status for one in file(escrow).settlements} == {"DONE"}


@pytest.mark.usefixtures("_two")
def test_above_the_limit_two_people_give_the_same_payment(aws: Platform, escrow: Escrow) -> None:
    first, second, third = (staff(PlatformRole.PADMIN) for _ in range(3))

    answer = record(aws, escrow, first)

    assert (answer.status, answer.body["recorded"], answer.body["votes"]) == (202, False, 1)
    assert (aws.audit(escrow.id)[-1].action, leg(escrow).status) == ("vote_on_manual_payment", "REJECTED")
    assert no(aws, escrow, first, 409, "ALREADY_VOTED")["until"] == answer.body["expiresAt"]
    assert record(aws, escrow, second, "other", paymentId="ANOTHER-1").body["votes"] == 1
    (one, other) = seen(aws, escrow, third)["refusals"]["manualPayments"]
    assert ([person["id"] for person in one["people"]], one["status"]) == ([first.id], "OPEN")
    assert (other["paymentId"], other["expiresAt"] > other["createdAt"]) == ("ANOTHER-1", True)

    final = record(aws, escrow, third)

    assert (final.body["recorded"], final.body["votes"]) == (True, 2)
    assert aws.audit(escrow.id)[-1].details["people"] == [first.id, third.id]
    assert [str(row.status) for row in file(escrow).manual_payments] == ["RECORDED", "DROPPED"]


@pytest.mark.usefixtures("_two")
def test_what_was_said_counts_for_a_day_while_he_has_the_role_and_until_it_is_tried_again(
    aws: Platform, escrow: Escrow
) -> None:
    first, second, third = (staff(PlatformRole.PADMIN) for _ in range(3))
    record(aws, escrow, first)
    aws.clock.advance(hours=24)
    assert record(aws, escrow, second, "after a day").body["votes"] == 1
    aws.invoke("grant_staff_role", {"userId": second.id, "role": "PADMIN", "revoke": True})
    assert record(aws, escrow, first, "again").body["votes"] == 1

    resumed = aws.call(
        "resume_settlement", first, {"reason": "r"}, headers={"Idempotency-Key": "r"}, escrow_id=escrow.id
    )

    assert resumed.status == 202
    assert {str(row.status) for row in file(escrow).manual_payments} == {"DROPPED"}
    factories.settle(escrow, leg(escrow).settlement_id)
    assert record(aws, escrow, third, "anew").body["votes"] == 1


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


@pytest.mark.parametrize("found", ["pending", "succeeded"])
def test_what_the_provider_has_after_all_is_not_recorded(
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
    answer = record(aws, escrow, boss)
    assert (answer.status, answer.code) == (502, "UPSTREAM_FAILED")
    stripe.clear_faults()
    assert record(aws, escrow, boss).body["recorded"]


def test_is_for_administrators_who_are_no_party_and_name_a_key(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User
) -> None:
    others = staff(PlatformRole.SUPPORT, PlatformRole.ARBITER, PlatformRole.COMPLIANCE)
    for user in (escrow.buyer_id, others, factories.user()):
        for escrow_id in (escrow.id, MISSING):
            answer = aws.call(ACTION, user, body(escrow), headers={"Idempotency-Key": "k"}, escrow_id=escrow_id)
            assert (answer.status, answer.code) == (403, "FORBIDDEN")
    for escrow_id in ("esc_1", "esc_\x00", MISSING):
        answer = aws.call(ACTION, boss, body(escrow), headers={"Idempotency-Key": "k"}, escrow_id=escrow_id)
        assert answer.status == 404
    no(aws, escrow, boss, 400, "IDEMPOTENCY_KEY_REQUIRED", headers={})
    no(aws, escrow, boss, 412, "VERSION_MISMATCH", headers={"Idempotency-Key": "k", "If-Match": '"1"'})
    for party in (escrow.buyer_id, escrow.seller_id):
        aws.invoke("grant_staff_role", {"userId": party, "role": "PADMIN"})
        no(aws, escrow, party, 403, "CONFLICT_OF_INTEREST")
        assert ACTION not in seen(aws, escrow, party)["allowedActions"]
    names = (
        "re_1ABCDEFG",
        "pi_123456",
        "SHORT",
        "-ABCDEF",
        "ABCDEF-",
        "ABC DEF",
        "abcdef",
        "A" * 65,
        "ABC\nDEF",
        7,
        None,
    )
    wrong = [body(escrow, paymentId=name) for name in names]
    wrong += [body(escrow, amount=amount) for amount in (0, -1, 1.5, "70000", None)]
    wrong += [body(escrow, leg=n) for n in (0, 100, "1", True)]
    wrong += [body(escrow, reason=""), body(escrow, more=1), {}, []]
    turned_away(aws, ACTION, boss, wrong, headers={"Idempotency-Key": "w"}, escrow_id=escrow.id)


def test_of_two_at_once_one_records(aws: Platform, escrow: Escrow, boss: User) -> None:
    answers = together(
        lambda: record(aws, escrow, boss, "a"), lambda: record(aws, escrow, boss, "b", paymentId="ANOTHER-1")
    )
    assert sorted(answer.status for answer in answers) == [202, 409]
    assert sum(line.amount for line in file(escrow).ledger if line.leg_id) == 70_000
