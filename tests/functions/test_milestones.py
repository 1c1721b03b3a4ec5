"""What else happens to a deal in parts: silence, disputes, refused payouts, chargebacks and crashes between them."""

import datetime as dt
from typing import Any
from unittest import mock

import pytest

from bloxtr8 import rails, reclaims
from bloxtr8.actors import system
from bloxtr8.entities import Escrow, Hold, PlatformRole
from bloxtr8.rails.base import RailDeclined
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import chargebacks, disputes, money, settlements
from tests.functions.chain import FakeChain, chain, wallets
from tests.functions.chargebacks import FEE, decided, disputed
from tests.functions.escrows import around, confirm, file, paid_out, refund, row, seen, sound, staff
from tests.functions.milestones import (
    House,
    confirmed,
    delivered,
    house,
    of_thirds,
    paid,
    parts,
    release,
    statuses,
)
from tests.functions.webhooks import Machines
from tests.wire import Wire

__all__ = ["chain", "house", "wallets"]
KEY = {"Idempotency-Key": "k"}


@pytest.fixture
def machines(wire: Wire) -> Machines:
    return Machines(wire)


def enforce(aws: Platform, **later: float) -> None:
    """The rule fires, after this time."""
    aws.clock.advance(**later)
    aws.invoke("enforce_escrow_deadlines")


def halves(stripe: StripeDouble, **how: Any) -> Escrow:
    """By card, in two parts of 5,000."""
    return factories.funded(stripe, amount=10_000, milestones=parts(5_000, 5_000, **how))


# --- silence


def test_a_silent_buyer_releases_one_part_after_the_other(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, machines: Machines
) -> None:
    escrow = halves(stripe)
    roblox.down()  # what hands nothing over needs no look at Roblox
    delivered(aws, escrow)
    enforce(aws, days=6)  # warns
    assert (aws.audit(escrow.id)[-1].action, statuses(escrow)[0]) == ("warn_inspection", "DELIVERED")
    enforce(aws, days=1)
    assert (aws.audit(escrow.id)[-1].action, statuses(escrow)) == ("auto_release", ["SETTLING", "FUNDS_HELD"])
    assert (row(escrow).status, file(escrow).deliveries[0].confirmed_by) == ("FUNDS_HELD", "SYSTEM")
    factories.settle(escrow)
    roblox.up()
    delivered(aws, escrow)
    for days in (6, 1):
        enforce(aws, days=days)
    assert row(escrow).status == "SETTLING"
    assert factories.settle(escrow).status == "RELEASED"
    assert sound(aws, escrow) == {"BUYER": -10_000, "SELLER": 9_710, "FEES": 290}


def test_while_one_is_being_paid_the_next_is_neither_released_nor_refunded(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = halves(stripe)
    confirmed(aws, escrow)
    for _ in range(3):
        enforce(aws, days=7, minutes=10)
    assert (row(escrow).status, statuses(escrow)) == ("FUNDS_HELD", ["SETTLING", "FUNDS_HELD"])
    delivered(aws, escrow)
    for _ in range(3):
        enforce(aws, days=7)
    assert (row(escrow).status, statuses(escrow)) == ("DELIVERED", ["SETTLING", "DELIVERED"])
    factories.settle(escrow)
    enforce(aws, hours=2)
    assert (row(escrow).status, statuses(escrow)) == ("SETTLING", ["RELEASED", "SETTLING"])


@pytest.mark.parametrize("asset", [0, 1])
def test_what_is_not_delivered_in_time_is_refunded_and_what_was_released_stays(
    aws: Platform, stripe: StripeDouble, machines: Machines, asset: int
) -> None:
    escrow = halves(stripe, asset=asset)
    paid(aws, escrow)
    enforce(aws, days=7, minutes=1)
    if asset == 1:  # Roblox shows that nothing changed hands, twice (D12); of the rest it shows nothing
        assert row(escrow).status == "FUNDS_HELD"
        enforce(aws, minutes=6)
    assert (row(escrow).status, aws.audit(escrow.id)[-1].action) == ("SETTLING", "refund_undelivered")
    assert paid_out(stripe, escrow).status == "SPLIT"
    assert statuses(escrow) == ["RELEASED", "REFUNDED"]
    assert sound(aws, escrow) == {"BUYER": -5_000, "SELLER": 4_855, "FEES": 145}
    assert around(escrow)["listing"] == ("SOLD" if asset == 0 else "INACTIVE")


def test_an_asset_that_is_the_buyers_before_its_turn_is_for_people(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, machines: Machines
) -> None:
    escrow = halves(stripe)
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    for _ in range(3):  # nor does the watch take it for a delivery of the first part
        aws.clock.advance(minutes=6)
        aws.invoke("watch_assets")
    assert statuses(escrow) == ["FUNDS_HELD", "FUNDS_HELD"]
    enforce(aws, days=8)
    assert row(escrow).status == "DISPUTED"
    assert disputes.live(escrow).reason_code == "ASSET_IS_AHEAD"


def test_once_the_assets_part_is_released_the_clock_asks_nobody_about_the_asset(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, machines: Machines
) -> None:
    escrow = halves(stripe)
    assert release(aws, escrow, 1).status == 202  # before its turn
    factories.settle(escrow)
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    enforce(aws, days=8)
    assert (row(escrow).status, aws.audit(escrow.id)[-1].action) == ("SETTLING", "refund_undelivered")


def test_the_watch_proves_the_assets_part_and_sees_a_rollback_after_it(
    aws: Platform, stripe: StripeDouble, roblox: Roblox
) -> None:
    escrow = halves(stripe, asset=0)
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    for _ in range(2):
        aws.clock.advance(minutes=6)
        aws.invoke("watch_assets")
    assert (row(escrow).status, statuses(escrow)) == ("FUNDS_HELD", ["DELIVERED", "FUNDS_HELD"])
    assert confirm(aws, escrow).status == 202
    factories.settle(escrow)
    roblox.set_group(escrow.asset_id, owner=escrow.seller_roblox_id)
    aws.clock.advance(hours=2)
    aws.invoke("watch_assets")
    assert row(escrow).status == "DISPUTED"
    assert disputes.live(escrow).reason_code == "OWNER_IS_SELLER"


def test_the_deadline_of_what_has_its_turn_is_the_one_that_is_extended(aws: Platform, stripe: StripeDouble) -> None:
    escrow = halves(stripe)

    def extend(user: str, name: str, until: dt.datetime) -> Any:
        body = {"deadline": name, "until": until.isoformat().replace("+00:00", "Z")}
        return aws.call("extend_deadline", user, body, escrow_id=escrow.id)

    assert extend(escrow.buyer_id, "deliverBy", row(escrow).deliver_by + dt.timedelta(days=1)).status == 200
    delivered(aws, escrow)
    assert extend(escrow.buyer_id, "deliverBy", row(escrow).deliver_by + dt.timedelta(days=1)).code == "INVALID_STATE"
    until = row(escrow).inspect_by + dt.timedelta(days=1)
    assert extend(escrow.seller_id, "inspectBy", until).status == 200
    assert (row(escrow).inspect_by, row(escrow).next_look) == (until, until - dt.timedelta(days=1))


# --- disputes


def test_a_part_is_rejected_delivered_again_and_paid(aws: Platform, stripe: StripeDouble, house: House) -> None:
    escrow = of_thirds(house)
    paid(aws, escrow)
    delivered(aws, escrow)
    assert disputes.rejected(aws, escrow).status == 200
    assert (row(escrow).status, statuses(escrow)) == ("DISPUTED", ["RELEASED", "FUNDS_HELD", "FUNDS_HELD"])
    for n in (1, 2):
        assert release(aws, escrow, n).code == "INVALID_STATE"
    assert disputes.withdraw(aws, escrow).status == 200
    assert (row(escrow).status, row(escrow).inspect_by) == ("FUNDS_HELD", None)
    for _ in range(2):
        paid(aws, escrow)
    assert row(escrow).status == "RELEASED"
    sound(aws, escrow)


def test_an_arbiter_divides_only_what_is_left(aws: Platform, stripe: StripeDouble, house: House) -> None:
    escrow = of_thirds(house)
    paid(aws, escrow)
    delivered(aws, escrow)
    assert disputes.rejected(aws, escrow).status == 200
    judge = disputes.assigned(aws, escrow)
    assert disputes.resolve(aws, escrow, judge, "SPLIT", 5_000, 5_000).code == "SUM_MISMATCH"
    assert disputes.resolve(aws, escrow, judge, "SPLIT", 3_333, 3_334).status == 202
    assert paid_out(stripe, escrow).status == "SPLIT"
    assert statuses(escrow) == ["RELEASED", "CANCELLED", "CANCELLED"]
    assert sound(aws, escrow) == {"BUYER": -6_666, "SELLER": 6_473, "FEES": 193}


def test_a_dispute_opened_while_a_part_is_paid_waits_for_it(aws: Platform, stripe: StripeDouble, house: House) -> None:
    escrow = of_thirds(house)
    confirmed(aws, escrow)
    assert disputes.opened(aws, escrow).status == 201
    judge = disputes.assigned(aws, escrow)
    for told in (disputes.resolve(aws, escrow, judge, "REFUND", 0, 6_667), refund(aws, escrow)):
        assert (told.status, told.code) == (409, "SETTLEMENT_IN_PROGRESS")
    assert factories.settle(escrow).status == "DISPUTED"
    assert statuses(escrow) == ["RELEASED", "FUNDS_HELD", "FUNDS_HELD"]
    assert disputes.resolve(aws, escrow, judge, "REFUND", 0, 6_667, "later").status == 202
    assert paid_out(stripe, escrow).status == "SPLIT"
    assert statuses(escrow) == ["RELEASED", "REFUNDED", "REFUNDED"]
    sound(aws, escrow)


# --- what stops a payout


def test_a_refused_part_goes_on_or_is_settled_otherwise(aws: Platform, stripe: StripeDouble) -> None:
    for otherwise in (False, True):
        escrow = halves(stripe)
        confirmed(aws, escrow)
        with mock.patch.object(type(rails.get("STRIPE")), "send", side_effect=RailDeclined("no", code="no")):
            factories.settle(escrow)
        assert (row(escrow).status, row(escrow).holds) == ("FUNDS_HELD", {Hold.PAYOUT_FAILED})
        assert "release_milestone" not in seen(aws, escrow, escrow.buyer_id)["allowedActions"]
        if otherwise:  # all of it is divided anew: nothing of the part has moved
            assert settlements.accept(aws, escrow, settlements.proposed(aws, escrow, 2_000)).status == 202
            assert paid_out(stripe, escrow).status == "SPLIT"
            assert statuses(escrow) == ["CANCELLED", "CANCELLED"]
            assert sound(aws, escrow) == {"BUYER": -2_000, "SELLER": 1_942, "FEES": 58}
        else:
            boss = staff(PlatformRole.PADMIN)
            told = aws.call("resume_settlement", boss, {"reason": "x"}, headers=KEY, escrow_id=escrow.id)
            assert told.status == 202
            assert (factories.settle(escrow).holds, statuses(escrow)) == (set(), ["RELEASED", "FUNDS_HELD"])


def test_compliance_sends_back_what_is_left(aws: Platform, stripe: StripeDouble, house: House) -> None:
    escrow = of_thirds(house)
    paid(aws, escrow)
    officer = staff(PlatformRole.COMPLIANCE)
    for n, decision in enumerate(("FREEZE", "REFUND")):
        body = {"hold": "COMPLIANCE", "decision": decision, "reason": "A police request"}
        headers = {"Idempotency-Key": str(n)}
        assert aws.call("decide_hold", officer, body, headers=headers, escrow_id=escrow.id).status == 202
    assert paid_out(stripe, escrow).status == "SPLIT"
    assert statuses(escrow) == ["RELEASED", "REFUNDED", "REFUNDED"]
    assert sound(aws, escrow) == {"BUYER": -3_333, "SELLER": 3_237, "FEES": 96}


def test_lost_after_one_part_the_bank_has_what_is_held_and_the_rest_is_a_loss(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = halves(stripe)
    paid(aws, escrow)
    chargeback = disputed(aws, stripe, escrow)
    assert release(aws, escrow, 1).code == "ESCROW_ON_HOLD"

    decided(aws, stripe, chargeback, "lost")

    ended = row(escrow)
    assert (ended.status, ended.reason, ended.held) == ("REFUNDED", "CHARGEBACK", 0)
    assert statuses(escrow) == ["RELEASED", "REFUNDED"]
    bank = {"BUYER": -10_000, "BANK": 10_000 + FEE, "FEES": 145}
    assert chargebacks.seen_by(aws, escrow) == bank | {"SELLER": 4_855, "LOSS": -5_000 - FEE}
    factories.settle(escrow, chargebacks.recovery(escrow))
    assert chargebacks.seen_by(aws, escrow) == bank | {"LOSS": -145 - FEE}
    assert stripe.ledger_sum() == 0


def test_lost_while_a_part_waits_to_be_paid_nothing_of_it_is(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = halves(stripe)
    confirmed(aws, escrow)
    chargeback = disputed(aws, stripe, escrow)
    factories.settle(escrow)
    assert money.settlement(escrow).status == "PARKED"
    decided(aws, stripe, chargeback, "lost")
    assert (row(escrow).status, money.settlement(escrow).status) == ("REFUNDED", "DROPPED")
    assert statuses(escrow) == ["REFUNDED", "REFUNDED"]
    assert chargebacks.seen_by(aws, escrow) == {"BUYER": -10_000, "BANK": 10_000 + FEE, "LOSS": -FEE}


@pytest.mark.parametrize("commit", ["send_leg", "confirm_leg", "finish_settlement"])
@pytest.mark.parametrize("done", [False, True])
def test_killed_around_a_commit_a_part_is_paid_once(
    aws: Platform, house: House, monkeypatch: pytest.MonkeyPatch, commit: str, done: bool
) -> None:
    escrow = of_thirds(house)
    confirmed(aws, escrow)
    with money.killed_around(monkeypatch, commit, done=done):
        factories.settle(escrow)
    aws.clock.advance(hours=1)
    factories.settle(escrow, money.settlement(escrow).id)
    assert statuses(escrow) == ["RELEASED", "FUNDS_HELD", "FUNDS_HELD"]
    assert (row(escrow).status, row(escrow).settlement_id, row(escrow).seller_share) == ("FUNDS_HELD", None, 3_333)
    assert sound(aws, escrow) == {"BUYER": -10_000, "SELLER": 3_237, "FEES": 96, "HELD": 6_667}


@pytest.mark.parametrize("parked", [False, True])
def test_a_vault_that_is_taken_back_leaves_what_was_released(aws: Platform, chain: FakeChain, parked: bool) -> None:
    escrow = chains.held(aws, chain, amount=10_000, milestones=parts(4_000, 6_000))
    confirmed(aws, escrow)
    event = money.event(escrow)
    aws.invoke("send_leg", event)  # paid, and nobody has written down that it is done
    if parked:  # it was broadcast, and then something else went wrong
        aws.invoke("park_settlement", event | {"error": "RailBug"})
        assert row(escrow).holds == {Hold.PAYOUT_FAILED}
    else:
        aws.invoke("confirm_leg", event)
    reclaims.record(escrow.id, chain.reclaim(escrow), system("poll_chain"))
    assert (row(escrow).status, row(escrow).held, statuses(escrow)) == ("REFUNDED", 0, ["RELEASED", "REFUNDED"])
    assert (row(escrow).holds, money.settlement(escrow).status) == (set(), "DONE")
    assert sound(aws, escrow) == {"BUYER": -4_000, "SELLER": 3_884, "FEES": 116}


def test_the_time_of_a_vault_counts_every_part(aws: Platform, chain: FakeChain) -> None:
    one, three = (
        chains.executed(amount=10_000, **fields) for fields in ({}, {"milestones": parts(3_000, 3_000, 4_000)})
    )
    until = [
        chains.vault_row(escrow).terms["reclaimAfter"] - int(escrow.created_at.timestamp()) for escrow in (one, three)
    ]
    assert abs(until[1] - until[0] - 2 * 14 * 86_400) <= 2
    refused(aws, 409, "INVALID_STATE", "start_delivery", three.seller_id, {}, escrow_id=three.id)


def test_twenty_parts_are_signed_held_and_ended_in_one_commit_each(aws: Platform, stripe: StripeDouble) -> None:
    seller = factories.payee(stripe)
    short = factories.listing(seller, delivery_days=1, inspection_days=1)  # by card all of them are over in sixty days
    made = factories.offer(short, factories.user(), amount=10_000, milestones=parts(*[500] * 20))
    escrow = factories.funded(stripe, seller=seller, made=made)
    assert statuses(escrow) == ["FUNDS_HELD"] * 20
    paid(aws, escrow)
    assert refund(aws, escrow).status == 202
    assert paid_out(stripe, escrow).status == "SPLIT"
    assert statuses(escrow) == ["RELEASED", *["REFUNDED"] * 19]
    assert sound(aws, escrow) == {"BUYER": -500, "SELLER": 486, "FEES": 14}
