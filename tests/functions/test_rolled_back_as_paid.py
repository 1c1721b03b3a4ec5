"""Until the seller's money is on its way an asset that goes back to him stops it, and people decide (M59)."""

from typing import Any

import pytest

from bloxtr8 import clock
from bloxtr8.entities import Escrow
from local.doubles.stripe.double import StripeDouble
from tests import factories, shares
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions import disputes, escrows, holding, money
from tests.functions import milestones as parts
from tests.functions.test_process_webhook_event_by_hand import books, by_hand
from tests.functions.webhooks import Machines, alarms
from tests.wire import Wire


@pytest.fixture(autouse=True)
def _delay(aws: Platform, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three days lie between a release and its payment."""
    Machines(wire)
    escrows.settings(monkeypatch, card_release_delay_seconds=72 * 3600)


@pytest.fixture
def settling(aws: Platform, stripe: StripeDouble) -> Escrow:
    """Its buyer confirmed, and its leg waits."""
    made = factories.delivered(stripe)
    assert escrows.confirm(aws, made).status == 202
    assert factories.settle(made).status == "SETTLING"
    return made


def watch(aws: Platform, **later: float) -> None:
    aws.clock.advance(**(later or {"hours": 1}))
    aws.invoke("watch_assets")


def kept(settling: Escrow) -> dict[str, Any]:
    return {"seller": {"owner": settling.seller_roblox_id}, "nobody": {"owner": None}, "locked": {"locked": True}}


@pytest.mark.parametrize("how", ["seller", "nobody", "locked"])
def test_a_rollback_stops_the_payout(
    aws: Platform, settling: Escrow, roblox: Roblox, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    told = alarms(monkeypatch)
    watch(aws)
    roblox.set_group(settling.asset_id, **kept(settling)[how])
    watch(aws, minutes=15)
    cause = f"rollback:{money.settlement(settling).id}"
    row = escrows.row(settling)
    assert (row.status, row.holds, row.hold_causes) == ("SETTLING", {"RISK_REVIEW"}, {cause})
    assert [message for message, _ in told] == ["an escrow is on hold"]
    entry = next(one for one in aws.audit(settling.id) if one.action == "place_hold")
    assert (entry.actor, entry.details["cause"]) == ("watch_assets", cause)
    aws.clock.advance(hours=72)
    factories.settle(settling)
    assert (money.settlement(settling).status, money.settlement(settling).error) == ("PARKED", "ON_HOLD")


@pytest.mark.parametrize(("decision", "end"), [("CLEAR", "RELEASED"), ("REFUND", "REFUNDED")])
def test_compliance_pays_or_refunds(
    aws: Platform, stripe: StripeDouble, settling: Escrow, roblox: Roblox, decision: str, end: str
) -> None:
    roblox.set_group(settling.asset_id, owner=settling.seller_roblox_id)
    watch(aws)
    since = clock.iso(aws.clock.moment)
    for _ in range(2):
        (found,) = holding.desk(aws, settling)["findings"]
        assert (found["owner"], found["ownerSince"][:16]) == ("SELLER", since[:16])
        assert found["atBuyerAt"] == clock.iso(escrows.row(settling).delivered_at)
        watch(aws)
    factories.settle(settling)
    holding.decided(aws, settling, "RISK_REVIEW", decision)
    for _ in range(3):
        watch(aws)
    assert escrows.row(settling).holds == set()  # nobody asks twice
    aws.clock.advance(hours=72)
    assert escrows.paid_out(stripe, settling).status == end
    escrows.sound(aws, settling)


def test_what_the_buyer_passed_on_and_an_outage_stop_nothing(aws: Platform, settling: Escrow, roblox: Roblox) -> None:
    roblox.set_group(settling.asset_id, owner="999")
    watch(aws)
    roblox.down()
    for _ in range(3):
        watch(aws, hours=20)
    assert escrows.row(settling).holds == set()
    aws.clock.advance(hours=12)
    assert factories.settle(settling).status == "RELEASED"


def test_of_a_part_the_payout_is_stopped_and_the_rest_disputed(
    aws: Platform, stripe: StripeDouble, roblox: Roblox
) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts.parts(5_000, 5_000, asset=0))
    parts.confirmed(aws, escrow)
    factories.settle(escrow)
    roblox.set_group(escrow.asset_id, owner=escrow.seller_roblox_id)
    watch(aws)
    row = escrows.row(escrow)
    assert (row.status, row.holds, disputes.live(escrow).reason_code) == (
        "DISPUTED",
        {"RISK_REVIEW"},
        "OWNER_IS_SELLER",
    )
    aws.clock.advance(hours=72)
    factories.settle(escrow)
    assert money.settlement(escrow).error == "ON_HOLD"


@pytest.mark.parametrize(("decision", "end"), [("CLEAR", "SPLIT"), ("REFUND", "REFUNDED")])
def test_a_dispute_of_the_rest_keeps_no_watch_from_the_part(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, decision: str, end: str
) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts.parts(5_000, 5_000, asset=0))
    parts.confirmed(aws, escrow)
    factories.settle(escrow)
    assert disputes.opened(aws, escrow, escrow.seller_id, reasonCode="OTHER").status == 201
    watch(aws)
    roblox.set_group(escrow.asset_id, owner=escrow.seller_roblox_id)
    watch(aws, minutes=15)
    assert (escrows.row(escrow).status, escrows.row(escrow).holds) == ("DISPUTED", {"RISK_REVIEW"})
    aws.clock.advance(hours=72)
    factories.settle(escrow)
    assert money.settlement(escrow).error == "ON_HOLD"
    holding.decided(aws, escrow, "RISK_REVIEW", decision)
    watch(aws)
    if decision == "CLEAR":
        escrows.paid_out(stripe, escrow)
        assert escrows.refund(aws, escrow).status == 202
    assert escrows.paid_out(stripe, escrow).status == end
    escrows.sound(aws, escrow)


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("n", [0, 1])
def test_a_part_that_was_released_before_it_was_proven_is_watched_too(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, monkeypatch: pytest.MonkeyPatch, n: int, seen: bool
) -> None:
    """The buyer sees that it is his before, or after, the watch does; of the last part nothing but its payment is
    left."""
    escrow = factories.funded(stripe, amount=10_000, milestones=parts.parts(5_000, 5_000, asset=n))
    if n:
        escrows.settings(monkeypatch, card_release_delay_seconds=0)
        assert parts.release(aws, escrow, 0).status == 202
        factories.settle(escrow)
        escrows.settings(monkeypatch, card_release_delay_seconds=72 * 3600)
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    if seen:
        watch(aws, minutes=5)
    assert parts.release(aws, escrow, n).status == 202
    factories.settle(escrow)
    watch(aws, minutes=5)
    assert escrows.row(escrow).delivered_at is not None
    roblox.set_group(escrow.asset_id, owner=escrow.seller_roblox_id)
    watch(aws, minutes=15)
    assert escrows.row(escrow).holds == {"RISK_REVIEW"}
    assert escrows.row(escrow).status == ("SETTLING" if n else "DISPUTED")


@pytest.mark.parametrize(
    ("decision", "end", "got"),
    [("CLEAR", "SPLIT", {"BUYER": -70_700, "SELLER": 67_970, "FEES": 2_730}), ("REFUND", "REFUNDED", {})],
)
def test_what_the_buyer_was_paid_keeps_no_watch_from_the_sellers_part(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, monkeypatch: pytest.MonkeyPatch,
    decision: str, end: str, got: dict[str, int],
) -> None:  # fmt: skip
    """A part of the payment is refunded by hand: of his own fee for it 300 cents go to the buyer at once."""
    escrows.settings(monkeypatch, card_release_delay_seconds=72 * 3600, buyer_fee_bps=100)
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    by_hand(aws, stripe, escrow, 30_000)
    factories.settle(escrow)
    watch(aws)
    roblox.set_group(escrow.asset_id, owner=escrow.seller_roblox_id)
    watch(aws, minutes=15)
    assert escrows.row(escrow).holds == {"RISK_REVIEW"}
    factories.settle(escrow)
    holding.decided(aws, escrow, "RISK_REVIEW", decision)
    watch(aws)
    aws.clock.advance(hours=72)
    assert escrows.paid_out(stripe, escrow).status == end
    assert list(shares.wrong(escrows.file(escrow))) == []
    assert books(aws, escrow) == got
