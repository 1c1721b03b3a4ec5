"""A payment that is charged back is stopped; won it goes on, lost it ends, and every cent has its account (M48)."""

import datetime as dt
import itertools
import random
import re
from typing import Any

import pytest

from bloxtr8 import attempts, reads, table
from bloxtr8.domain import plans
from bloxtr8.entities import ChargebackStatus, Escrow, EscrowStatus, Hold, PlatformRole, SettlementStatus
from bloxtr8.rails import stripe_client
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import chargebacks, escrows, money
from tests.functions.chargebacks import FEE, decided, dispute, disputed, happen, tell
from tests.functions.webhooks import Machines, alarms, event, sent_by
from tests.wire import Wire

DAY = dt.timedelta(days=1)


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    return alarms(monkeypatch)


def actions(aws: Platform, escrow: Escrow) -> list[str]:
    return [entry.action for entry in aws.audit(escrow.id)]


def confirmed(aws: Platform, stripe: StripeDouble, **fields: Any) -> Escrow:
    """An escrow that is about to pay its seller."""
    escrow = factories.delivered(stripe, **fields)
    assert escrows.confirm(aws, escrow).status == 202
    return factories.escrow_row(escrow)


# --- the hold


@pytest.mark.parametrize("start", [factories.funded, factories.delivered, confirmed, chargebacks.released])
def test_a_chargeback_holds_in_any_status_once_paid(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]], start: Any
) -> None:
    escrow = start(stripe) if start in {factories.funded, factories.delivered} else start(aws, stripe)
    other = factories.funded(stripe)
    before = chargebacks.seen_by(aws, escrow)

    chargeback = disputed(aws, stripe, escrow)

    row = factories.escrow_row(escrow)
    assert (row.status, row.holds) == (escrow.status, {Hold.CHARGEBACK})
    assert (row.frozen_causes == {Hold.CHARGEBACK}) == (escrow.status is not EscrowStatus.RELEASED)
    (found,) = chargebacks.rows(escrow)
    assert (found.id, found.status, found.amount, found.fee) == (chargeback, "OPEN", escrow.gross, FEE)
    entry = next(one for one in aws.audit(escrow.id) if one.action == "record_chargeback")
    assert entry.details == {"chargeback": chargeback, "amount": escrow.gross, "inquiry": False}
    assert entry.role == "SYSTEM"
    after = chargebacks.seen_by(aws, escrow)
    assert after == before | {"BANK": FEE, "LOSS": -FEE}
    assert "a payment is charged back" in [message for message, _ in told]
    assert factories.escrow_row(other).holds == set()


def test_what_is_held_starts_no_money_and_passes_no_deadline(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    disputed(aws, stripe, escrow)
    for refused in (escrows.confirm(aws, escrow), escrows.refund(aws, escrow)):
        assert (refused.status, refused.body["code"]) == (409, "ESCROW_ON_HOLD")
    aws.clock.advance(seconds=escrow.inspect_seconds + 86_400)
    aws.invoke("enforce_escrow_deadlines")
    assert factories.escrow_row(escrow).status is EscrowStatus.DELIVERED


def test_a_leg_under_way_is_confirmed_and_the_next_is_not_sent(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = confirmed(aws, stripe)
    aws.invoke("send_leg", {"escrowId": escrow.id, "settlementId": escrow.settlement_id})
    disputed(aws, stripe, escrow)
    assert factories.settle(escrow).status is EscrowStatus.RELEASED  # it was paid already
    assert chargebacks.seen_by(aws, escrow)["SELLER"] == 97_100


def test_the_settlement_that_was_not_sent_is_parked_until_it_is_won(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = confirmed(aws, stripe)
    chargeback = disputed(aws, stripe, escrow)
    factories.settle(escrow)
    (parked,) = reads.escrow(escrow.id).settlements
    assert (parked.status, parked.error) == (SettlementStatus.PARKED, "ON_HOLD")
    assert sent_by(stripe, "transfer.created") == []

    decided(aws, stripe, chargeback, "won")

    assert machines.started[-1] == f"{parked.id}-2"
    assert factories.settle(escrow).status is EscrowStatus.RELEASED
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -100_000, "SELLER": 97_100, "FEES": 2_900, "BANK": FEE, "LOSS": -FEE,
    }  # fmt: skip


# --- won


@pytest.mark.parametrize("start", [factories.funded, factories.delivered])
def test_won_lifts_only_this_hold_and_moves_the_deadlines(
    aws: Platform, stripe: StripeDouble, machines: Machines, start: Any
) -> None:
    escrow = start(stripe)
    escrows.changed(escrow, holds=frozenset({Hold.COMPLIANCE}))
    chargeback = disputed(aws, stripe, escrow)
    aws.clock.advance(days=30)

    decided(aws, stripe, chargeback, "won")

    row = factories.escrow_row(escrow)
    assert (row.status, row.holds, row.frozen_causes) == (escrow.status, {Hold.COMPLIANCE}, frozenset())
    name = "deliver_by" if escrow.status is EscrowStatus.FUNDS_HELD else "inspect_by"
    moved = getattr(row, name) - getattr(escrow, name)
    assert dt.timedelta(days=30) <= moved < dt.timedelta(days=30, minutes=1)
    assert row.held == escrow.gross
    (found,) = chargebacks.rows(escrow)
    assert (found.status, found.next_look) == (ChargebackStatus.WON, None)
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -escrow.gross, "HELD": escrow.gross, "BANK": FEE, "LOSS": -FEE,
    }  # fmt: skip


# --- lost before the release


@pytest.mark.parametrize("start", [factories.funded, factories.delivered, confirmed])
def test_lost_before_the_release_the_bank_has_the_money_and_the_deal_ends(
    aws: Platform, stripe: StripeDouble, machines: Machines, start: Any
) -> None:
    escrow = start(aws, stripe) if start is confirmed else start(stripe)
    chargeback = disputed(aws, stripe, escrow)
    settlement_id = factories.escrow_row(escrow).settlement_id

    decided(aws, stripe, chargeback, "lost")

    file = reads.escrow(escrow.id)
    row = file.escrow
    assert (row.status, row.reason, row.holds) == (EscrowStatus.REFUNDED, "CHARGEBACK", frozenset())
    assert (row.settlement_id, row.frozen_causes, row.next_look) == (None, frozenset(), None)
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -100_000, "BANK": 100_000 + FEE, "LOSS": -FEE}
    assert [one.status for one in file.settlements] == ([SettlementStatus.DROPPED] if settlement_id else [])
    assert file.delivery.status in {"CANCELLED", "CONFIRMED"}
    assert escrows.around(escrow) | {"volume": 0} == {
        "listing": "INACTIVE", "offer": "ACCEPTED", "open": [0, 0], "volume": 0,
    }  # fmt: skip
    if settlement_id:  # its machine finds nothing to do
        factories.settle(escrow, settlement_id)
    assert sent_by(stripe, "transfer.created", "refund.created") == []
    assert factories.escrow_row(escrow).version == row.version


def rolled_back(aws: Platform, stripe: StripeDouble, roblox: Any) -> Escrow:
    """A trade whose asset is the seller's again when the inspection ends, so that the platform opens a dispute."""
    escrow = factories.delivered(stripe)
    roblox.set_group(escrow.asset_id, owner=escrow.seller_roblox_id)
    aws.clock.advance(seconds=escrow.inspect_seconds)
    aws.invoke("enforce_escrow_deadlines")
    return escrow


def test_lost_it_ends_a_dispute_that_people_had_not_decided(
    aws: Platform, stripe: StripeDouble, machines: Machines, roblox: Any
) -> None:
    escrow = rolled_back(aws, stripe, roblox)
    assert factories.escrow_row(escrow).status is EscrowStatus.DISPUTED
    chargeback = disputed(aws, stripe, escrow)
    decided(aws, stripe, chargeback, "lost")
    (closed,) = reads.escrow(escrow.id).disputes
    assert (closed.status, closed.outcome) == ("CLOSED", "CHARGEBACK")
    assert factories.escrow_row(escrow).status is EscrowStatus.REFUNDED


def test_of_a_part_that_was_lost_the_rest_goes_back_to_the_buyer(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.funded(stripe)
    chargeback = disputed(aws, stripe, escrow, amount=30_000)

    decided(aws, stripe, chargeback, "lost")

    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -100_000, "BANK": 30_000 + FEE, "LOSS": -FEE, "SURPLUS": 70_000,
    }  # fmt: skip
    (back,) = reads.escrow(escrow.id).settlements
    assert (back.kind, back.to_buyer, back.status) == ("RETURN", 70_000, SettlementStatus.OPEN)
    assert machines.started[-1] == f"{back.id}-1"


def test_a_rest_that_stripe_does_not_refund_waits_for_a_person(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.funded(stripe)
    chargeback = disputed(aws, stripe, escrow, amount=30_000)
    decided(aws, stripe, chargeback, "lost")
    (back,) = reads.escrow(escrow.id).settlements
    ended = factories.settle(escrow, back.id)
    parked = reads.escrow(escrow.id).settlement(back.id)
    assert (parked.status, parked.error) == (SettlementStatus.PARKED, "RailFrozen")
    assert (ended.status, ended.holds, ended.surplus) == (EscrowStatus.REFUNDED, frozenset(), 70_000)
    stripe._world.get("dispute", chargeback)["is_charge_refundable"] = True
    headers = {"Idempotency-Key": "again"}
    admin = escrows.staff(PlatformRole.PADMIN)
    answer = aws.call("resume_settlement", admin, {"reason": "It does."}, headers=headers, escrow_id=escrow.id)
    assert answer.status == 202, answer.body
    factories.settle(escrow, back.id)
    stripe.advance(days=5)
    factories.settle(escrow, back.id)
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -30_000, "BANK": 30_000 + FEE, "LOSS": -FEE}


# --- a part, of what was handed over


def test_of_a_part_lost_after_the_delivery_only_that_part_is_gone(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    chargeback = disputed(aws, stripe, escrow, amount=30_000)
    aws.clock.advance(days=2)

    decided(aws, stripe, chargeback, "lost")

    row = factories.escrow_row(escrow)
    assert (row.status, row.holds) == ("DELIVERED", frozenset())
    assert row.inspect_by - escrow.inspect_by >= 2 * DAY
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -100_000, "HELD": 70_000, "BANK": 30_000 + FEE, "LOSS": -FEE,
    }  # fmt: skip
    assert escrows.confirm(aws, escrow).status == 202
    assert factories.settle(escrow).status is EscrowStatus.SPLIT  # the buyer has a part, of his bank
    assert escrows.around(escrow)["listing"] == "SOLD"
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -100_000, "SELLER": 67_970, "FEES": 2_030, "BANK": 30_000 + FEE, "LOSS": -FEE,
    }  # fmt: skip


def test_of_a_part_lost_after_the_confirmation_the_seller_is_paid_the_rest(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = confirmed(aws, stripe)
    parts = [disputed(aws, stripe, escrow, amount=amount) for amount in (20_000, 10_000)]
    factories.settle(escrow)  # parked by the hold
    for chargeback in parts:
        decided(aws, stripe, chargeback, "lost")

    *dropped, last = reads.escrow(escrow.id).settlements
    assert [row.status for row in dropped] == [SettlementStatus.DROPPED] * 2
    assert (last.kind, last.to_seller, last.to_platform, last.to_buyer) == ("RELEASE", 67_970, 2_030, 0)
    row = factories.escrow_row(escrow)
    assert (row.status, row.settlement_id, row.holds) == ("SETTLING", last.id, frozenset())
    assert machines.started[-1] == f"{last.id}-1"
    factories.settle(escrow, dropped[0].id)  # its machine finds nothing to do
    assert factories.settle(escrow).status is EscrowStatus.SPLIT
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -100_000, "SELLER": 67_970, "FEES": 2_030, "BANK": 30_000 + 2 * FEE, "LOSS": -2 * FEE,
    }  # fmt: skip


def test_what_the_bank_gave_the_buyer_comes_out_of_his_part_of_a_split(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    money.split(escrow, 60_000)
    decided(aws, stripe, disputed(aws, stripe, escrow, amount=30_000), "lost")
    _, last = reads.escrow(escrow.id).settlements
    assert (last.to_seller, last.to_platform, last.to_buyer) == (58_260, 1_740, 10_000)
    event = {"escrowId": escrow.id, "settlementId": last.id}
    for task in ("send_leg", "confirm_leg"):
        aws.invoke(task, event)  # the seller has his part now

    decided(aws, stripe, disputed(aws, stripe, escrow, amount=4_000), "lost")

    *_, last = reads.escrow(escrow.id).settlements
    assert (last.to_seller, last.to_platform, last.to_buyer, last.seller_share, last.buyer_share) == (
        0, 0, 6_000, 60_000, 6_000,
    )  # fmt: skip
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -100_000, "SELLER": 58_260, "FEES": 1_740, "HELD": 6_000, "BANK": 34_000 + 2 * FEE, "LOSS": -2 * FEE,
    }  # fmt: skip


def test_an_arbiter_divides_what_the_bank_has_left(
    aws: Platform, stripe: StripeDouble, machines: Machines, roblox: Any
) -> None:
    escrow = rolled_back(aws, stripe, roblox)
    decided(aws, stripe, disputed(aws, stripe, escrow, amount=30_000), "lost")
    file = reads.escrow(escrow.id)
    assert (file.escrow.status, plans.remaining(file)) == ("DISPUTED", 70_000)
    (dispute_row,) = file.disputes
    assert dispute_row.status == "OPEN"


# --- lost after the release


def test_lost_after_the_release_is_a_loss_and_the_transfer_is_reversed(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = chargebacks.released(aws, stripe)
    before = stripe.balance()["available"] + stripe.balance()["pending"]
    chargeback = disputed(aws, stripe, escrow)

    decided(aws, stripe, chargeback, "lost")

    ended = factories.escrow_row(escrow)
    assert (ended.status, ended.holds, ended.ended_at) == (EscrowStatus.RELEASED, frozenset(), escrow.ended_at)
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -100_000, "SELLER": 97_100, "FEES": 2_900, "BANK": 100_000 + FEE, "LOSS": -100_000 - FEE,
    }  # fmt: skip
    assert machines.started[-1] == f"{chargebacks.recovery(escrow)}-1"
    assert "a chargeback was lost" in [message for message, _ in told]

    factories.settle(escrow, chargebacks.recovery(escrow))

    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -100_000, "FEES": 2_900, "BANK": 100_000 + FEE, "LOSS": -2_900 - FEE,
    }  # fmt: skip
    after = stripe.balance()["available"] + stripe.balance()["pending"]
    assert after - before == 97_100 - 100_000 - FEE
    assert reads.escrow(escrow.id).settlement(chargebacks.recovery(escrow)).status is SettlementStatus.DONE
    assert factories.escrow_row(escrow).status is EscrowStatus.RELEASED
    assert stripe.ledger_sum() == 0


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "500_after", "503", "409", "429"])
def test_a_reversal_whose_answer_is_lost_happens_once(
    aws: Platform, stripe: StripeDouble, machines: Machines, fault: str
) -> None:
    escrow = chargebacks.released(aws, stripe)
    decided(aws, stripe, disputed(aws, stripe, escrow), "lost")
    event = {"escrowId": escrow.id, "settlementId": chargebacks.recovery(escrow)}
    stripe.fault(fault, "post", "/reversals$", times=9)
    with pytest.raises(Exception, match=r"API|Rate|Idempotency|Connection"):
        aws.invoke("send_leg", event)
    (leg,) = reads.escrow(escrow.id).legs_of(event["settlementId"])
    assert (leg.status, leg.attempt) == ("SENT", 1)
    stripe.clear_faults()

    factories.settle(escrow, event["settlementId"])

    (transfer,) = stripe_client.client().v1.transfers.list({"transfer_group": escrow.id}).data
    assert (transfer.amount_reversed, len(transfer.reversals.data)) == (97_100, 1)
    assert transfer.reversals.data[0].metadata["opId"] == f"{event['settlementId']}:1:1"
    assert chargebacks.seen_by(aws, escrow)["LOSS"] == -2_900 - FEE


def test_a_seller_who_has_spent_it_leaves_the_loss_and_a_person_can_try_again(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = chargebacks.released(aws, stripe)
    stripe.pay_out(str(escrow.payout_account_id), 97_100)
    decided(aws, stripe, disputed(aws, stripe, escrow), "lost")

    ended = factories.settle(escrow, chargebacks.recovery(escrow))

    parked = reads.escrow(escrow.id).settlement(chargebacks.recovery(escrow))
    assert (parked.status, parked.error) == (SettlementStatus.PARKED, "balance_insufficient")
    assert (ended.status, ended.holds) == (EscrowStatus.RELEASED, frozenset())
    assert chargebacks.seen_by(aws, escrow)["LOSS"] == -100_000 - FEE

    stripe.pay_out(str(escrow.payout_account_id), -97_100)  # he has earned it since
    admin = escrows.staff(PlatformRole.PADMIN)
    headers = {"Idempotency-Key": "again"}
    answer = aws.call("resume_settlement", admin, {"reason": "He has it."}, headers=headers, escrow_id=escrow.id)
    assert answer.status in {200, 202}, answer.body
    factories.settle(escrow, parked.id)
    assert chargebacks.seen_by(aws, escrow)["LOSS"] == -2_900 - FEE


def test_money_that_went_back_already_is_lost_twice_and_nothing_is_reversed(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.funded(stripe)
    assert escrows.refund(aws, escrow).status == 202
    assert escrows.paid_out(stripe, escrow).status is EscrowStatus.REFUNDED
    decided(aws, stripe, disputed(aws, stripe, escrow, amount=40_000), "lost")
    assert chargebacks.seen_by(aws, escrow) == {"BANK": 40_000 + FEE, "LOSS": -40_000 - FEE}
    assert [row.kind for row in reads.escrow(escrow.id).settlements] == ["REFUND"]


@pytest.mark.parametrize(("lost", "again"), [(100_000, 0), (40_000, 60_000)])
def test_a_refund_that_comes_back_makes_up_for_the_loss_and_only_the_rest_goes_out_again(
    aws: Platform, stripe: StripeDouble, machines: Machines, lost: int, again: int
) -> None:
    escrow = factories.funded(stripe)
    assert escrows.refund(aws, escrow).status == 202
    assert escrows.paid_out(stripe, escrow).status is EscrowStatus.REFUNDED
    decided(aws, stripe, disputed(aws, stripe, escrow, amount=lost), "lost")
    (leg,) = reads.escrow(escrow.id).legs

    stripe.fail_refund(str(leg.external_id))
    for told in sent_by(stripe, "refund.failed") * 2:
        tell(aws, told)

    assert chargebacks.seen_by(aws, escrow) == {
        account: cents for account, cents in
        {"BUYER": -100_000, "BANK": lost + FEE, "LOSS": -FEE, "SURPLUS": again}.items() if cents
    }  # fmt: skip
    returns = [row.to_buyer for row in reads.escrow(escrow.id).settlements if row.kind == "RETURN"]
    assert returns == ([again] if again else [])


# --- several


def test_the_hold_goes_with_the_last_of_several(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.funded(stripe)
    first, second = (dispute(stripe, escrow, amount=amount) for amount in (30_000, 20_000))
    happen(aws, stripe)
    decided(aws, stripe, first, "won")
    assert factories.escrow_row(escrow).holds == {Hold.CHARGEBACK}
    decided(aws, stripe, second, "won")
    assert factories.escrow_row(escrow).holds == set()
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -100_000, "HELD": 100_000, "BANK": 2 * FEE, "LOSS": -2 * FEE,
    }  # fmt: skip


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_parts_that_are_lost_one_by_one_add_up(
    aws: Platform, stripe: StripeDouble, machines: Machines, order: tuple[int, ...]
) -> None:
    escrow = factories.funded(stripe)
    parts = [dispute(stripe, escrow, amount=amount) for amount in (30_000, 20_000, 60_000)]
    happen(aws, stripe)
    for n in order:
        decided(aws, stripe, parts[n], "lost")
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -100_000, "BANK": 110_000 + 3 * FEE, "LOSS": -10_000 - 3 * FEE,
    }  # fmt: skip
    file = reads.escrow(escrow.id)
    assert (file.escrow.status, file.escrow.holds) == (EscrowStatus.REFUNDED, frozenset())
    assert {row.status for row in file.settlements} <= {SettlementStatus.DROPPED}


def test_two_parts_lost_after_the_release_reverse_no_more_than_was_paid(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = chargebacks.released(aws, stripe)
    for amount in (60_000, 40_000):
        decided(aws, stripe, disputed(aws, stripe, escrow, amount=amount), "lost")
    for row in reads.escrow(escrow.id).settlements:
        if row.kind == "RECOVERY":
            factories.settle(escrow, row.id)
    assert [row.to_platform for row in reads.escrow(escrow.id).settlements if row.kind == "RECOVERY"] in (
        [60_000, 37_100], [37_100, 60_000],
    )  # fmt: skip
    assert chargebacks.seen_by(aws, escrow)["LOSS"] == -2_900 - 2 * FEE


# --- events are hints


def end(aws: Platform, escrow: Escrow) -> tuple[Any, ...]:
    file = reads.escrow(escrow.id)
    row = file.escrow
    states = sorted((one.status, one.amount, one.fee) for one in file.chargebacks)
    return row.status, row.holds, row.reason, states, chargebacks.seen_by(aws, escrow)


@pytest.mark.parametrize("verdict", ["won", "lost"])
@pytest.mark.parametrize("start", [factories.funded, chargebacks.released])
def test_events_twenty_times_in_any_order_come_to_the_same_end(
    aws: Platform, stripe: StripeDouble, machines: Machines, verdict: str, start: Any
) -> None:
    luck = random.Random(7)
    ends = []
    for shuffled in (False, True):
        escrow = start(stripe) if start is factories.funded else start(aws, stripe)
        chargeback = dispute(stripe, escrow)
        stripe.close_dispute(chargeback, verdict)
        events = [one for one in sent_by(stripe, *chargebacks.EVENTS) if one["data"]["object"]["id"] == chargeback]
        if shuffled:
            events = list(reversed(events)) + [luck.choice(events) for _ in range(20)]
        for one in events:
            assert tell(aws, one).status == "PROCESSED"
        ends.append(end(aws, escrow))
        done = actions(aws, escrow)
        move = {"won": "win_chargeback", "lost": "lose_chargeback"}[verdict]
        assert (done.count("record_chargeback"), done.count(move)) == (1, 1)
    assert ends[0] == ends[1]


def test_a_forged_event_changes_nothing(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.funded(stripe)
    intents = stripe_client.client().v1.payment_intents
    intent = intents.create({"amount": 500, "currency": "usd", "allowed_payment_method_types": ["card"]})
    strange = intents.confirm(intent.id, {"payment_method": "pm_card_createDispute"})
    found = stripe_client.client().v1.disputes.list({"payment_intent": strange.id}).data[0].id
    ours = {"object": "dispute", "payment_intent": reads.escrow(escrow.id).rail.external_id, "status": "lost"}
    version = factories.escrow_row(escrow).version

    assert tell(aws, event("charge.dispute.closed", ours | {"id": found})).status == "PROCESSED"
    assert tell(aws, event("charge.dispute.closed", ours | {"id": "du_invented"})).status == "FAILED"
    assert tell(aws, event("charge.dispute.closed", ours | {"id": found}, account="acct_1")).status == "PROCESSED"

    assert factories.escrow_row(escrow).version == version
    assert told == []


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_what_no_event_told_the_daily_look_finds(
    aws: Platform, stripe: StripeDouble, machines: Machines, verdict: str
) -> None:
    escrow = factories.funded(stripe)
    chargeback = disputed(aws, stripe, escrow)
    stripe.close_dispute(chargeback, verdict)
    aws.invoke("enforce_escrow_deadlines")
    assert chargebacks.rows(escrow)[0].status is ChargebackStatus.OPEN  # not its day
    aws.clock.advance(days=1)
    stripe.fault("503", "get", "/v1/disputes/", times=9)
    aws.invoke("enforce_escrow_deadlines")
    stripe.clear_faults()
    aws.clock.advance(minutes=5)
    aws.invoke("enforce_escrow_deadlines")
    (row,) = chargebacks.rows(escrow)
    assert (row.status, row.next_look) == (verdict.upper(), None)


def test_one_of_which_stripe_says_nothing_keeps_none_behind_it_from_its_look(
    aws: Platform, stripe: StripeDouble, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(table.all_due.__kwdefaults__, "limit", 1)
    monkeypatch.setattr(attempts.work, "__kwdefaults__", {"enough": 1, "seconds": 40.0})
    silent = disputed(aws, stripe, first := factories.funded(stripe))
    aws.clock.advance(seconds=5)
    chargeback = disputed(aws, stripe, second := factories.funded(stripe))
    stripe.close_dispute(chargeback, "won")
    stripe.fault("503", "get", f"/v1/disputes/{silent}", times=99)
    aws.clock.advance(days=1)

    for _ in range(2):
        aws.invoke("enforce_escrow_deadlines")

    assert chargebacks.rows(second)[0].status is ChargebackStatus.WON
    assert actions(aws, first)[-1] == "look_again"
    looked = list[dt.timedelta]()
    for _ in range(3):  # later each time
        (row,) = chargebacks.rows(first)
        assert row.next_look is not None
        looked.append(row.next_look - aws.clock.moment)
        aws.clock.advance(hours=1)
        aws.invoke("enforce_escrow_deadlines")
    assert looked == sorted(set(looked))


def test_an_open_one_is_looked_at_once_a_day(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.funded(stripe)
    disputed(aws, stripe, escrow)
    aws.clock.advance(days=1)
    for _ in range(3):
        aws.invoke("enforce_escrow_deadlines")
    assert actions(aws, escrow)[-2:] == ["record_chargeback", "look_again"]
    until = chargebacks.rows(escrow)[0].next_look
    assert until is not None
    assert aws.clock.moment + DAY - until < dt.timedelta(seconds=1)


def test_stripe_being_silent_leaves_the_event_to_be_tried_again(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.funded(stripe)
    dispute(stripe, escrow)
    stripe.fault("503", "get", "/v1/disputes/", times=9)
    (created,) = sent_by(stripe, "charge.dispute.created")
    assert tell(aws, created).status == "FAILED"
    assert factories.escrow_row(escrow).holds == set()
    stripe.clear_faults()
    aws.clock.advance(seconds=3_600)
    aws.invoke("retry_webhooks")
    assert factories.escrow_row(escrow).holds == {Hold.CHARGEBACK}


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("verdict", [None, "won", "lost"])
def test_a_commit_whose_answer_is_lost_is_not_repeated(
    aws: Platform, stripe: StripeDouble, wire: Wire, machines: Machines, done: bool, verdict: str | None
) -> None:
    escrow = chargebacks.released(aws, stripe)
    chargeback = dispute(stripe, escrow)
    if verdict:
        happen(aws, stripe, "created")
        stripe.close_dispute(chargeback, verdict)
    last = sent_by(stripe, f"charge.dispute.{'closed' if verdict else 'created'}")[-1]
    wire.lose("TransactWriteItems", done=done)
    tell(aws, last)
    tell(aws, last)
    (row,) = chargebacks.rows(escrow)
    assert row.status == (verdict or "open").upper()
    sums = chargebacks.seen_by(aws, escrow)
    assert sums["BANK"] == FEE + (100_000 if verdict == "lost" else 0)
    assert len([one for one in reads.escrow(escrow.id).settlements if one.kind == "RECOVERY"]) == (verdict == "lost")


# --- the leg finds it


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_a_leg_finds_the_chargeback_that_no_event_told_of(
    aws: Platform, stripe: StripeDouble, machines: Machines, verdict: str
) -> None:
    escrow = confirmed(aws, stripe)
    chargeback = dispute(stripe, escrow)

    factories.settle(escrow)

    row = factories.escrow_row(escrow)
    (parked,) = reads.escrow(escrow.id).settlements
    assert (row.status, row.holds) == (EscrowStatus.SETTLING, {Hold.CHARGEBACK})
    assert (parked.status, parked.error) == (SettlementStatus.PARKED, "ON_HOLD")
    assert sent_by(stripe, "transfer.created") == []
    decided(aws, stripe, chargeback, verdict)
    if verdict == "lost":
        assert factories.escrow_row(escrow).status is EscrowStatus.REFUNDED
        return
    aws.clock.advance(seconds=3_600)
    assert factories.settle(escrow).status is EscrowStatus.RELEASED
    assert len(sent_by(stripe, "transfer.created")) == 1


def test_a_leg_finds_one_that_is_lost_already(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = confirmed(aws, stripe)
    stripe.close_dispute(dispute(stripe, escrow), "lost")
    factories.settle(escrow)
    assert factories.escrow_row(escrow).holds == {Hold.CHARGEBACK}
    aws.invoke("enforce_escrow_deadlines")
    assert factories.escrow_row(escrow).status is EscrowStatus.REFUNDED
    assert chargebacks.seen_by(aws, escrow)["BANK"] == 100_000 + FEE


def test_lost_while_a_leg_is_under_way_waits_for_what_became_of_it(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.funded(stripe)
    assert escrows.refund(aws, escrow).status == 202
    factories.settle(escrow)  # the refund is with the buyer's bank, for days
    chargeback = disputed(aws, stripe, escrow, amount=5_000)
    decided(aws, stripe, chargeback, "lost")
    file = reads.escrow(escrow.id)
    assert (file.escrow.status, file.chargebacks[0].status) == (EscrowStatus.SETTLING, ChargebackStatus.OPEN)
    stripe.advance(days=5)
    settlement = str(file.escrow.settlement_id)
    assert factories.settle(escrow, settlement).status is EscrowStatus.REFUNDED
    aws.clock.advance(seconds=3_600)
    aws.invoke("enforce_escrow_deadlines")
    assert chargebacks.rows(escrow)[0].status is ChargebackStatus.LOST
    assert chargebacks.seen_by(aws, escrow) == {"BANK": 5_000 + FEE, "LOSS": -5_000 - FEE}
    assert factories.escrow_row(escrow).reason != "CHARGEBACK"


# --- before the money is held


def test_a_payment_that_is_disputed_at_once_is_never_held(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow, "pm_card_createDispute")
    happen(aws, stripe, "created")  # before the payment itself
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": False}
    row = factories.escrow_row(escrow)
    assert (row.status, row.held, row.holds) == (EscrowStatus.AWAIT_FUNDS, escrow.gross, {Hold.CHARGEBACK})
    decided(aws, stripe, chargebacks.rows(escrow)[0].id, "won")
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}


def test_lost_before_it_was_held_the_escrow_is_cancelled_by_its_machine(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow, "pm_card_createDispute")
    happen(aws, stripe, "created")
    decided(aws, stripe, chargebacks.rows(escrow)[0].id, "lost")
    row = factories.escrow_row(escrow)
    assert (row.status, row.held) == (EscrowStatus.AWAIT_FUNDS, 0)
    aws.invoke("cancel_unfunded", {"escrowId": escrow.id})
    assert factories.escrow_row(escrow).status is EscrowStatus.CANCELLED
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -100_000, "BANK": 100_000 + FEE, "LOSS": -FEE}
    assert escrows.around(escrow)["listing"] == "ACTIVE"


# --- inquiries


def test_an_inquiry_holds_and_costs_nothing(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.delivered(stripe)
    inquiry = disputed(aws, stripe, escrow, inquiry=True)
    assert factories.escrow_row(escrow).holds == {Hold.CHARGEBACK}
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -100_000, "HELD": 100_000}
    decided(aws, stripe, inquiry, "warning_closed")
    assert factories.escrow_row(escrow).holds == set()
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -100_000, "HELD": 100_000}


def test_an_inquiry_that_becomes_a_chargeback_is_one(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.delivered(stripe)
    inquiry = disputed(aws, stripe, escrow, inquiry=True)
    stripe.escalate_dispute(inquiry)
    happen(aws, stripe, "updated", "funds_withdrawn")
    (row,) = chargebacks.rows(escrow)
    assert (row.inquiry, row.fee, row.status) == (False, FEE, ChargebackStatus.OPEN)
    decided(aws, stripe, inquiry, "lost")
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -100_000, "BANK": 100_000 + FEE, "LOSS": -FEE}


def test_an_inquiry_is_answered_by_a_refund_in_the_dashboard(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    disputed(aws, stripe, escrow, inquiry=True)
    intent = str(reads.escrow(escrow.id).rail.external_id)
    stripe_client.client().v1.refunds.create({"payment_intent": intent})
    for one in sent_by(stripe, "refund.created"):
        assert tell(aws, one).status == "PROCESSED"
    happen(aws, stripe, "closed")
    row = factories.escrow_row(escrow)
    assert (row.status, row.holds) == (EscrowStatus.SETTLING, frozenset())
    stripe.advance(days=5)
    assert factories.settle(escrow).status is EscrowStatus.REFUNDED
    assert chargebacks.seen_by(aws, escrow) == {}


# --- what is odd


def test_one_that_was_lost_and_is_won_after_all_is_told_to_people(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.funded(stripe)
    chargeback = disputed(aws, stripe, escrow)
    decided(aws, stripe, chargeback, "lost")
    ended = factories.escrow_row(escrow)
    stripe._world.get("dispute", chargeback)["status"] = "won"
    happen(aws, stripe, "closed")
    assert factories.escrow_row(escrow).version == ended.version
    assert told[-1][0] == "a chargeback that was lost is won after all"


def test_one_that_was_won_and_is_lost_after_all_is_told_to_people(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.funded(stripe)
    chargeback = disputed(aws, stripe, escrow)
    decided(aws, stripe, chargeback, "won")
    stripe._world.get("dispute", chargeback)["status"] = "lost"
    happen(aws, stripe, "closed")
    messages = [message for message, _ in told]
    assert messages[-2:] == ["a chargeback that was won is open or lost again", "a chargeback was lost"]
    row = factories.escrow_row(escrow)
    assert (row.status, row.reason, row.holds) == (EscrowStatus.REFUNDED, "CHARGEBACK", frozenset())
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -100_000, "BANK": 100_000 + FEE, "LOSS": -FEE}


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_one_that_was_won_and_is_opened_again_stops_it_once_more(
    aws: Platform, stripe: StripeDouble, machines: Machines, verdict: str
) -> None:
    escrow = confirmed(aws, stripe)
    chargeback = disputed(aws, stripe, escrow)
    decided(aws, stripe, chargeback, "won")
    stripe.reopen_dispute(chargeback)

    for _ in range(2):
        happen(aws, stripe, "updated")

    row = factories.escrow_row(escrow)
    assert (row.holds, row.frozen_causes) == ({Hold.CHARGEBACK}, {Hold.CHARGEBACK})
    assert actions(aws, escrow).count("reopen_chargeback") == 1
    factories.settle(escrow)
    assert sent_by(stripe, "transfer.created") == []
    decided(aws, stripe, chargeback, verdict)
    ended = factories.settle(escrow, str(row.settlement_id))
    assert ended.status is (EscrowStatus.RELEASED if verdict == "won" else EscrowStatus.REFUNDED)
    lost = {"BUYER": -100_000, "BANK": 100_000 + FEE, "LOSS": -FEE}
    won = {"BUYER": -100_000, "SELLER": 97_100, "FEES": 2_900, "BANK": FEE, "LOSS": -FEE}
    assert chargebacks.seen_by(aws, escrow) == (won if verdict == "won" else lost)


def test_a_leg_finds_one_that_was_opened_again_and_no_event_told_of(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = confirmed(aws, stripe)
    chargeback = disputed(aws, stripe, escrow)
    decided(aws, stripe, chargeback, "won")
    stripe.reopen_dispute(chargeback)
    factories.settle(escrow)
    assert factories.escrow_row(escrow).holds == {Hold.CHARGEBACK}
    assert (chargebacks.rows(escrow)[0].status, sent_by(stripe, "transfer.created")) == ("OPEN", [])


def reinstated(aws: Platform, stripe: StripeDouble, escrow: Escrow, **how: Any) -> None:
    """The bank took it, kept it, and gives it back after an appeal; its events come twice."""
    chargeback = disputed(aws, stripe, escrow, **how)
    decided(aws, stripe, chargeback, "lost")
    stripe.reinstate_dispute(chargeback)
    for _ in range(2):
        happen(aws, stripe, "funds_reinstated")
    assert chargebacks.rows(escrow)[-1].status == "REINSTATED"
    assert actions(aws, escrow).count("reinstate_chargeback") == 1


def test_what_comes_back_of_a_trade_in_which_nothing_was_handed_over_is_the_buyers(
    aws: Platform, stripe: StripeDouble, machines: Machines, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.funded(stripe)
    reinstated(aws, stripe, escrow)
    (back,) = reads.escrow(escrow.id).settlements
    assert (back.kind, back.to_buyer, machines.started[-1]) == ("RETURN", 100_000, f"{back.id}-1")
    factories.settle(escrow, back.id)
    stripe.advance(days=5)
    assert factories.settle(escrow, back.id).status is EscrowStatus.REFUNDED
    assert chargebacks.seen_by(aws, escrow) == {"BANK": FEE, "LOSS": -FEE}
    assert "a chargeback that was lost is won after all" in [message for message, _ in told]


def test_what_comes_back_of_one_that_ended_after_the_delivery_is_set_aside_for_people(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    reinstated(aws, stripe, escrow)
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -100_000, "SURPLUS": 100_000, "BANK": FEE, "LOSS": -FEE}
    file = reads.escrow(escrow.id)
    assert (file.escrow.status, file.escrow.quarantined, file.settlements) == (EscrowStatus.REFUNDED, 100_000, [])


def test_a_part_that_comes_back_is_held_again_while_nothing_was_decided(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    reinstated(aws, stripe, escrow, amount=30_000)
    file = reads.escrow(escrow.id)
    assert (file.escrow.status, file.escrow.held, plans.remaining(file)) == ("DELIVERED", 100_000, 100_000)
    assert escrows.confirm(aws, escrow).status == 202
    assert factories.settle(escrow).status is EscrowStatus.RELEASED
    assert chargebacks.seen_by(aws, escrow)["SELLER"] == 97_100


def test_a_loss_is_made_good_by_what_comes_back(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = chargebacks.released(aws, stripe)
    reinstated(aws, stripe, escrow)
    factories.settle(escrow, chargebacks.recovery(escrow))  # nothing is taken from the seller any more
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -100_000, "SELLER": 97_100, "FEES": 2_900, "BANK": FEE, "LOSS": -FEE,
    }  # fmt: skip


def test_another_currency_is_nothing_we_can_count(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.funded(stripe)
    chargeback = dispute(stripe, escrow, inquiry=True)
    stripe._world.get("dispute", chargeback)["currency"] = "eur"
    (created,) = sent_by(stripe, "charge.dispute.created")
    row = tell(aws, created)
    assert (row.status, row.error) == ("FAILED", "RailBug")


# --- who sees what


def test_both_sides_see_the_hold_and_the_outcome_and_neither_why(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    chargeback = disputed(aws, stripe, escrow, reason="product_not_received")
    for user in (escrow.buyer_id, escrow.seller_id):
        body = escrows.seen(aws, escrow, user)
        (shown,) = body["chargebacks"]
        assert (body["holds"], body["clocksFrozen"]) == (["CHARGEBACK"], True)
        assert (shown["status"], shown["amount"], shown["inquiry"]) == ("OPEN", 100_000, False)
        assert not {"confirm_delivery", "refund_escrow"} & set(body["allowedActions"])
    decided(aws, stripe, chargeback, "lost")
    body = escrows.seen(aws, escrow, escrow.seller_id)
    timeline = aws.call("get_timeline", escrow.seller_id, escrow_id=escrow.id)
    ledger = aws.call("get_ledger", escrow.seller_id, escrow_id=escrow.id)
    assert (body["status"], body["reason"], body["chargebacks"][0]["status"]) == ("REFUNDED", "CHARGEBACK", "LOST")
    moves = [entry["action"] for entry in timeline.body["items"]]
    assert moves[-2:] == ["record_chargeback", "lose_chargeback"]
    assert "product_not_received" not in escrows.text(body, timeline, ledger)
    assert not re.search(r"\b4242\b", escrows.text(body, timeline, ledger))  # a hash may have these digits
