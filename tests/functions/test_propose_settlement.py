"""A party names both parts of what remains; nothing moves until the other one takes them (M46)."""

import datetime as dt
from typing import Any

import pytest

from bloxtr8 import clock as now
from bloxtr8.entities import Escrow, EscrowStatus, Hold
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Clock, Platform
from tests.functions import escrows, settlements
from tests.functions.escrows import changed, hidden, seen, turned_away
from tests.functions.offers import same_but
from tests.functions.settlements import WHY, parts, propose, proposed
from tests.wire import Wire

ANSWERS = {"accept_settlement", "reject_settlement", "withdraw_settlement"}


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.funded(stripe)


def offered(aws: Platform, escrow: Escrow, user: Any) -> tuple[set[str], set[str]]:
    """What somebody may do about the proposal, as the escrow and as the proposal say it."""
    view = seen(aws, escrow, user)
    return set(view["allowedActions"]) & (ANSWERS | {"propose_settlement"}), set(view["proposal"]["allowedActions"])


@pytest.mark.parametrize("by", ["buyer", "seller"])
def test_both_see_it_and_each_may_do_his_part(aws: Platform, escrow: Escrow, wire: Wire, by: str) -> None:
    mine, other = escrow.buyer_id, escrow.seller_id
    if by == "seller":
        mine, other = other, mine
    before = aws.rows()
    wire.calls.clear()

    answer = propose(aws, escrow, 33_333, mine)

    assert (answer.status, wire.round_trips()) == (201, 2)
    assert same_but(before, aws.rows()) == {"Escrow", "SettlementProposal", "AuditEntry"}
    shown = answer.body
    assert (shown["proposedBy"], shown["sellerAmount"], shown["buyerAmount"], shown["reason"], shown["status"]) == (
        by.upper(), 33_333, 66_667, WHY, "OPEN",
    )  # fmt: skip
    assert shown["id"].startswith("prp_")
    assert now.parse(shown["expiresAt"]) - now.parse(shown["createdAt"]) == dt.timedelta(days=7)
    assert shown["allowedActions"] == ["withdraw_settlement"]
    assert seen(aws, escrow, mine)["proposal"] == shown
    assert offered(aws, escrow, mine) == ({"withdraw_settlement"}, {"withdraw_settlement"})
    assert offered(aws, escrow, other) == ({"accept_settlement", "reject_settlement"},) * 2
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.details) == ("propose_settlement", mine, {"proposalId": shown["id"]})
    kept = escrows.row(escrow)
    assert (kept.status, kept.settlement_id, kept.deliver_by) == (escrow.status, None, escrow.deliver_by)


@pytest.mark.parametrize("to_seller", [0, 1, 99_999, 100_000])
def test_any_parts_of_it_will_do(aws: Platform, escrow: Escrow, to_seller: int) -> None:
    assert propose(aws, escrow, to_seller).status == 201


@pytest.mark.parametrize(("seller", "buyer"), [(33_333, 66_666), (33_333, 66_668), (0, 0), (100_000, 100_000)])
def test_refuses_parts_that_are_not_all_that_remains(aws: Platform, escrow: Escrow, seller: int, buyer: int) -> None:
    body = {"sellerAmount": seller, "buyerAmount": buyer, "reason": WHY}
    problem = refused(aws, 422, "SUM_MISMATCH", "propose_settlement", escrow.buyer_id, body, escrow_id=escrow.id).body
    assert problem["remaining"] == 100_000


def test_one_at_a_time_whoever_made_it(aws: Platform, escrow: Escrow) -> None:
    live = proposed(aws, escrow, 1)
    for user in (escrow.buyer_id, escrow.seller_id):
        problem = refused(
            aws, 409, "PROPOSAL_OPEN", "propose_settlement", user, parts(escrow, 2), escrow_id=escrow.id
        ).body
        assert problem["proposalId"] == live


def test_after_seven_days_it_stands_no_more_and_another_takes_its_place(
    aws: Platform, escrow: Escrow, clock: Clock
) -> None:
    first = proposed(aws, escrow, 1)
    clock.advance(days=7)
    assert seen(aws, escrow, escrow.seller_id)["proposal"]["status"] == "EXPIRED"
    assert offered(aws, escrow, escrow.seller_id) == ({"propose_settlement"}, set())

    second = proposed(aws, escrow, 2, escrow.seller_id)

    rows = {row.id: row for row in escrows.file(escrow).proposals}
    assert {key: str(row.status) for key, row in rows.items()} == {first: "EXPIRED", second: "OPEN"}
    assert rows[first].ended_at is not None


def test_each_side_proposes_twenty_times(aws: Platform, escrow: Escrow) -> None:
    for n in range(20):
        one = proposed(aws, escrow, n)
        assert settlements.answer(aws, "withdraw", escrow, one, escrow.buyer_id, f"k{n}").status == 200
    refused(
        aws, 422, "TOO_MANY_PROPOSALS", "propose_settlement", escrow.buyer_id, parts(escrow, 1), escrow_id=escrow.id
    )
    assert propose(aws, escrow, 1, escrow.seller_id).status == 201


def test_is_for_money_that_is_held(aws: Platform, escrow: Escrow) -> None:
    for status in sorted(set(EscrowStatus) - {"FUNDS_HELD", "DELIVERED", "DISPUTED"}):
        changed(escrow, status=status)
        problem = refused(
            aws, 409, "INVALID_STATE", "propose_settlement", escrow.buyer_id, parts(escrow, 1), escrow_id=escrow.id
        ).body
        assert problem["currentStatus"] == status
        assert "propose_settlement" not in seen(aws, escrow, escrow.buyer_id)["allowedActions"]
    for status in ("FUNDS_HELD", "DELIVERED", "DISPUTED"):
        changed(escrow, status=EscrowStatus(status), inspect_by=escrow.deliver_by)
        one = proposed(aws, escrow, 1)
        assert settlements.answer(aws, "withdraw", escrow, one, escrow.buyer_id, status).status == 200


def test_talking_is_free_while_the_escrow_is_on_hold(aws: Platform, escrow: Escrow) -> None:
    changed(escrow, holds=frozenset({Hold.COMPLIANCE}))
    assert propose(aws, escrow, 1).status == 201


def test_takes_whole_cents_and_a_reason_of_a_party(aws: Platform, escrow: Escrow) -> None:
    good = parts(escrow, 1)
    bad = [good | {"sellerAmount": wrong} for wrong in (-1, 1.5, "1", None, True, 10**12)]
    bad += [good | {"buyerAmount": -1}, good | {"reason": ""}, good | {"more": 1}]
    bad += [{key: value for key, value in good.items() if key != name} for name in good]
    turned_away(aws, "propose_settlement", escrow.buyer_id, bad, escrow_id=escrow.id)
    hidden(aws, "propose_settlement", escrow, escrow.buyer_id, good)
    refused(
        aws, 412, "VERSION_MISMATCH", "propose_settlement", escrow.buyer_id, good, escrow_id=escrow.id,
        headers={"If-Match": '"1"'},
    )  # fmt: skip


def test_of_two_at_once_one_stands(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    answers = together(lambda: propose(aws, escrow, 1), lambda: propose(aws, escrow, 2, escrow.seller_id))
    assert sorted(one.status for one in answers) == [201, 409]
    (lost,) = [one for one in answers if one.status == 409]
    assert lost.code == "PROPOSAL_OPEN"
    assert len(escrows.file(escrow).proposals) == 1
