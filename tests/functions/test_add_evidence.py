"""A party files a file: its place is bound to the hash that was named, and nobody else's file fits there (M55)."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bloxtr8 import actors, ids, table
from bloxtr8.entities import Escrow, EscrowStatus, Evidence, PlatformRole
from tests import factories
from tests.checks import refused, together
from tests.emulator import Answer, Clock, Platform
from tests.functions.escrows import changed, file, hidden, row, seen, staff, turned_away
from tests.functions.offers import same_but
from tests.wire import Wire

CONTENT = b"a screenshot"
SHA = hashlib.sha256(CONTENT).hexdigest()
BODY: dict[str, Any] = {"sha256": SHA, "contentType": "image/png", "sizeBytes": len(CONTENT), "note": "The group page"}
WRONG: tuple[dict[str, Any], ...] = (
    {"sha256": "0" * 63}, {"sha256": SHA.upper()}, {"sha256": None}, {"sizeBytes": 0}, {"sizeBytes": -1},
    {"sizeBytes": 1.5}, {"sizeBytes": "12"}, {"sizeBytes": True}, {"note": ""}, {"note": "a\x00"}, {"note": "x" * 1001},
    {"contentType": 5}, {"url": "https://example.com"},
)  # fmt: skip


@pytest.fixture
def escrow(aws: Platform) -> Escrow:
    return factories.executed()


def add(aws: Platform, escrow: Escrow, user: Any = None, **changes: Any) -> Answer:
    return aws.call("add_evidence", user or escrow.buyer_id, BODY | changes, escrow_id=escrow.id)


def filled(escrow: Escrow, files: int, user_id: str) -> None:
    """So many files were filed."""
    rows = [
        Evidence(escrow_id=escrow.id, id=ids.new("evd"), user_id=user_id, sha256=SHA, note="n", at=escrow.created_at)
        for _ in range(files)
    ]
    table.commit(row(escrow), *rows, action="test", actor=actors.system("test"))


def test_gives_a_place_that_takes_this_file_alone(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    before = aws.rows()
    wire.calls.clear()

    answer = add(aws, escrow)

    assert (answer.status, wire.round_trips()) == (201, 2)
    (kept,) = file(escrow).evidence
    assert (kept.id, kept.user_id, kept.sha256, kept.content_type, kept.size_bytes, kept.note) == (
        answer.body["evidenceId"], escrow.buyer_id, SHA, "image/png", len(CONTENT), "The group page",
    )  # fmt: skip
    assert same_but(before, aws.rows()) == {"Escrow", "Evidence", "AuditEntry"}
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("add_evidence", escrow.buyer_id, "BUYER")
    assert answer.body["headers"] == {
        "Content-Type": "image/png",
        "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(CONTENT).digest()).decode(),
        "If-None-Match": "*",
    }
    place = urlsplit(answer.body["url"])
    assert place.hostname is not None
    assert place.hostname.startswith("bloxtr8-local-evidence.")
    assert place.path == f"/evidence/{escrow.id}/{SHA}"
    signed = set(parse_qs(place.query)["X-Amz-SignedHeaders"][0].split(";"))
    assert {"content-length", "content-type", "if-none-match", "x-amz-checksum-sha256"} <= signed
    assert int(parse_qs(place.query)["X-Amz-Expires"][0]) <= 900
    (shown,) = seen(aws, escrow, escrow.seller_id)["evidence"]
    assert (shown["id"], shown["sha256"], shown["userId"], "url" in shown) == (kept.id, SHA, escrow.buyer_id, False)


def test_parties_and_an_arbiter_may(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    arbiter = staff(PlatformRole.ARBITER, PlatformRole.COMPLIANCE)
    wire.calls.clear()
    assert add(aws, escrow, arbiter).status == 201
    assert wire.round_trips() == 3
    entry = aws.audit(escrow.id)[-1]
    assert (entry.actor, entry.role) == (arbiter.id, "ARBITER")
    assert add(aws, escrow, escrow.seller_id).status == 201
    hidden(aws, "add_evidence", escrow, escrow.buyer_id, BODY)


def test_refuses_other_kinds_sizes_and_forms(aws: Platform, escrow: Escrow) -> None:
    options: dict[str, Any] = {"escrow_id": escrow.id}
    for kind in ("text/html", "image/svg+xml", "application/x-msdownload", "image/png; charset=utf-8", "x" * 100):
        code = "UNSUPPORTED_MEDIA_TYPE"
        refused(aws, 415, code, "add_evidence", escrow.buyer_id, BODY | {"contentType": kind}, **options)
    for size in (25 * 1024 * 1024 + 1, 10**30):
        refused(aws, 413, "BODY_TOO_LARGE", "add_evidence", escrow.buyer_id, BODY | {"sizeBytes": size}, **options)
    stale = {"If-Match": f'"{escrow.version + 1}"'}
    refused(aws, 412, "VERSION_MISMATCH", "add_evidence", escrow.buyer_id, BODY, headers=stale, **options)
    without = [{name: value for name, value in BODY.items() if name != left_out} for left_out in BODY]
    turned_away(aws, "add_evidence", escrow.buyer_id, [*without, *(BODY | wrong for wrong in WRONG)], **options)
    assert add(aws, escrow, sizeBytes=25 * 1024 * 1024).status == 201


def test_takes_ten_files_of_each_side_and_no_more(aws: Platform, escrow: Escrow) -> None:
    arbiters = [staff(PlatformRole.ARBITER) for _ in range(2)]
    for user_id in (escrow.buyer_id, escrow.seller_id, arbiters[0].id):
        filled(escrow, 9, user_id)

    answers = together(lambda: add(aws, escrow), lambda: add(aws, escrow))

    assert sorted(answer.status for answer in answers) == [201, 422]
    for user in (escrow.seller_id, arbiters[1]):  # nobody took their place
        assert add(aws, escrow, user).status == 201
    for user in (escrow.buyer_id, escrow.seller_id, arbiters[0]):
        refused(aws, 422, "TOO_MUCH_EVIDENCE", "add_evidence", user, BODY, escrow_id=escrow.id)
        assert "add_evidence" not in seen(aws, escrow, user)["allowedActions"]


def test_an_end_is_an_end(aws: Platform, escrow: Escrow) -> None:
    for status in ("FUNDS_HELD", "DELIVERED", "DISPUTED", "SETTLING"):
        changed(escrow, status=EscrowStatus(status))
        assert add(aws, escrow).status == 201
    for status in ("RELEASED", "REFUNDED", "SPLIT", "CANCELLED"):
        changed(escrow, status=EscrowStatus(status))
        answer = add(aws, escrow)
        assert (answer.status, answer.code, answer.body["currentStatus"]) == (409, "INVALID_STATE", status)


def test_a_place_is_never_recorded_for_a_replay(aws: Platform, escrow: Escrow, clock: Clock) -> None:
    key = {"Idempotency-Key": "k"}
    first = aws.call("add_evidence", escrow.buyer_id, BODY, headers=key, escrow_id=escrow.id)
    again = aws.call("add_evidence", escrow.buyer_id, BODY, headers=key, escrow_id=escrow.id)

    assert (first.status, again.status) == (201, 201)
    assert first.body["evidenceId"] != again.body["evidenceId"]
    assert all("X-Amz-Signature" not in str(item) for item in aws.rows())
