"""The other side does not take the proposal: it is over, and nothing else has changed."""

import pytest

from bloxtr8.entities import Escrow, EscrowStatus, Hold
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Clock, Platform
from tests.functions import escrows, settlements
from tests.functions.escrows import changed, hidden, seen
from tests.functions.offers import same_but
from tests.functions.settlements import GONE, accept, answer, propose, proposed
from tests.wire import Wire


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.funded(stripe)


def test_it_is_over_and_another_may_follow(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    one = proposed(aws, escrow, 33_333)
    before, was = aws.rows(), escrows.row(escrow)
    wire.calls.clear()

    rejected = answer(aws, "reject", escrow, one, escrow.seller_id)

    assert (rejected.status, wire.round_trips()) == (200, 2)
    assert (rejected.body["id"], rejected.body["status"], rejected.body["allowedActions"]) == (one, "REJECTED", [])
    assert rejected.body["endedAt"] is not None
    assert same_but(before, aws.rows()) == {"Escrow", "SettlementProposal", "AuditEntry", "Idempotency"}
    after = escrows.row(escrow)
    assert (after.status, after.settlement_id, after.deliver_by) == (was.status, None, was.deliver_by)
    again = answer(aws, "reject", escrow, one, escrow.seller_id)
    assert (again.body, again.headers["Idempotency-Replayed"]) == (rejected.body, "true")
    assert propose(aws, escrow, 2, escrow.seller_id).status == 201


@pytest.mark.parametrize("verb", ["accept", "reject", "withdraw"])
def test_what_was_rejected_is_answered_no_more(aws: Platform, escrow: Escrow, verb: str) -> None:
    one = proposed(aws, escrow, 1)
    answer(aws, "reject", escrow, one, escrow.seller_id)
    before = aws.rows()
    user = escrow.buyer_id if verb == "withdraw" else escrow.seller_id
    late = answer(aws, verb, escrow, one, user, "other")
    assert (late.status, late.code, late.body["currentStatus"]) == (409, "INVALID_STATE", "REJECTED")
    assert aws.rows() == before


def test_is_the_other_sides_alone(aws: Platform, escrow: Escrow) -> None:
    one = proposed(aws, escrow, 1)
    path = {"escrow_id": escrow.id, "proposal_id": one}
    refused(aws, 403, "FORBIDDEN", "reject_settlement", escrow.buyer_id, **path)
    refused(aws, 412, "VERSION_MISMATCH", "reject_settlement", escrow.seller_id, headers={"If-Match": '"1"'}, **path)
    hidden(aws, "reject_settlement", escrow, escrow.seller_id, proposal=one)
    for wrong in (GONE, "prp_1", escrow.id, "prp_\x00", "../me"):
        refused(aws, 404, "NOT_FOUND", "reject_settlement", escrow.seller_id, escrow_id=escrow.id, proposal_id=wrong)


def test_a_proposal_of_another_escrow_is_not_there(aws: Platform, escrow: Escrow, stripe: StripeDouble) -> None:
    other = proposed(aws, factories.funded(stripe), 1)
    path = {"escrow_id": escrow.id, "proposal_id": other}
    refused(aws, 404, "NOT_FOUND", "reject_settlement", escrow.seller_id, **path)


@pytest.mark.parametrize("written", [False, True])
def test_an_expired_one_is_gone(aws: Platform, escrow: Escrow, clock: Clock, written: bool) -> None:
    one = proposed(aws, escrow, 1)
    clock.advance(days=7)
    if written:
        proposed(aws, escrow, 2)
    for verb, user in (("accept", escrow.seller_id), ("reject", escrow.seller_id), ("withdraw", escrow.buyer_id)):
        before = aws.rows()
        late = answer(aws, verb, escrow, one, user)
        assert (late.status, late.code) == (410, "PROPOSAL_EXPIRED")
        assert aws.rows() == before


def test_a_hold_stops_no_answer_that_moves_nothing(aws: Platform, escrow: Escrow) -> None:
    one = proposed(aws, escrow, 1)
    changed(escrow, holds=frozenset({Hold.RISK_REVIEW}))
    assert answer(aws, "reject", escrow, one, escrow.seller_id).status == 200


def test_what_was_decided_otherwise_is_over(aws: Platform, escrow: Escrow) -> None:
    one = proposed(aws, escrow, 1)
    assert escrows.refund(aws, escrow).status == 202
    assert settlements.row(escrow).status == "EXPIRED"
    assert seen(aws, escrow, escrow.seller_id)["proposal"]["status"] == "EXPIRED"
    before = aws.rows()
    for verb, user in (("accept", escrow.seller_id), ("reject", escrow.seller_id), ("withdraw", escrow.buyer_id)):
        late = answer(aws, verb, escrow, one, user, verb)
        assert (late.status, late.code, late.body["currentStatus"]) == (409, "INVALID_STATE", "SETTLING")
    assert aws.rows() == before


def test_at_an_end_nothing_is_proposed_or_answered(aws: Platform, escrow: Escrow) -> None:
    one = proposed(aws, escrow, 1)
    changed(escrow, status=EscrowStatus.REFUNDED)  # taken back from the vault, say
    shown = seen(aws, escrow, escrow.seller_id)
    assert (shown["proposal"]["status"], shown["allowedActions"]) == ("EXPIRED", [])
    assert answer(aws, "reject", escrow, one, escrow.seller_id).code == "INVALID_STATE"


def test_of_accept_and_reject_at_once_one_wins(aws: Platform, stripe: StripeDouble) -> None:
    for _ in range(2):  # fifty: tests/races
        escrow = factories.funded(stripe)
        one = proposed(aws, escrow, 1)
        accepted, rejected = together(
            lambda escrow=escrow, one=one: accept(aws, escrow, one),
            lambda escrow=escrow, one=one: answer(aws, "reject", escrow, one, escrow.seller_id),
        )
        assert (accepted.status, rejected.status) in {(202, 409), (409, 200)}
        assert settlements.row(escrow).status == ("ACCEPTED" if accepted.status == 202 else "REJECTED")
        assert len(escrows.file(escrow).settlements) == (1 if accepted.status == 202 else 0)
