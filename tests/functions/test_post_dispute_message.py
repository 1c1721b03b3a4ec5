"""What is said in a dispute: by a party or an arbiter, for good, and not without end (M62)."""

from typing import Any

import pytest

from bloxtr8.entities import Escrow, PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import everything_logged, refused
from tests.emulator import Platform
from tests.functions.disputes import arbiter, assigned, filed, live, names, newest, opened, resolve, say, seen
from tests.functions.escrows import paid_out, row, settings, sound, staff, turned_away
from tests.functions.offers import same_but
from tests.wire import Wire

BODY = {"text": "Please look."}
WRONG: tuple[dict[str, Any], ...] = (
    {"text": ""}, {"text": "\u2003"}, {"text": "x" * 4001}, {"text": "a\x00"}, {"text": None}, {"evidenceIds": []},
    {"role": "ARBITER"},
)  # fmt: skip


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    found = factories.funded(stripe)
    opened(aws, found)
    return found


def test_is_kept_and_shown_to_all_in_order(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    evidence = filed(aws, escrow)
    before, place = aws.rows(), names(escrow)
    body = {"text": "I did. \U0001f91d\nLook:", "evidenceIds": [evidence]}
    wire.calls.clear()
    first = aws.call("post_dispute_message", escrow.seller_id, body, **place)
    assert (first.status, wire.round_trips()) == (201, 2)
    assert same_but(before, aws.rows()) == {"Escrow", "Dispute", "DisputeMessage", "AuditEntry"}
    judge = arbiter()
    wire.calls.clear()
    aws.call("post_dispute_message", judge, {"text": "x" * 4000}, **place)
    assert wire.round_trips() == 3
    say(aws, escrow, escrow.buyer_id, "No.")

    shown = [seen(aws, escrow, user)["messages"] for user in (escrow.buyer_id, escrow.seller_id, judge)]

    assert shown[0] == shown[1] == shown[2]
    assert [(one["role"], one["authorId"]) for one in shown[0]] == [
        ("SELLER", escrow.seller_id), ("ARBITER", judge.id), ("BUYER", escrow.buyer_id),
    ]  # fmt: skip
    assert (shown[0][0]["text"], shown[0][0]["evidenceIds"]) == ("I did. \U0001f91d\nLook:", [evidence])
    assert all(one["intact"] for one in shown[0])
    entries = aws.audit(escrow.id)[-3:]
    assert [(entry.action, entry.role, set(entry.details)) for entry in entries] == [
        ("post_dispute_message", role, {"textSha256"}) for role in ("SELLER", "ARBITER", "BUYER")
    ]
    sound(aws, escrow)


def test_the_text_is_in_no_log(aws: Platform, escrow: Escrow) -> None:
    with everything_logged() as lines:
        say(aws, escrow, escrow.buyer_id, "my address is Main Street 7")
    assert "Main Street" not in "".join(lines)
    assert {item["type"]["S"] for item in aws.rows() if "Main Street" in str(item)} == {"DisputeMessage"}


def test_an_answer_of_the_other_party_is_an_answer(aws: Platform, escrow: Escrow) -> None:
    aws.clock.advance(hours=73)
    assert (seen(aws, escrow, escrow.buyer_id)["dispute"]["overdue"], row(escrow).status) == (True, "DISPUTED")
    say(aws, escrow, escrow.buyer_id)
    assert seen(aws, escrow, escrow.buyer_id)["dispute"]["answered"] is False
    say(aws, escrow, escrow.seller_id)
    found = seen(aws, escrow, escrow.buyer_id)["dispute"]
    assert (found["answered"], found["overdue"]) == (True, False)


def test_twenty_an_hour_are_enough(aws: Platform, escrow: Escrow) -> None:
    for _ in range(20):
        assert say(aws, escrow, escrow.buyer_id).status == 201
    answer = refused(aws, 429, "RATE_LIMITED", "post_dispute_message", escrow.buyer_id, BODY, **names(escrow))
    assert 3500 < int(answer.headers["Retry-After"]) <= 3601
    assert say(aws, escrow, escrow.seller_id).status == 201
    aws.clock.advance(hours=1)
    assert say(aws, escrow, escrow.buyer_id).status == 201


def test_nobody_talks_without_end(aws: Platform, escrow: Escrow, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(monkeypatch, messages_a_dispute=2)
    say(aws, escrow, escrow.buyer_id)
    say(aws, escrow, escrow.buyer_id)
    aws.clock.advance(hours=2)
    refused(aws, 422, "TOO_MANY_MESSAGES", "post_dispute_message", escrow.buyer_id, BODY, **names(escrow))


def test_refuses_when_it_is_closed(aws: Platform, stripe: StripeDouble, escrow: Escrow) -> None:
    judge = assigned(aws, escrow)
    assert say(aws, escrow, escrow.buyer_id).status == 201
    assert resolve(aws, escrow, judge, "REFUND", 0, escrow.amount).status == 202
    assert say(aws, escrow, escrow.buyer_id).status == 201  # decided, not closed
    paid_out(stripe, escrow)
    answer = refused(aws, 409, "INVALID_STATE", "post_dispute_message", escrow.buyer_id, BODY, **names(escrow))
    assert answer.body["currentStatus"] == "CLOSED"


def test_outsiders_and_other_staff_see_nothing(aws: Platform, escrow: Escrow) -> None:
    for stranger in (factories.user(), staff(PlatformRole.SUPPORT, PlatformRole.COMPLIANCE)):
        refused(aws, 404, "NOT_FOUND", "post_dispute_message", stranger, BODY, **names(escrow))
    wrong = {"escrow_id": escrow.id, "dispute_id": "dsp_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"}
    refused(aws, 404, "NOT_FOUND", "post_dispute_message", escrow.buyer_id, BODY, **wrong)
    turned_away(aws, "post_dispute_message", escrow.buyer_id, [BODY | wrong for wrong in WRONG], **names(escrow))
    foreign = filed(aws, factories.executed())
    unknown = BODY | {"evidenceIds": [foreign]}
    refused(aws, 422, "EVIDENCE_UNKNOWN", "post_dispute_message", escrow.buyer_id, unknown, **names(escrow))
    assert newest(escrow).posted == {}
    assert live(escrow).status == "OPEN"
