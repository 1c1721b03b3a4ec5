"""An arbiter who is no party takes a dispute; an administrator gives it to another (M63, D10)."""

import pytest

from bloxtr8.entities import Escrow, PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions.disputes import arbiter, assigned, live, names, newest, opened, seen, withdraw
from tests.functions.escrows import sound, staff, turned_away
from tests.functions.offers import same_but
from tests.wire import Wire


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    found = factories.funded(stripe)
    opened(aws, found)
    return found


def test_an_arbiter_takes_it(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    judge = arbiter()
    assert seen(aws, escrow, judge)["dispute"]["allowedActions"] == ["post_dispute_message", "assign_dispute"]
    before, place = aws.rows(), names(escrow)
    wire.calls.clear()

    answer = aws.call("assign_dispute", judge, **place)

    assert (answer.status, wire.round_trips()) == (200, 3)
    assert same_but(before, aws.rows()) == {"Escrow", "Dispute", "Snapshot", "AuditEntry"}
    assert (answer.body["status"], answer.body["assigneeId"]) == ("IN_REVIEW", judge.id)
    assert answer.body["allowedActions"] == ["post_dispute_message", "resolve_dispute"]
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.role, entry.details) == ("assign_dispute", "ARBITER", {"assignee": judge.id})
    sound(aws, escrow)


def test_a_party_decides_nothing_of_its_own(aws: Platform, stripe: StripeDouble) -> None:
    buyer = factories.user(platform_roles=frozenset({PlatformRole.ARBITER, PlatformRole.PADMIN}))
    escrow = factories.funded(stripe, buyer=buyer)
    opened(aws, escrow, escrow.seller_id)
    boss = staff(PlatformRole.PADMIN)
    code = "CONFLICT_OF_INTEREST"
    refused(aws, 403, code, "assign_dispute", buyer, **names(escrow))
    refused(aws, 403, code, "assign_dispute", escrow.seller_id, **names(escrow))
    refused(aws, 403, code, "assign_dispute", buyer, {"assigneeId": arbiter().id}, **names(escrow))
    refused(aws, 403, code, "assign_dispute", boss, {"assigneeId": buyer.id}, **names(escrow))
    assert "assign_dispute" not in seen(aws, escrow, buyer)["dispute"]["allowedActions"]


def test_only_an_administrator_gives_it_to_another(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    first = assigned(aws, escrow)
    other = arbiter()
    answer = refused(aws, 409, "INVALID_STATE", "assign_dispute", other, **names(escrow))
    assert answer.body["currentStatus"] == "IN_REVIEW"
    refused(aws, 403, "FORBIDDEN", "assign_dispute", first, {"assigneeId": other.id}, **names(escrow))
    boss = staff(PlatformRole.PADMIN)
    refused(aws, 422, "NOT_AN_ARBITER", "assign_dispute", boss, **names(escrow))
    refused(aws, 422, "NOT_AN_ARBITER", "assign_dispute", boss, {"assigneeId": boss.id}, **names(escrow))
    refused(aws, 404, "NOT_FOUND", "assign_dispute", boss, {"assigneeId": "usr_nobody"}, **names(escrow))
    place = names(escrow)
    wire.calls.clear()

    assert aws.call("assign_dispute", boss, {"assigneeId": other.id}, **place).status == 200

    assert wire.round_trips() == 3
    assert (live(escrow).assignee_id, aws.audit(escrow.id)[-1].role) == (other.id, "PADMIN")


def test_a_fresh_look_is_filed_for_who_decides(aws: Platform, stripe: StripeDouble, roblox: Roblox) -> None:
    escrow = factories.funded(stripe)
    roblox.down()
    opened(aws, escrow)
    assert seen(aws, escrow, escrow.buyer_id)["facts"]["suggestion"]["outcome"] is None
    assigned(aws, escrow)  # an outage keeps nobody from taking it either
    roblox.up()
    aws.call("assign_dispute", staff(PlatformRole.PADMIN), {"assigneeId": arbiter().id}, **names(escrow))
    assert seen(aws, escrow, escrow.buyer_id)["facts"]["suggestion"]["outcome"] == "REFUND"


def test_of_two_arbiters_at_once_one_takes_it(aws: Platform, escrow: Escrow) -> None:
    takers = [arbiter(), arbiter()]
    answers = together(*(lambda taker=taker: aws.call("assign_dispute", taker, **names(escrow)) for taker in takers))
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert live(escrow).assignee_id == next(t.id for t, a in zip(takers, answers, strict=True) if a.status == 200)


def test_others_see_nothing(aws: Platform, escrow: Escrow) -> None:
    for stranger in (factories.user(), staff(PlatformRole.SUPPORT, PlatformRole.COMPLIANCE)):
        refused(aws, 404, "NOT_FOUND", "assign_dispute", stranger, **names(escrow))
    wrong = names(escrow) | {"dispute_id": "dsp_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"}
    refused(aws, 404, "NOT_FOUND", "assign_dispute", arbiter(), **wrong)
    stale = {"If-Match": f'"{newest(escrow).version + 1}"'}
    refused(aws, 412, "VERSION_MISMATCH", "assign_dispute", arbiter(), headers=stale, **names(escrow))
    bodies = [{"assigneeId": ""}, {"assigneeId": 5}, {"assigneeId": "a\nb"}, {"reason": "x"}]
    turned_away(aws, "assign_dispute", arbiter(), bodies, **names(escrow))


def test_what_was_withdrawn_is_not_taken(aws: Platform, escrow: Escrow) -> None:
    withdraw(aws, escrow)
    answer = refused(aws, 409, "INVALID_STATE", "assign_dispute", arbiter(), **names(escrow))
    assert answer.body["currentStatus"] == "CLOSED"
