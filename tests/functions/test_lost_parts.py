"""What a bank leaves of a payment is paid out by section 10 to the cent, and nobody hands anything over for nothing."""

import datetime as dt
from typing import Any

import pytest

from bloxtr8 import webhooks
from bloxtr8.entities import Escrow
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions import chargebacks, disputes, escrows, milestones, money
from tests.functions.chargebacks import FEE, decided, disputed, happen
from tests.functions.test_process_webhook_event_by_hand import hear, refund
from tests.functions.webhooks import Machines
from tests.wire import Wire


@pytest.fixture(autouse=True)
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def lost(aws: Platform, stripe: StripeDouble, escrow: Any, amount: int) -> str:
    """The bank keeps so much. Returns the chargeback's id."""
    chargeback = disputed(aws, stripe, escrow, amount=amount)
    decided(aws, stripe, chargeback, "lost")
    return chargeback


@pytest.mark.parametrize(("amount", "released"), [(5_000, 4_855), (6_000, 3_884)])
@pytest.mark.parametrize("is_disputed", [False, True])
def test_a_part_for_which_nothing_is_left_is_not_delivered(
    aws: Platform, stripe: StripeDouble, amount: int, released: int, is_disputed: bool
) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=milestones.parts(5_000, 5_000))
    assert milestones.release(aws, escrow, 0).status == 202
    if is_disputed:
        assert disputes.opened(aws, escrow).status == 201
    assert escrows.row(escrow).status == ("DISPUTED" if is_disputed else "FUNDS_HELD")

    lost(aws, stripe, escrow, amount)

    assert escrows.row(escrow).status == "SETTLING"
    assert escrows.seen(aws, escrow, escrow.seller_id)["allowedActions"] == ["add_evidence"]
    assert [row.outcome for row in escrows.file(escrow).disputes] == ["CHARGEBACK"] * is_disputed
    assert factories.settle(escrow).status == "SPLIT"
    assert milestones.statuses(escrow) == ["RELEASED", "REFUNDED"]
    assert (escrows.around(escrow)["listing"], escrows.around(escrow)["open"]) == ("INACTIVE", [0, 0])
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -10_000, "SELLER": released, "FEES": 10_000 - amount - released, "BANK": amount + FEE, "LOSS": -FEE,
    }  # fmt: skip


@pytest.mark.parametrize(("buyer_bps", "planned"), [(0, (47_579, 1_421, 0)), (100, (47_579, 1_911, 10))])
def test_of_a_seller_who_is_paid_last_the_fee_is_of_what_he_gets(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, buyer_bps: int, planned: tuple[int, int, int]
) -> None:
    escrows.settings(monkeypatch, buyer_fee_bps=buyer_bps)
    escrow = factories.delivered(stripe)
    stripe.onboard(escrow.payout_account_id, succeeds=False)
    money.split(escrow, 50_000)
    escrows.paid_out(stripe, escrow)  # the seller's leg waits for his account, and keeps the buyer's not waiting
    assert [str(leg.status) for leg in escrows.file(escrow).legs] == ["PLANNED", "CONFIRMED"]

    lost(aws, stripe, escrow, 1_000)

    last = escrows.file(escrow).settlements[-1]
    assert (last.to_seller, last.to_platform, last.to_buyer) == planned
    stripe.onboard(escrow.payout_account_id)
    ended = factories.settle(escrow)  # Stripe refunds nothing of what was charged back: the cents are paid by people
    assert ended.status == ("SETTLING" if last.to_buyer else "SPLIT")
    buyers = 50_000 * (10_000 + buyer_bps) // 10_000
    sums = {"BUYER": buyers - escrow.gross, "SELLER": 47_579, "FEES": planned[1], "HELD": planned[2]}
    assert chargebacks.seen_by(aws, escrow) == {name: cents for name, cents in sums.items() if cents} | {
        "BANK": 1_000 + FEE, "LOSS": -FEE,
    }  # fmt: skip


def test_a_last_cent_that_is_all_fee_ends_the_escrow_with_nothing_held(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=milestones.parts(3_448, 6_552))
    milestones.paid(aws, escrow)
    milestones.delivered(aws, escrow)
    lost(aws, stripe, escrow, 6_551)
    assert escrows.confirm(aws, escrow).status == 202
    assert factories.settle(escrow).status == "SPLIT"
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -10_000, "SELLER": 3_349, "FEES": 100, "BANK": 6_551 + FEE, "LOSS": -FEE,
    }  # fmt: skip


def test_what_was_to_be_taken_back_and_was_not_is_no_less_to_take_back(aws: Platform, stripe: StripeDouble) -> None:
    escrow = chargebacks.released(aws, stripe)
    first = lost(aws, stripe, escrow, 30_000)
    stripe.reinstate_dispute(first)
    happen(aws, stripe, "funds_reinstated")
    lost(aws, stripe, escrow, 70_000)
    assert [(str(row.status), row.to_platform) for row in escrows.file(escrow).settlements[1:]] == [
        ("DROPPED", 30_000), ("OPEN", 70_000),
    ]  # fmt: skip


# --- whether anything was handed over, which nobody has seen


def goes(aws: Platform, stripe: StripeDouble, escrow: Escrow, how: str, amount: int) -> None:
    """So much goes back to the buyer by no plan of ours."""
    if how == "bank":
        lost(aws, stripe, escrow, amount)
        return
    refund(escrow, amount)
    stripe.advance(days=5)
    hear(aws, stripe)


def an_hour_later(aws: Platform) -> None:
    """What waits is tried again."""
    aws.clock.advance(hours=1)
    aws.invoke("retry_webhooks")
    aws.invoke("enforce_escrow_deadlines")


@pytest.mark.parametrize("parts", [0, 2])
@pytest.mark.parametrize("how", ["bank", "hand"])
def test_what_was_handed_over_and_not_seen_yet_is_not_returned(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, how: str, parts: int
) -> None:
    """The asset of a part that has not its turn, too."""
    in_parts = {"amount": 10_000, "milestones": milestones.parts(5_000, 5_000)} if parts else {}
    escrow = factories.funded(stripe, **in_parts)
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)

    goes(aws, stripe, escrow, how, 100)

    file = escrows.file(escrow)
    assert (file.escrow.status, file.escrow.held) == ("FUNDS_HELD", escrow.gross - 100)
    assert [row.kind for row in file.settlements if row.kind != "DASHBOARD"] == []
    assert file.escrow.at_buyer_at is not None
    entry = next(one for one in aws.audit(escrow.id) if one.action in {"lose_chargeback", "take_refund"})
    assert "Snapshot" in {made["type"] for made in entry.created}  # the proof is in the same commit
    escrows.sound(aws, escrow)


@pytest.mark.parametrize("then", ["buyer", "seller", "disputed"])
@pytest.mark.parametrize("how", ["bank", "hand"])
def test_an_outage_ends_no_trade_by_a_part_that_went_back(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, how: str, then: str
) -> None:
    escrow = factories.funded(stripe)
    started = aws.call("start_delivery", escrow.seller_id, {}, escrow_id=escrow.id)
    if then == "buyer":
        roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    roblox.down()
    path = {"escrow_id": escrow.id, "delivery_id": started.body["id"]}
    assert aws.call("mark_delivered", escrow.seller_id, **path).status == 502

    goes(aws, stripe, escrow, how, 100)
    for _ in range(3):
        an_hour_later(aws)

    waits = escrows.file(escrow)
    assert (waits.escrow.status, waits.escrow.held, waits.settlements) == ("FUNDS_HELD", 100_000, [])
    assert waits.escrow.holds == {"CHARGEBACK" if how == "bank" else "RISK_REVIEW"}  # people see it, nothing is paid
    if then == "disputed":
        assert disputes.opened(aws, escrow).status == 201
    else:
        roblox.up()
    an_hour_later(aws)

    ended = escrows.row(escrow)
    assert (ended.holds, [*webhooks.due()]) == (frozenset(), [[]])
    if then == "seller":
        assert (ended.status, ended.held, ended.surplus) == ("REFUNDED", 0, 99_900)
    else:
        assert (ended.status, ended.held) == ("DISPUTED" if then == "disputed" else "FUNDS_HELD", 99_900)
    assert (ended.at_buyer_at is not None) is (then == "buyer")
    escrows.sound(aws, escrow)


@pytest.mark.parametrize("outage", [False, True])
@pytest.mark.parametrize("owner", ["buyer", "seller", "999"])
def test_what_a_bank_gives_back_is_the_buyers_only_where_the_seller_has_the_asset(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, owner: str, outage: bool
) -> None:
    escrow = factories.funded(stripe)
    chargeback = lost(aws, stripe, escrow, 100_000)
    people = {"buyer": escrow.buyer_roblox_id, "seller": escrow.seller_roblox_id}
    roblox.set_group(escrow.asset_id, owner=people.get(owner, owner))
    if outage:
        roblox.down()
    stripe.reinstate_dispute(chargeback)
    happen(aws, stripe, "funds_reinstated")
    if outage:
        for _ in range(2):
            an_hour_later(aws)
        (row,) = chargebacks.rows(escrow)
        assert (row.status, escrows.row(escrow).surplus) == ("LOST", 0)
        assert row.next_look is not None
        assert row.next_look - aws.clock.moment <= dt.timedelta(hours=1)
        roblox.up()
        an_hour_later(aws)
    (row,) = chargebacks.rows(escrow)
    ended = escrows.file(escrow)
    assert (row.status, row.next_look, ended.escrow.surplus) == ("REINSTATED", None, 100_000)
    assert [str(one.kind) for one in ended.settlements] == ["RETURN"] * (owner == "seller")
    assert ended.escrow.quarantined == (0 if owner == "seller" else 100_000)
    escrows.sound(aws, escrow)


def test_what_a_bank_gives_back_waits_for_roblox_a_week_and_then_people_decide(
    aws: Platform, stripe: StripeDouble, roblox: Roblox
) -> None:
    """A part was paid and taken from the seller: that loss is made good then, too, and he is paid again."""
    escrow = factories.funded(stripe, amount=10_000, milestones=milestones.parts(5_000, 5_000))
    assert milestones.release(aws, escrow, 0).status == 202
    factories.settle(escrow, escrows.row(escrow).settlement_id)
    chargeback = lost(aws, stripe, escrow, 10_000)
    (recovery,) = [one for one in escrows.file(escrow).settlements if one.kind == "RECOVERY"]
    factories.settle(escrow, recovery.id)
    roblox.down()
    stripe.reinstate_dispute(chargeback)
    happen(aws, stripe, "funds_reinstated")
    for _ in range(2):
        (row,) = chargebacks.rows(escrow)
        assert (row.status, escrows.row(escrow).surplus) == ("LOST", 0)
        aws.clock.advance(days=3)
        an_hour_later(aws)

    aws.clock.advance(days=1)
    an_hour_later(aws)

    (row,) = chargebacks.rows(escrow)
    ended = escrows.file(escrow)
    assert (row.status, row.next_look, row.unknown_since) == ("REINSTATED", None, None)
    assert (ended.escrow.surplus, ended.escrow.quarantined) == (5_000, 5_000)
    planned = [(str(one.kind), one.to_seller) for one in ended.settlements if one.status == "OPEN"]
    assert planned == [("REPAYMENT", 4_855)]
    escrows.sound(aws, escrow)
