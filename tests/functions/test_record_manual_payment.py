"""What Stripe refuses for good is paid by people outside of it, and recorded: once, by who may, as what it is."""

import hashlib
from typing import Any
from unittest import mock

import pytest

from bloxtr8 import config, rails
from bloxtr8.domain import adoption
from bloxtr8.entities import Escrow, EscrowStatus, Hold, PlatformRole, User
from bloxtr8.rails.base import RailDeclined
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions import chargebacks, escrows, manual
from tests.functions.chargebacks import FEE, decided, disputed, recovery, tell
from tests.functions.escrows import MISSING, changed, file, row, seen, staff, turned_away
from tests.functions.manual import PAYMENT, REASON, announce, boss, differences, leg, machines, paid, say
from tests.functions.offers import same_but
from tests.functions.webhooks import Machines, alarms, sent_by
from tests.wire import Wire

__all__ = ["boss", "machines"]
ACTION = "record_manual_payment"


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    return manual.parked(aws, stripe)


@pytest.fixture
def _two(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trades of this test are above the limit."""
    escrows.settings(monkeypatch, two_people_by_hand_cents=99_999)


def no(aws: Platform, escrow: Escrow, user: Any, status: int, code: str, **other: Any) -> dict[str, Any]:
    """It is refused, and nothing is written."""
    headers = other.pop("headers", {"Idempotency-Key": f"{code} {len(aws.rows())}"})
    path = {"escrow_id": escrow.id, "manual_payment_id": other.pop("of", None) or manual.last(escrow).id}
    body = {"paymentId": PAYMENT, "reason": REASON} | other
    return dict(refused(aws, status, code, ACTION, user, body, headers=headers, **path).body)


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
    assert view["allowedActions"] == ["resume_settlement", "announce_manual_payment"]
    for other in (escrow.buyer_id, staff(PlatformRole.COMPLIANCE)):
        assert seen(aws, escrow, other)["refusals"] is None
    announced = announce(aws, escrow, boss).body["id"]
    before, wish = aws.rows(), {"paymentId": PAYMENT, "reason": REASON}
    wire.calls.clear()

    answer = aws.call(
        ACTION, boss, wish, headers={"Idempotency-Key": "k"}, escrow_id=escrow.id, manual_payment_id=announced
    )

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
    assert PAYMENT not in str(entry.details)  # both sides read it
    said = {name: entry.details[name] for name in ("paymentIdSha256", "amount", "reason", "people")}
    named = hashlib.sha256(PAYMENT.encode()).hexdigest()
    assert said == {"paymentIdSha256": named, "amount": 70_000, "reason": REASON, "people": [boss.id]}

    factories.settle(escrow, settlement.id)

    assert file(escrow).settlements[0].status == "DONE"
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -30_000, "BANK": 30_000 + FEE, "LOSS": -FEE}
    assert (differences(stripe, escrow), adoption.given_back(file(escrow))) == ([], 0)
    assert sent_by(stripe, "refund.created") == []
    view = seen(aws, escrow, boss)
    assert (view["allowedActions"], view["refusals"]["refused"]) == ([], [])
    moves = [(one["status"], one["allowedActions"]) for one in view["refusals"]["manualPayments"]]
    assert moves == [("RECORDED", [])]
    assert say(aws, escrow, boss).headers["Idempotency-Replayed"] == "true"


def test_one_payment_is_recorded_once_on_the_whole_platform(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User
) -> None:
    """However its hyphens are set."""
    other = manual.parked(aws, stripe)
    assert paid(aws, escrow, boss).status == 202
    no(aws, escrow, boss, 409, "INVALID_STATE")
    assert announce(aws, other, boss).status == 201
    for name in (PAYMENT, "20261129BANK000417", "2026-1129-BANK-000417"):
        no(aws, other, boss, 409, "PAYMENT_ALREADY_RECORDED", paymentId=name)
    assert say(aws, other, boss, "other", payment_id="ANOTHER-1").status == 202


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

    assert paid(aws, escrow, boss, leg=1, amount=due.amount).status == 202

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

    assert paid(aws, escrow, boss).status == 202

    (shown,) = seen(aws, escrow, boss)["refusals"]["manualPayments"]
    assert (shown["pays"], shown["reverses"], shown["allowedActions"]) == ("SELLER", due["reverses"], [])
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

    assert paid(aws, escrow, boss).status == 202

    factories.settle(escrow, settlement_id)
    tell(aws, sent_by(stripe, "refund.failed")[-1])
    assert (escrows.sound(aws, escrow), differences(stripe, escrow)) == ({}, [])
    assert {one.status for one in file(escrow).settlements} == {"DONE"}


@pytest.mark.usefixtures("_two")
def test_above_the_limit_two_people_give_the_same_payment(aws: Platform, escrow: Escrow) -> None:
    first, second, third = (staff(PlatformRole.PADMIN) for _ in range(3))
    assert announce(aws, escrow, first).status == 201

    answer = say(aws, escrow, first)

    assert (answer.status, answer.body["recorded"], answer.body["votes"]) == (202, False, 1)
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, "paymentId" in entry.details, leg(escrow).status) == ("vote_on_manual_payment", False, "SENT")
    no(aws, escrow, first, 409, "ALREADY_VOTED")
    assert say(aws, escrow, second, "other", payment_id="ANOTHER-1").body["votes"] == 1
    (shown,) = seen(aws, escrow, third)["refusals"]["manualPayments"]
    assert [(one["id"], one["paymentId"]) for one in shown["people"]] == [(first.id, PAYMENT), (second.id, "ANOTHER-1")]
    assert say(aws, escrow, third, "third", payment_id="ANOTHER-2").body["votes"] == 1

    final = say(aws, escrow, second, "mended", payment_id=PAYMENT.replace("-", ""))

    assert (final.body["recorded"], final.body["votes"]) == (True, 2)
    assert aws.audit(escrow.id)[-1].details["people"] == [first.id, second.id]
    assert third.id in [one["id"] for one in file(escrow).manual_payments[0].people]
    assert [str(row.status) for row in file(escrow).manual_payments] == ["RECORDED"]


@pytest.mark.usefixtures("_two")
def test_what_was_said_counts_for_a_day_and_while_he_has_the_role(aws: Platform, escrow: Escrow) -> None:
    first, second = (staff(PlatformRole.PADMIN) for _ in range(2))
    announce(aws, escrow, first)
    say(aws, escrow, first)
    aws.clock.advance(hours=24)
    assert say(aws, escrow, second, "after a day").body["votes"] == 1
    role = {"userId": second.id, "role": "PADMIN"}
    aws.invoke("grant_staff_role", role | {"revoke": True})
    assert say(aws, escrow, first, "again").body["votes"] == 1
    aws.invoke("grant_staff_role", role)

    answer = say(aws, escrow, first, "and again")  # both stand now: his word once more is the last that is needed

    assert (answer.body["recorded"], answer.body["votes"]) == (True, 2)


def test_above_a_thousand_dollars_it_needs_two() -> None:
    assert (config.settings().two_people_by_hand_cents, config.settings().two_people_cents) == (100_000, 1_000_000)


@pytest.mark.parametrize("money", [True, False])
def test_what_nobody_resumes_or_records_rings_every_day(
    aws: Platform, stripe: StripeDouble, boss: User, monkeypatch: pytest.MonkeyPatch, money: bool
) -> None:
    """Whether money lies in the escrow or, as where the seller is to pay back, none."""
    if money:
        escrow = manual.parked(aws, stripe)
    else:
        escrow = chargebacks.released(aws, stripe)
        stripe.pay_out(str(escrow.payout_account_id), 97_100)
        decided(aws, stripe, disputed(aws, stripe, escrow), "lost")
        factories.settle(escrow, recovery(escrow))
    assert (row(escrow).held + row(escrow).surplus > 0) is money
    told, about = alarms(monkeypatch), {"escrowId": escrow.id, "settlementId": leg(escrow).settlement_id}
    parked = ("a settlement is parked still", about)

    def rung(days: int) -> list[tuple[str, dict[str, str]]]:
        told.clear()
        aws.clock.advance(days=days)
        aws.invoke("reconcile_money", {})
        return list(told)

    assert [rung(days) for days in (2, 1, 1)] == [[], [parked], [parked]]
    payment = announce(aws, escrow, boss).body["id"]
    announced = ("a manual payment was announced and not recorded", {"escrowId": escrow.id, "manualPaymentId": payment})
    assert [rung(days) for days in (2, 1, 1)] == [[], [announced], [announced]]
    assert manual.withdraw(aws, escrow, boss).status == 200
    assert rung(1) == [parked]
    assert paid(aws, escrow, boss).status == 202
    assert rung(3) == []


def test_who_announces_it_anew_silences_no_alarm(
    aws: Platform, escrow: Escrow, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    for turn in range(2):
        assert announce(aws, escrow, boss, f"a{turn}").status == 201
        aws.clock.advance(days=2)
        aws.invoke("reconcile_money", {})
        assert manual.withdraw(aws, escrow, boss, f"w{turn}").status == 200
    assert len([one for one in told if "announced" in one[0]]) == 1


def test_a_hold_placed_since_stops_no_record(aws: Platform, escrow: Escrow, boss: User) -> None:
    announce(aws, escrow, boss)
    changed(escrow, holds=frozenset({Hold.COMPLIANCE}))
    assert manual.moves(aws, escrow, boss) == [ACTION, "withdraw_manual_payment"]
    assert say(aws, escrow, boss).body["recorded"]


def test_is_for_administrators_who_are_no_party_and_name_a_key(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User
) -> None:
    announced = announce(aws, escrow, boss).body["id"]
    body, headers = {"paymentId": PAYMENT, "reason": REASON}, {"Idempotency-Key": "k"}
    path = {"escrow_id": escrow.id, "manual_payment_id": announced}
    others = staff(PlatformRole.SUPPORT, PlatformRole.ARBITER, PlatformRole.COMPLIANCE)
    for user in (escrow.buyer_id, others, factories.user()):
        for escrow_id in (escrow.id, MISSING):
            answer = aws.call(ACTION, user, body, headers=headers, **path | {"escrow_id": escrow_id})
            assert (answer.status, answer.code) == (403, "FORBIDDEN")
    for wrong in ({"escrow_id": MISSING}, {"escrow_id": "esc_\x00"}, {"manual_payment_id": "mpy_1"}):
        assert aws.call(ACTION, boss, body, headers=headers, **path | wrong).status == 404
    no(aws, escrow, boss, 400, "IDEMPOTENCY_KEY_REQUIRED", headers={})
    no(aws, escrow, boss, 412, "VERSION_MISMATCH", headers=headers | {"If-Match": '"1"'})
    for party in (escrow.buyer_id, escrow.seller_id):
        aws.invoke("grant_staff_role", {"userId": party, "role": "PADMIN"})
        no(aws, escrow, party, 403, "CONFLICT_OF_INTEREST")
        assert ACTION not in seen(aws, escrow, party)["allowedActions"]
    names = (
        "re_1ABCDEFG", "pi_123456", "SHORT", "-ABCDEF", "ABCDEF-", "ABC DEF", "abcdef", "A" * 65, "ABC\nDEF", 7, None,
    )  # fmt: skip
    bodies = [body | {"paymentId": name} for name in names]
    turned_away(
        aws, ACTION, boss, [*bodies, body | {"reason": ""}, body | {"more": 1}, {}, []], headers=headers, **path
    )


def test_of_two_at_once_one_records(aws: Platform, escrow: Escrow, boss: User) -> None:
    announce(aws, escrow, boss)
    answers = together(lambda: say(aws, escrow, boss, "a"), lambda: say(aws, escrow, boss, "b", payment_id="ANOTHER-1"))
    assert sorted(answer.status for answer in answers) == [202, 409]
    assert sum(line.amount for line in file(escrow).ledger if line.leg_id) == 70_000
