"""A dispute of 30 days alarms people, once, and decides nothing (M66)."""

import pytest

from bloxtr8 import disputing
from bloxtr8.entities import Escrow
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions.disputes import assigned, frozen, live, newest, opened, seen, withdraw
from tests.functions.webhooks import alarms


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    found = factories.funded(stripe)
    opened(aws, found)
    return found


@pytest.mark.parametrize("taken", [False, True])
def test_alarms_once_after_thirty_days(
    aws: Platform, escrow: Escrow, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    if taken:
        assigned(aws, escrow)
    told = alarms(monkeypatch)
    aws.clock.advance(days=29, hours=23)
    aws.invoke("escalate_disputes")
    assert (told, live(escrow).escalated_at) == ([], None)
    aws.clock.advance(hours=1)

    for _ in range(3):
        aws.invoke("escalate_disputes")
        aws.clock.advance(hours=1)

    dispute = live(escrow)
    assert told == [("a dispute is over its time", {"escrowId": escrow.id, "disputeId": dispute.id})]
    assert (dispute.escalated_at is not None, str(dispute.status)) == (True, "IN_REVIEW" if taken else "OPEN")
    assert frozen(escrow) == ("DISPUTED", {"DISPUTE"}, "FUNDS_HELD")
    assert [entry.action for entry in aws.audit(escrow.id)].count("escalate_dispute") == 1
    assert seen(aws, escrow, escrow.buyer_id)["dispute"]["escalatedAt"] is not None


def test_those_that_were_told_of_keep_none_behind_them_from_their_turn(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disputing, "PAGES", 1)
    monkeypatch.setattr(disputing, "ROWS", 1)
    made = [factories.funded(stripe) for _ in range(3)]
    for escrow in made:
        opened(aws, escrow)
        aws.clock.advance(hours=1)
    aws.clock.advance(days=30)

    for _ in made:
        aws.invoke("escalate_disputes")

    assert all(live(escrow).escalated_at for escrow in made)


def test_what_has_ended_is_left_alone(aws: Platform, escrow: Escrow, monkeypatch: pytest.MonkeyPatch) -> None:
    withdraw(aws, escrow)
    told = alarms(monkeypatch)
    aws.clock.advance(days=60)
    before = aws.rows()
    aws.invoke("escalate_disputes")
    assert (told, aws.rows()) == ([], before)
    assert newest(escrow).escalated_at is None
