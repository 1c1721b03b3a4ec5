"""The seller says that it is done, and Roblox must show it: by both sources, now (M52, M53)."""

from typing import Any

import pytest

from bloxtr8.entities import Escrow, EscrowStatus
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Answer, Clock, Platform
from tests.functions.escrows import changed, delivery, file, hidden, path, row, seen, sound
from tests.functions.listings import looks
from tests.functions.offers import same_but
from tests.wire import Wire


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    """FUNDS_HELD, and its delivery has begun."""
    escrow = factories.funded(stripe)
    assert aws.call("start_delivery", escrow.seller_id, {}, escrow_id=escrow.id).status == 200
    return row(escrow)


def mark(aws: Platform, escrow: Escrow, **options: Any) -> Answer:
    return aws.call("mark_delivered", escrow.seller_id, **path(escrow), **options)


def turned_down(aws: Platform, escrow: Escrow, status: int, code: str, **options: Any) -> Any:
    return refused(aws, status, code, "mark_delivered", escrow.seller_id, **path(escrow), **options).body


def test_what_roblox_shows_is_delivered(aws: Platform, escrow: Escrow, roblox: Roblox, wire: Wire) -> None:
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    place, before = path(escrow), aws.rows()
    wire.calls.clear()

    answer = aws.call("mark_delivered", escrow.seller_id, **place)

    assert (answer.status, wire.round_trips()) == (200, 2)
    kept, done = row(escrow), delivery(escrow)
    view = answer.body
    assert (view["status"], view["verification"], view["delivery"]["id"]) == ("DELIVERED", "VERIFIED", done.id)
    assert kept.inspect_by is not None
    assert view["inspectionEndsAt"] == seen(aws, escrow, escrow.buyer_id)["inspectBy"]
    assert (kept.inspect_by - kept.delivered_at).total_seconds() == escrow.inspect_seconds
    proof = looks(escrow.listing_id)[-1]
    assert (proof.id, proof.verified, proof.owner_id, proof.source) == (
        done.snapshot_id, True, escrow.buyer_roblox_id, "BOTH",
    )  # fmt: skip
    assert same_but(before, aws.rows()) == {"Escrow", "Delivery", "Snapshot", "AuditEntry"}
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("mark_delivered", escrow.seller_id, "SELLER")
    allowed = seen(aws, escrow, escrow.buyer_id)["allowedActions"]
    assert "confirm_delivery" in allowed
    assert "mark_delivered" not in allowed
    assert turned_down(aws, escrow, 409, "INVALID_STATE")["currentStatus"] == "DELIVERED"
    assert sound(aws, escrow) == {"BUYER": -100_000, "HELD": 100_000}


def test_refuses_what_roblox_does_not_show(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    owners: list[tuple[dict[str, Any], str | None]] = [
        ({}, escrow.seller_roblox_id),
        ({"owner": "999"}, "999"),
        ({"owner": None}, None),
        ({"owner": escrow.buyer_roblox_id, "locked": True}, escrow.buyer_roblox_id),
    ]
    for group, owner in owners:
        roblox.set_group(escrow.asset_id, **group)
        assert turned_down(aws, escrow, 409, "ASSET_NOT_TRANSFERRED")["observedOwner"] == owner
    roblox.forget_group(escrow.asset_id)
    assert turned_down(aws, escrow, 409, "ASSET_NOT_TRANSFERRED")["observedOwner"] is None


def test_one_source_alone_proves_nothing(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    roblox.faults.put(r"^/cloud/", status=503, times=None)

    assert mark(aws, escrow).status == 502
    assert row(escrow).status is EscrowStatus.FUNDS_HELD


def test_keeps_the_claim_once_while_roblox_is_silent(
    aws: Platform, escrow: Escrow, roblox: Roblox, clock: Clock
) -> None:
    place, note = path(escrow), f"{delivery(escrow).id}: the seller says it is handed over; Roblox did not answer"
    forged = {"sha256": "0" * 64, "contentType": "image/png", "sizeBytes": 1, "note": note}
    assert aws.call("add_evidence", escrow.buyer_id, forged, escrow_id=escrow.id).status == 201
    roblox.down()
    before = aws.rows()

    assert (answer := mark(aws, escrow)).status == 502
    assert answer.code == "UPSTREAM_FAILED"
    assert same_but(before, aws.rows()) == {"Escrow", "Evidence", "AuditEntry"}
    (claim,) = [row for row in file(escrow).evidence if row.sha256 is None]
    assert (claim.user_id, claim.note) == (escrow.seller_id, note)
    assert aws.audit(escrow.id)[-1].action == "claim_delivery"
    after = aws.rows()
    clock.advance(hours=1)
    answers = together(*[lambda: aws.call("mark_delivered", escrow.seller_id, **place)] * 2)
    assert {answer.status for answer in answers} == {502}
    assert aws.rows() == after

    roblox.up()
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    assert mark(aws, escrow).status == 200


def test_of_two_claims_at_once_one_is_kept(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    place = path(escrow)
    roblox.down()

    answers = together(*[lambda: aws.call("mark_delivered", escrow.seller_id, **place)] * 2)

    assert {answer.status for answer in answers} == {502}
    assert len(file(escrow).evidence) == 1


def test_is_the_sellers_alone_after_he_began(aws: Platform, escrow: Escrow, stripe: StripeDouble) -> None:
    refused(aws, 403, "FORBIDDEN", "mark_delivered", escrow.buyer_id, **path(escrow))
    hidden(aws, "mark_delivered", escrow, escrow.seller_id, deliveries=True)
    turned_down(aws, escrow, 412, "VERSION_MISMATCH", headers={"If-Match": '"1"'})
    assert turned_down(aws, factories.funded(stripe), 409, "INVALID_STATE")["currentStatus"] == "PENDING"
    for status in ("AWAIT_FUNDS", "DISPUTED", "SETTLING", "REFUNDED"):
        version = changed(escrow, status=EscrowStatus(status)).version
        answer = mark(aws, escrow)
        assert (answer.status, answer.code, answer.body["currentStatus"]) == (409, "INVALID_STATE", status)
        assert row(escrow).version == version


def test_the_same_request_gives_the_same_answer(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    key = {"Idempotency-Key": "k"}
    first = mark(aws, escrow, headers=key)
    before = aws.rows()

    again = mark(aws, escrow, headers=key)

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    assert aws.rows() == before
