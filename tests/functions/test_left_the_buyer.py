"""What was once seen at the buyer was handed over: no clock gives him his money back as well, whatever he does with it
(D12)."""

from collections.abc import Callable
from typing import Any

import pytest

from bloxtr8.entities import Escrow
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions import disputes, escrows, money
from tests.functions import milestones as parts
from tests.functions.listings import looks

type Lead = Callable[[Platform, Escrow, Roblox], None]


def rejected(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    """He has it, by proof, and refuses it."""
    parts.delivered(aws, escrow)
    assert disputes.rejected(aws, escrow).status == 200


def disputed(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    """He has it, and opens a dispute before anybody proves it."""
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    assert disputes.opened(aws, escrow).status == 201


def handed_over_in_a_dispute(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    """He has it while nobody can mark or prove anything, and the watch saw it."""
    assert disputes.opened(aws, escrow).status == 201
    seen_once(aws, escrow, roblox)


def seen_by_an_arbiter(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    """The same, and who took the dispute saw it."""
    assert disputes.opened(aws, escrow).status == 201
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    disputes.assigned(aws, escrow)


def seen_once(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    """He has it, and the watch saw it once."""
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    aws.clock.advance(minutes=5)
    aws.invoke("watch_assets")


def run_out(aws: Platform, escrow: Escrow) -> str:
    """The seller's time passes, with the jobs as they come; how the escrow is then."""
    for _ in range(9):
        aws.clock.advance(days=1)
        for _ in range(2):
            aws.clock.advance(minutes=6)
            aws.invoke("watch_assets")
            aws.invoke("enforce_escrow_deadlines")
    return str(escrows.row(escrow).status)


@pytest.fixture
def held(stripe: StripeDouble) -> Escrow:
    return factories.funded(stripe)


@pytest.mark.parametrize(
    ("lead", "then"),
    [
        (rejected, {"owner": "999"}),
        (rejected, {"owner": None}),
        (rejected, {"locked": True}),
        (disputed, {"owner": "999"}),
        (handed_over_in_a_dispute, {"owner": "999"}),
        (seen_by_an_arbiter, {"owner": "999"}),
        (seen_once, {"owner": "999"}),
    ],
)
def test_what_left_the_buyer_is_for_people(
    aws: Platform, held: Escrow, roblox: Roblox, lead: Lead, then: dict[str, Any]
) -> None:
    lead(aws, held, roblox)
    roblox.set_group(held.asset_id, **then)
    if lead is not seen_once:
        assert disputes.withdraw(aws, held).status == 200

    assert run_out(aws, held) == "DISPUTED"

    assert disputes.live(held).reason_code == "LEFT_THE_BUYER"
    assert escrows.file(held).settlements == []
    facts = disputes.seen(aws, held, disputes.assigned(aws, held))["facts"]
    assert facts["suggestion"]["outcome"] == ("RELEASE" if then.get("owner") else None)
    assert facts["suggestion"]["reasons"][1] == "IT_WAS_THE_BUYERS"
    assert facts["atBuyerAt"] is not None
    escrows.sound(aws, held)


def test_what_the_seller_has_again_is_refunded_by_the_clock(aws: Platform, held: Escrow, roblox: Roblox) -> None:
    rejected(aws, held, roblox)
    roblox.set_group(held.asset_id, owner=held.seller_roblox_id)
    assert disputes.withdraw(aws, held).status == 200
    assert run_out(aws, held) == "SETTLING"
    assert money.settlement(held).reason == "NOT_DELIVERED"


def test_the_first_look_is_kept_once_and_delivers_nothing(aws: Platform, held: Escrow, roblox: Roblox) -> None:
    seen_once(aws, held, roblox)
    seen = escrows.row(held)
    assert (str(seen.status), seen.at_buyer_at) == ("FUNDS_HELD", looks(held.listing_id)[-1].at)
    assert seen.delivered_at is None
    assert aws.audit(held.id)[-1].action == "note_owner"
    roblox.set_group(held.asset_id, owner=held.seller_roblox_id)
    aws.clock.advance(minutes=5)
    aws.invoke("watch_assets")
    seen_once(aws, held, roblox)
    assert money.actions(aws, held).count("note_owner") == 1
    assert escrows.row(held).at_buyer_at == seen.at_buyer_at


def test_the_asset_of_a_part_that_has_not_its_turn_is_remembered_too(
    aws: Platform, stripe: StripeDouble, roblox: Roblox
) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts.parts(5_000, 5_000))
    seen_once(aws, escrow, roblox)
    roblox.set_group(escrow.asset_id, owner="999")
    assert run_out(aws, escrow) == "DISPUTED"
    assert disputes.live(escrow).reason_code == "LEFT_THE_BUYER"


def test_a_seller_whose_asset_went_on_is_told_to_open_a_dispute(aws: Platform, held: Escrow, roblox: Roblox) -> None:
    aws.call("start_delivery", held.seller_id, {}, escrow_id=held.id)
    for owner, told in ((held.seller_roblox_id, False), ("999", True), (None, True)):
        roblox.set_group(held.asset_id, owner=owner)
        answer = aws.call("mark_delivered", held.seller_id, None, **escrows.path(held))
        assert (answer.status, answer.code) == (409, "ASSET_NOT_TRANSFERRED")
        assert ("open a dispute" in answer.body["detail"]) is told


def test_nobody_asks_the_history_full_of_his_own_looks(aws: Platform, held: Escrow, roblox: Roblox) -> None:
    rejected(aws, held, roblox)
    roblox.set_group(held.asset_id, owner="999")
    disputes.withdraw(aws, held)
    for _ in range(110):
        aws.clock.advance(seconds=11)
        assert aws.call("verify_delivery", held.buyer_id, None, **escrows.path(held)).status == 200
    disputes.opened(aws, held, held.seller_id, reasonCode="BUYER_UNRESPONSIVE")
    facts = disputes.seen(aws, held, disputes.assigned(aws, held))["facts"]
    assert facts["suggestion"] == {"outcome": "RELEASE", "reasons": ["OWNER_IS_OTHER", "IT_WAS_THE_BUYERS"]}
    assert [span["who"] for span in facts["owners"]] == ["SELLER", "BUYER", "OTHER"]
