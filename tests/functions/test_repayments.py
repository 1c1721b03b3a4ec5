"""What was taken from the seller for a loss that was made good since is paid to him again, by itself, once."""

from typing import Any
from unittest import mock

import pytest

from bloxtr8 import rails, reads
from bloxtr8.domain import reconciliations
from bloxtr8.entities import Escrow, EscrowStatus, Hold, PlatformRole, Settlement
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import RailDeclined, SellerNotReady
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import chargebacks, escrows, manual, money
from tests.functions.chargebacks import FEE, decided, disputed, happen, tell
from tests.functions.webhooks import Machines, alarms, sent_by
from tests.wire import Wire

REPAID = {"BUYER": -100_000, "SELLER": 97_100, "FEES": 2_900, "BANK": FEE, "LOSS": -FEE}


@pytest.fixture(autouse=True)
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def lost(aws: Platform, stripe: StripeDouble, escrow: Escrow, **how: Any) -> str:
    """The bank keeps it, and the seller's transfer is reversed."""
    chargeback = disputed(aws, stripe, escrow, **how)
    decided(aws, stripe, chargeback, "lost")
    for row in of_kind(escrow, "RECOVERY"):
        factories.settle(escrow, row.id)
    return chargeback


def won_after_all(aws: Platform, stripe: StripeDouble, chargeback: str) -> None:
    """Its events come twice."""
    stripe.reinstate_dispute(chargeback)
    for _ in range(2):
        happen(aws, stripe, "funds_reinstated")


def of_kind(escrow: Escrow, kind: str) -> list[Settlement]:
    return sorted(
        (row for row in reads.escrow(escrow.id).settlements if row.kind == kind), key=lambda row: row.created_at
    )


def repayments(escrow: Escrow) -> list[tuple[str, int]]:
    return [(str(row.status), row.to_seller) for row in of_kind(escrow, "REPAYMENT")]


def books(aws: Platform, escrow: Escrow) -> dict[str, int]:
    """The accounts that are not zero; they balance, and Stripe has what they say."""
    file = reads.escrow(escrow.id)
    found = rails.cards().books(str(file.rail.external_id), escrow.id)
    paid, sent = found.net
    assert reconciliations.of_card(file, paid, sent) == []
    return chargebacks.seen_by(aws, escrow)


def test_what_was_reversed_is_paid_again_and_can_be_taken_back_again(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = chargebacks.released(aws, stripe)
    first = lost(aws, stripe, escrow)
    won_after_all(aws, stripe, first)

    (due,) = of_kind(escrow, "REPAYMENT")
    assert (due.to_seller, due.reason, machines.started[-1]) == (97_100, "LOSS_MADE_GOOD", f"{due.id}-1")
    entry = next(one for one in aws.audit(escrow.id) if one.action == "reinstate_chargeback")
    assert {"type": "Settlement", "id": due.id} in [{"type": one["type"], "id": one["id"]} for one in entry.created], (
        entry.created
    )
    factories.settle(escrow, due.id)
    assert repayments(escrow) == [("DONE", 97_100)]
    assert books(aws, escrow) == REPAID
    view = escrows.seen(aws, escrow, escrow.seller_id)
    assert [one["toSeller"] for one in view["settlements"] if one["kind"] == "REPAYMENT"] == [97_100]
    row = factories.escrow_row(escrow)
    assert (row.status, row.holds, row.money) == (EscrowStatus.RELEASED, frozenset(), f"ENDED#{row.ended_at.date()}")

    second = lost(aws, stripe, escrow)
    assert books(aws, escrow) == {"BUYER": -100_000, "FEES": 2_900, "BANK": 100_000 + 2 * FEE, "LOSS": -2_900 - 2 * FEE}
    won_after_all(aws, stripe, second)
    factories.settle(escrow, of_kind(escrow, "REPAYMENT")[1].id)
    assert books(aws, escrow) == REPAID | {"BANK": 2 * FEE, "LOSS": -2 * FEE}


@pytest.mark.parametrize("arrived", [False, True])
def test_what_was_being_taken_as_it_was_made_good_is_paid_again_once_it_is(
    aws: Platform, stripe: StripeDouble, arrived: bool
) -> None:
    escrow = chargebacks.released(aws, stripe)
    chargeback = disputed(aws, stripe, escrow)
    decided(aws, stripe, chargeback, "lost")
    stripe.fault("drop_after" if arrived else "drop_before", "post", "/v1/transfers/.*/reversals", times=9)
    with pytest.raises(money.UNKNOWN):
        factories.settle(escrow, chargebacks.recovery(escrow))
    stripe.clear_faults()
    won_after_all(aws, stripe, chargeback)
    assert repayments(escrow) == []
    for _ in range(3):
        aws.clock.advance(seconds=3_600)
        factories.settle(escrow, chargebacks.recovery(escrow))
    (due,) = of_kind(escrow, "REPAYMENT")
    factories.settle(escrow, due.id)
    assert books(aws, escrow) == REPAID


def test_a_reversal_that_is_refused_once_its_loss_is_made_good_is_over(aws: Platform, stripe: StripeDouble) -> None:
    escrow = chargebacks.released(aws, stripe)
    chargeback = disputed(aws, stripe, escrow)
    decided(aws, stripe, chargeback, "lost")

    def meanwhile(*_: Any) -> None:
        won_after_all(aws, stripe, chargeback)
        raise RailDeclined("too little", code="insufficient_funds")

    with mock.patch.object(type(rails.get("STRIPE")), "send", side_effect=meanwhile):
        factories.settle(escrow, chargebacks.recovery(escrow))
    assert ([str(row.status) for row in of_kind(escrow, "RECOVERY")], repayments(escrow)) == (["DROPPED"], [])
    assert books(aws, escrow) == REPAID


def test_of_what_comes_back_in_part_only_so_much_is_his(aws: Platform, stripe: StripeDouble) -> None:
    """Two banks' claims: the one that stands is taken from him, and not more."""
    escrow = chargebacks.released(aws, stripe)
    first, _ = (lost(aws, stripe, escrow, amount=amount) for amount in (60_000, 40_000))
    assert books(aws, escrow)["LOSS"] == -2_900 - 2 * FEE
    won_after_all(aws, stripe, first)
    assert repayments(escrow) == [("OPEN", 57_100)]


def test_a_new_loss_takes_first_what_he_was_to_be_paid_again(aws: Platform, stripe: StripeDouble) -> None:
    escrow = chargebacks.released(aws, stripe)
    won_after_all(aws, stripe, lost(aws, stripe, escrow))
    intent = str(reads.escrow(escrow.id).rail.external_id)
    stripe_client.client().v1.refunds.create({"payment_intent": intent, "amount": 40_000})
    stripe.advance(days=5)
    for one in sent_by(stripe, "refund.updated"):
        tell(aws, one)
    assert repayments(escrow) == [("DROPPED", 97_100), ("OPEN", 57_100)]
    assert [str(row.status) for row in of_kind(escrow, "RECOVERY")] == ["DONE"]
    factories.settle(escrow, of_kind(escrow, "REPAYMENT")[1].id)
    assert books(aws, escrow) == REPAID | {"BUYER": -60_000, "SELLER": 57_100}


def test_a_refund_that_comes_back_after_the_bank_paid_makes_his_loss_good(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    money.split(escrow, 60_000)
    assert escrows.paid_out(stripe, escrow).status is EscrowStatus.SPLIT
    lost(aws, stripe, escrow, amount=60_000)
    refund = next(leg.external_id for leg in reads.escrow(escrow.id).legs if leg.pays == "BUYER")
    stripe.fail_refund(str(refund))
    for _ in range(2):
        tell(aws, sent_by(stripe, "refund.failed")[-1])
    (due,) = of_kind(escrow, "REPAYMENT")
    factories.settle(escrow, due.id)
    assert books(aws, escrow) == {"BUYER": -100_000, "BANK": 60_000 + FEE, "SELLER": 38_260, "FEES": 1_740} | {
        "LOSS": -FEE
    }


@pytest.mark.parametrize("spent", [False, True])
def test_what_a_refund_that_came_back_made_good_is_the_buyers_should_the_bank_give_it_back(
    aws: Platform, stripe: StripeDouble, spent: bool
) -> None:
    """Nothing is taken from the seller for it any more, though he was asked for it by hand already, nor paid to him."""
    escrow = factories.delivered(stripe)
    money.split(escrow, 60_000)
    ended = escrows.paid_out(stripe, escrow)
    if spent:
        stripe.pay_out(str(ended.payout_account_id), 58_260)
    chargeback = disputed(aws, stripe, escrow, amount=60_000)
    decided(aws, stripe, chargeback, "lost")
    if spent:
        factories.settle(escrow, chargebacks.recovery(escrow))
    refund = next(leg.external_id for leg in reads.escrow(escrow.id).legs if leg.pays == "BUYER")
    stripe.fail_refund(str(refund))
    for _ in range(2):
        tell(aws, sent_by(stripe, "refund.failed")[-1])
    again = [(str(row.status), row.to_platform) for row in of_kind(escrow, "RECOVERY")]
    assert again == [("DROPPED", 58_260), ("OPEN", 20_000)]
    won_after_all(aws, stripe, chargeback)
    (back,) = of_kind(escrow, "RETURN")
    escrows.paid_out(stripe, escrow, back.id)
    assert {str(row.status) for row in of_kind(escrow, "RECOVERY")} == {"DROPPED"}
    assert repayments(escrow) == []
    assert books(aws, escrow) == {"BUYER": -60_000, "BANK": FEE, "SELLER": 58_260, "FEES": 1_740, "LOSS": -FEE}


def test_a_seller_who_delivered_nothing_is_paid_nothing_of_what_banks_and_refunds_send_to_and_fro(
    aws: Platform, stripe: StripeDouble
) -> None:
    escrow = factories.funded(stripe)
    intent = str(reads.escrow(escrow.id).rail.external_id)
    refund = stripe_client.client().v1.refunds.create({"payment_intent": intent, "amount": 30_000})
    stripe.advance(days=5)
    chargeback = disputed(aws, stripe, escrow, amount=100_000)
    stripe.close_dispute(chargeback, "lost")
    for _ in range(2):
        tell(aws, sent_by(stripe, "refund.updated")[-1])
        happen(aws, stripe, "closed")
    stripe.fail_refund(refund.id)
    tell(aws, sent_by(stripe, "refund.failed")[-1])
    won_after_all(aws, stripe, chargeback)
    back = of_kind(escrow, "RETURN")[-1]
    assert (back.to_buyer, repayments(escrow)) == (100_000, [])
    escrows.paid_out(stripe, escrow, back.id)
    assert books(aws, escrow) == {"BANK": FEE, "LOSS": -FEE}


def test_it_waits_for_a_hold_and_what_is_refused_is_paid_outside(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    escrow = chargebacks.released(aws, stripe)
    won_after_all(aws, stripe, lost(aws, stripe, escrow))
    (due,) = of_kind(escrow, "REPAYMENT")
    escrows.changed(escrow, holds=frozenset({Hold.COMPLIANCE}))
    factories.settle(escrow, due.id)
    assert [(row.status, row.error) for row in of_kind(escrow, "REPAYMENT")] == [("PARKED", "ON_HOLD")]
    escrows.changed(escrow, holds=frozenset())
    boss = escrows.staff(PlatformRole.PADMIN)
    resumed = aws.call(
        "resume_settlement", boss, {"reason": "r"}, headers={"Idempotency-Key": "r"}, escrow_id=escrow.id
    )
    assert resumed.status == 202
    stripe_rail = type(rails.get("STRIPE"))
    with mock.patch.object(stripe_rail, "send", side_effect=SellerNotReady("not yet")):
        factories.settle(escrow, due.id)
    assert repayments(escrow) == [("OPEN", 97_100)]
    aws.clock.advance(days=1)
    with mock.patch.object(stripe_rail, "send", side_effect=RailDeclined("closed", code="closed")):
        factories.settle(escrow, due.id)
    assert factories.escrow_row(escrow).holds == frozenset()
    assert "settlement parked" in [message for message, _ in told]
    (refusal,) = escrows.seen(aws, escrow, boss)["refusals"]["refused"]
    assert (refusal["kind"], refusal["pays"], refusal["amount"], refusal["reverses"]) == (
        "REPAYMENT", "SELLER", 97_100, None,
    )  # fmt: skip
    said = {name: refusal[name] for name in ("settlementId", "leg", "amount")}
    answer = manual.paid(aws, escrow, boss, **said)
    assert answer.status == 202, answer.body
    factories.settle(escrow, due.id)
    assert (repayments(escrow), books(aws, escrow)) == ([("DONE", 97_100)], REPAID)
