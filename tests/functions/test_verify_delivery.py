"""A party has Roblox asked now; what is proven is delivered, without the seller's click (M53)."""

from typing import Any

import pytest

from bloxtr8.entities import Escrow, EscrowStatus
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Answer, Clock, Platform
from tests.functions.escrows import changed, delivery, hidden, path, row, sound
from tests.functions.listings import looks
from tests.functions.offers import same_but
from tests.wire import Wire


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.funded(stripe)


def verify(aws: Platform, escrow: Escrow, user: Any = None, **options: Any) -> Answer:
    return aws.call("verify_delivery", user or escrow.buyer_id, **path(escrow), **options)


def turned_down(aws: Platform, escrow: Escrow, status: int, code: str, **options: Any) -> Answer:
    return refused(aws, status, code, "verify_delivery", escrow.buyer_id, **path(escrow), **options)


@pytest.mark.parametrize("began", [False, True])
def test_what_is_proven_is_delivered(aws: Platform, escrow: Escrow, roblox: Roblox, wire: Wire, began: bool) -> None:
    if began:
        aws.call("start_delivery", escrow.seller_id, {}, escrow_id=escrow.id)
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    place, before = path(escrow), aws.rows()
    wire.calls.clear()

    answer = aws.call("verify_delivery", escrow.buyer_id, **place)

    assert (answer.status, wire.round_trips()) == (200, 2)
    proof = looks(escrow.listing_id)[-1]
    assert answer.body == {"verified": True, "observedOwner": escrow.buyer_roblox_id, "snapshotId": proof.id}
    assert (proof.verified, proof.source) == (True, "BOTH")
    assert (row(escrow).status, row(escrow).inspect_by is not None) == (EscrowStatus.DELIVERED, True)
    done = delivery(escrow)
    assert (done.status, done.verification, done.snapshot_id) == ("DELIVERED", "VERIFIED", proof.id)
    assert same_but(before, aws.rows()) == {"Escrow", "Delivery", "Snapshot", "AuditEntry"}
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("prove_delivery", escrow.buyer_id, "BUYER")
    sound(aws, escrow)


def test_what_is_not_proven_is_kept_and_moves_nothing(
    aws: Platform, escrow: Escrow, roblox: Roblox, clock: Clock
) -> None:
    owners: list[tuple[dict[str, Any], str | None]] = [
        ({}, escrow.seller_roblox_id),
        ({"owner": None}, None),
        ({"owner": escrow.buyer_roblox_id, "locked": True}, escrow.buyer_roblox_id),
    ]
    for user, (group, owner) in zip((escrow.seller_id, escrow.buyer_id, escrow.buyer_id), owners, strict=True):
        roblox.set_group(escrow.asset_id, **group)
        answer = verify(aws, escrow, user)
        look = looks(escrow.listing_id)[-1]
        assert answer.body == {"verified": False, "observedOwner": owner, "snapshotId": look.id}
        assert aws.audit(escrow.id)[-1].action == "verify_delivery"
        clock.advance(seconds=10)
    roblox.forget_group(escrow.asset_id)
    assert verify(aws, escrow).body["observedOwner"] is None
    assert (row(escrow).status, delivery(escrow).status) == (EscrowStatus.FUNDS_HELD, "PENDING")


def test_asking_again_and_again_leaves_nothing_in_the_path_of_the_trade(
    aws: Platform, escrow: Escrow, wire: Wire, clock: Clock
) -> None:
    """Nor in the history of the owners, though the seller looks at his listing in between."""
    first, place = verify(aws, escrow), path(escrow)
    entries, kept = len(aws.audit(escrow.id)), len(looks(escrow.listing_id))
    clock.advance(minutes=2)
    for _ in range(3):
        before = aws.rows()
        wire.calls.clear()
        again = aws.call("verify_delivery", escrow.buyer_id, **place)
        assert (again.body, wire.round_trips()) == (first.body, 3)
        assert same_but(before, aws.rows()) == {"AssetWatch"}
        assert verify(aws, escrow, escrow.seller_id).status == 429
        assert aws.call("verify_listing", escrow.seller_id, listing_id=escrow.listing_id).status == 201
        clock.advance(minutes=1)
    assert (len(aws.audit(escrow.id)), len(looks(escrow.listing_id))) == (entries, kept)


def test_roblox_is_asked_once_in_ten_seconds(aws: Platform, escrow: Escrow, clock: Clock) -> None:
    key = {"Idempotency-Key": "k"}
    first = verify(aws, escrow, headers=key)
    assert first.status == 200
    clock.advance(seconds=9)

    assert turned_down(aws, escrow, 429, "RATE_LIMITED").headers["Retry-After"] == "10"
    assert verify(aws, escrow, escrow.seller_id).status == 429
    again = verify(aws, escrow, headers=key)
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    clock.advance(seconds=1)
    assert verify(aws, escrow).status == 200


def test_an_outage_proves_nothing_and_keeps_nothing(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    roblox.down()
    turned_down(aws, escrow, 502, "UPSTREAM_FAILED")
    roblox.up()
    assert verify(aws, escrow).status == 200


def test_is_for_the_parties_while_the_money_is_held(aws: Platform, escrow: Escrow) -> None:
    hidden(aws, "verify_delivery", escrow, escrow.buyer_id, deliveries=True)
    turned_down(aws, escrow, 412, "VERSION_MISMATCH", headers={"If-Match": '"1"'})
    for status in ("AWAIT_FUNDS", "DELIVERED", "DISPUTED", "SETTLING", "RELEASED"):
        version = changed(escrow, status=EscrowStatus(status)).version
        answer = verify(aws, escrow)
        assert (answer.status, answer.code, answer.body["currentStatus"]) == (409, "INVALID_STATE", status)
        assert row(escrow).version == version


def test_of_both_parties_asking_at_once_one_delivers_it(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    place = path(escrow)

    answers = together(
        lambda: aws.call("verify_delivery", escrow.buyer_id, **place),
        lambda: aws.call("verify_delivery", escrow.seller_id, **place),
    )

    assert sorted(answer.status for answer in answers) == [200, 409]
    assert [entry.action for entry in aws.audit(escrow.id)].count("prove_delivery") == 1
