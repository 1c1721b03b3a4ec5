"""Until the seller's money is on its way an asset that goes back to him stops it, and people decide (M59)."""

from typing import Any

import pytest

from bloxtr8 import clock
from bloxtr8.entities import Escrow
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions import disputes, escrows, holding, money
from tests.functions import milestones as parts
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
