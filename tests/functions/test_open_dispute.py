"""A party says what is wrong: nothing moves any more, and what was so is filed (M61, D9)."""

import datetime as dt
from typing import Any

import pytest

from bloxtr8.entities import Escrow, EscrowStatus, PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import everything_logged, refused, together
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions.disputes import CLAIM, TEXT, TITLE, filed, frozen, live, newest, opened, withdraw
from tests.functions.escrows import (
    changed,
    confirm,
    file,
    hidden,
    refund,
    row,
    seen,
    settings,
    sound,
    staff,
    turned_away,
)
from tests.functions.offers import same_but
from tests.wire import Wire

WRONG: tuple[dict[str, Any], ...] = (
    {"title": ""}, {"title": "a\nb"}, {"title": "x" * 256}, {"description": ""}, {"description": "x" * 5001},
    {"description": "a\x00"}, {"reasonCode": "OWNER_UNKNOWN"}, {"reasonCode": None}, {"evidenceIds": []},
    {"evidenceIds": ["e"] * 21}, {"evidenceIds": "e"}, {"openerId": "usr_1"},
)  # fmt: skip


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.funded(stripe)


def test_stops_the_clocks_and_files_the_facts_in_three_round_trips(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    evidence = filed(aws, escrow)
    before = aws.rows()
    wire.calls.clear()

    answer = opened(aws, escrow, evidenceIds=[evidence, evidence])

    assert (answer.status, wire.round_trips()) == (201, 3)
    assert same_but(before, aws.rows()) == {"Escrow", "Dispute", "Snapshot", "AuditEntry"}
    assert frozen(escrow) == ("DISPUTED", {"DISPUTE"}, "FUNDS_HELD")
    dispute = live(escrow)
    assert answer.body["id"] == dispute.id
    assert answer.body["allowedActions"] == ["post_dispute_message", "withdraw_dispute"]
    assert (answer.body["openedBy"], answer.body["reasonCode"], answer.body["status"]) == (
        "BUYER", "NOT_DELIVERED", "OPEN",
    )  # fmt: skip
    assert (answer.body["title"], answer.body["description"], answer.body["evidenceIds"]) == (TITLE, TEXT, [evidence])
    assert dispute.respond_by - dispute.created_at == dt.timedelta(hours=72)
    assert dispute.facts["owner"]["who"] == "SELLER"
    assert dispute.facts["money"]["held"] == escrow.gross
    assert (dispute.facts["status"], dispute.facts["delivery"]["status"]) == ("FUNDS_HELD", "PENDING")
    assert file(escrow).escrow.next_look == escrow.paid_at + dt.timedelta(days=60)  # people's turn: no job looks
    sound(aws, escrow)


def test_texts_are_nowhere_but_in_the_dispute(aws: Platform, escrow: Escrow) -> None:
    with everything_logged() as lines:
        opened(aws, escrow)
    assert TEXT not in "".join(lines)
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.role, set(entry.details)) == ("open_dispute", "BUYER", {"reason", "textSha256"})
    assert TITLE not in str(entry.details)
    holders = {item["type"]["S"] for item in aws.rows() if TEXT in str(item)}
    assert holders == {"Dispute"}


@pytest.mark.parametrize("delivered", [False, True])
@pytest.mark.parametrize("side", ["buyer_id", "seller_id"])
def test_either_party_may_while_the_money_is_held(
    aws: Platform, stripe: StripeDouble, delivered: bool, side: str
) -> None:
    escrow = (factories.delivered if delivered else factories.funded)(stripe)
    user = getattr(escrow, side)
    assert "open_dispute" in seen(aws, escrow, user)["allowedActions"]
    assert opened(aws, escrow, user).status == 201
    allowed = seen(aws, escrow, escrow.buyer_id)["allowedActions"]
    assert not {"open_dispute", "reject_delivery", "confirm_delivery", "withdraw_dispute"} & set(allowed)
    assert confirm(aws, escrow).code == "INVALID_STATE"


def test_a_second_one_is_told_of_the_first(aws: Platform, escrow: Escrow) -> None:
    opened(aws, escrow)
    for user in (escrow.buyer_id, escrow.seller_id):
        answer = refused(aws, 409, "DISPUTE_EXISTS", "open_dispute", user, CLAIM, escrow_id=escrow.id)
        assert answer.body["disputeId"] == live(escrow).id


def test_of_two_at_once_one_is_opened(aws: Platform, escrow: Escrow) -> None:
    answers = together(lambda: opened(aws, escrow), lambda: opened(aws, escrow, escrow.seller_id))
    assert sorted(answer.status for answer in answers) == [201, 409]
    assert max(answers, key=lambda answer: answer.status).code == "DISPUTE_EXISTS"
    assert len(file(escrow).disputes) == 1


def test_an_outage_at_roblox_keeps_nobody_from_opening_one(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    roblox.down()
    assert opened(aws, escrow).status == 201
    assert live(escrow).facts["owner"] == {"who": "UNKNOWN", "robloxId": None, "snapshotId": None, "at": None}


def test_refuses_in_every_other_state(aws: Platform, escrow: Escrow) -> None:
    for status in sorted(set(EscrowStatus) - {"FUNDS_HELD", "DELIVERED"}):
        changed(escrow, status=status)
        answer = refused(aws, 409, "INVALID_STATE", "open_dispute", escrow.buyer_id, CLAIM, escrow_id=escrow.id)
        assert answer.body["currentStatus"] == status


def test_takes_its_own_escrows_evidence_alone(aws: Platform, escrow: Escrow) -> None:
    others = filed(aws, factories.executed(), None)
    body = CLAIM | {"evidenceIds": [others]}
    refused(aws, 422, "EVIDENCE_UNKNOWN", "open_dispute", escrow.buyer_id, body, escrow_id=escrow.id)


def test_each_party_opens_three_in_an_escrow(aws: Platform, escrow: Escrow) -> None:
    for _ in range(3):
        assert opened(aws, escrow, escrow.seller_id).status == 201
        assert withdraw(aws, escrow).status == 200
    assert "open_dispute" not in seen(aws, escrow, escrow.seller_id)["allowedActions"]
    answer = refused(aws, 429, "RATE_LIMITED", "open_dispute", escrow.seller_id, CLAIM, escrow_id=escrow.id)
    assert int(answer.headers["Retry-After"]) > 0
    assert opened(aws, escrow).status == 201  # the buyer's are not used up by the seller's


def test_a_person_opens_five_in_thirty_days(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(monkeypatch, disputes_an_escrow=9)
    for _ in range(5):
        assert opened(aws, escrow).status == 201
        assert withdraw(aws, escrow).status == 200
        aws.clock.advance(days=1)
    answer = refused(aws, 429, "RATE_LIMITED", "open_dispute", escrow.buyer_id, CLAIM, escrow_id=escrow.id)
    assert dt.timedelta(seconds=int(answer.headers["Retry-After"])) <= dt.timedelta(days=25)
    aws.clock.advance(days=26)
    changed(escrow, deliver_by=aws.clock.now() + dt.timedelta(days=1))
    assert opened(aws, escrow).status == 201


def test_an_owner_nobody_knew_stops_no_clock_twice(aws: Platform, escrow: Escrow) -> None:
    changed(
        escrow, frozen_causes=frozenset({"UNKNOWN_OWNER"}), frozen_at=aws.clock.now(), unknown_since=aws.clock.now()
    )
    opened(aws, escrow)
    assert frozen(escrow)[1] == {"DISPUTE"}
    assert row(escrow).unknown_since is None


def test_closes_when_the_seller_refunds(aws: Platform, escrow: Escrow) -> None:
    opened(aws, escrow)
    assert refund(aws, escrow).status == 202
    assert (newest(escrow).status, newest(escrow).outcome) == ("CLOSED", "REFUNDED_BY_SELLER")


def test_is_the_parties_alone(aws: Platform, escrow: Escrow) -> None:
    strangers = [factories.user(), staff(PlatformRole.ARBITER)]
    hidden(aws, "open_dispute", escrow, escrow.buyer_id, CLAIM, strangers=strangers)
    turned_away(aws, "open_dispute", escrow.buyer_id, [CLAIM | wrong for wrong in WRONG], escrow_id=escrow.id)
    stale = {"If-Match": f'"{row(escrow).version + 1}"'}
    refused(aws, 412, "VERSION_MISMATCH", "open_dispute", escrow.buyer_id, CLAIM, headers=stale, escrow_id=escrow.id)
