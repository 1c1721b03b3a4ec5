"""A party gives up before anything was paid: the listing, the offer and both volumes are free again (M31, D8)."""

import json
from typing import Any

import pytest

from bloxtr8 import actors, table
from bloxtr8.entities import AssetGuard, Escrow, EscrowStatus, Listing
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Answer, Platform
from tests.functions.escrows import (
    BAD_REASONS,
    TOKEN,
    around,
    delivery,
    file,
    hidden,
    paid_out,
    row,
    sound,
    text,
    turned_away,
)
from tests.functions.listings import row as listing_row
from tests.functions.offers import same_but
from tests.wire import Wire

REASON = {"reason": "I changed my mind."}
ROUNDS = 2  # fifty: tests/races


def cancel(aws: Platform, escrow: Escrow, user: Any = None, **options: Any) -> Answer:
    return aws.call("cancel_escrow", user or escrow.buyer_id, REASON, escrow_id=escrow.id, **options)


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_frees_everything_around_the_deal(aws: Platform, wire: Wire, side: str) -> None:
    escrow = factories.executed()
    user = getattr(escrow, f"{side}_id")
    assert around(escrow) == {"listing": "RESERVED", "offer": "ACCEPTED", "open": [1, 1], "volume": [100_000] * 2}
    before = aws.rows()
    wire.calls.clear()

    answer = cancel(aws, escrow, user)

    assert (answer.status, wire.round_trips()) == (200, 3)
    view = answer.body
    assert (view["status"], view["reason"], view["allowedActions"]) == ("CANCELLED", REASON["reason"], [])
    assert (view["deliveries"][0]["status"], view["money"]["held"]) == ("CANCELLED", 0)
    assert around(escrow) == {"listing": "ACTIVE", "offer": "CANCELLED", "open": [0, 0], "volume": [0, 0]}
    kept = row(escrow)
    assert (kept.status, kept.ended_at is not None, kept.funding_closed) == (EscrowStatus.CANCELLED, True, False)
    assert kept.gsi3pk == "DUE#ESCROW"  # until the rail can take no money
    assert same_but(before, aws.rows()) == {"Escrow", "Offer", "Listing", "Deals", "Delivery", "AuditEntry"}
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.role, entry.details) == ("cancel_escrow", user, side.upper(), REASON)
    assert sound(aws, escrow) == {}
    listing = listing_row(escrow.listing_id)
    assert listing.reserved_offer_id is None
    assert factories.offer(listing, factories.user()).amount == 100_000


def test_a_listing_that_was_removed_meanwhile_stays_away(aws: Platform) -> None:
    escrow = factories.executed()
    listing = listing_row(escrow.listing_id)
    listing.removed_after_deal = True

    table.commit(listing, action="test", actor=actors.system("test"))

    assert cancel(aws, escrow).status == 200

    assert str(table.get(Listing, id=escrow.listing_id).status) == "REMOVED"
    assert table.find(AssetGuard, asset_type="GROUP", asset_id=escrow.asset_id) is None


def test_refuses_while_money_is_there_or_on_its_way(aws: Platform, stripe: StripeDouble) -> None:
    paid, slow = factories.payable(stripe), factories.payable(stripe)
    factories.pay(paid)
    stripe.pay_slowly(str(file(slow).rail.external_id))
    for escrow in (paid, slow):
        aws.invoke("screen_deposit", {"escrowId": escrow.id})
        for user in (escrow.buyer_id, escrow.seller_id):
            refused(aws, 409, "FUNDS_IN_FLIGHT", "cancel_escrow", user, REASON, escrow_id=escrow.id)
        assert aws.call("get_escrow", user, escrow_id=escrow.id).body["allowedActions"].count("cancel_escrow") == 0
    aws.invoke("hold_funds", {"escrowId": paid.id})
    problem = refused(aws, 409, "INVALID_STATE", "cancel_escrow", paid.buyer_id, REASON, escrow_id=paid.id).body
    assert problem["currentStatus"] == "FUNDS_HELD"


@pytest.mark.parametrize("lost", [False, True])
def test_wakes_the_machine_and_stands_where_that_is_lost(aws: Platform, wire: Wire, lost: bool) -> None:
    escrow = factories.executed()
    aws.invoke("await_funding", {"escrowId": escrow.id, "token": TOKEN})
    told: list[dict[str, Any]] = []
    if lost:
        wire.lose("SendTaskSuccess", done=False)
    else:
        wire.instead("SendTaskSuccess", told.append)

    answer = cancel(aws, escrow)

    assert (answer.status, row(escrow).status) == (200, EscrowStatus.CANCELLED)
    assert [(one["taskToken"], json.loads(one["output"])) for one in told] == (
        [] if lost else [(TOKEN, {"outcome": "CANCELLED"})]
    )
    assert TOKEN not in text(answer)


def test_a_payment_that_came_all_the_same_goes_back(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)

    assert cancel(aws, escrow).status == 200  # nobody has looked at the rail yet
    assert aws.invoke("close_funding", {"escrowId": escrow.id}) == {"closed": True}

    assert sound(aws, escrow) == {"BUYER": -100_000, "SURPLUS": 100_000}
    (back,) = file(escrow).settlements
    assert (paid_out(stripe, escrow, back.id).status, sound(aws, escrow)) == (EscrowStatus.CANCELLED, {})


def test_refuses_bodies_of_the_wrong_form_stale_versions_and_strangers(aws: Platform) -> None:
    escrow = factories.executed()

    turned_away(aws, "cancel_escrow", escrow.buyer_id, BAD_REASONS, escrow_id=escrow.id)
    hidden(aws, "cancel_escrow", escrow, escrow.buyer_id, REASON)
    stale = {"If-Match": f'"{escrow.version + 1}"'}
    before = aws.rows()
    assert cancel(aws, escrow, headers=stale).code == "VERSION_MISMATCH"
    assert aws.rows() == before

    fresh = {"If-Match": f'"{escrow.version}"', "Idempotency-Key": "k"}
    first = cancel(aws, escrow, headers=fresh)
    again = cancel(aws, escrow, headers=fresh)
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert cancel(aws, escrow).code == "INVALID_STATE"
    assert around(escrow)["open"] == [0, 0]


def test_of_both_parties_cancelling_at_once_one_does(aws: Platform) -> None:
    for _ in range(ROUNDS):
        escrow = factories.executed()
        answers = together(
            lambda escrow=escrow: cancel(aws, escrow, escrow.buyer_id),
            lambda escrow=escrow: cancel(aws, escrow, escrow.seller_id),
        )
        won, lost = sorted(answers, key=lambda answer: answer.status)
        assert (won.status, lost.status, lost.code) == (200, 409, "INVALID_STATE")
        assert around(escrow) == {"listing": "ACTIVE", "offer": "CANCELLED", "open": [0, 0], "volume": [0, 0]}


def test_of_a_cancellation_and_a_deposit_at_once_one_comes_first(aws: Platform, stripe: StripeDouble) -> None:
    for _ in range(ROUNDS):
        escrow = factories.payable(stripe)
        factories.pay(escrow)
        answer, _ = together(
            lambda escrow=escrow: cancel(aws, escrow),
            lambda escrow=escrow: aws.invoke("screen_deposit", {"escrowId": escrow.id}),
        )
        kept = file(escrow)
        (deposit,) = kept.deposits
        if answer.status == 200:
            assert (kept.escrow.status, kept.escrow.surplus, deposit.late) == (EscrowStatus.CANCELLED, 100_000, True)
            assert [str(back.kind) for back in kept.settlements] == ["RETURN"]
        else:
            assert (answer.status, answer.code) == (409, "FUNDS_IN_FLIGHT")
            assert (kept.escrow.status, kept.escrow.held, deposit.late) == (EscrowStatus.AWAIT_FUNDS, 100_000, False)
            assert delivery(escrow).status == "PENDING"
        sound(aws, escrow)
