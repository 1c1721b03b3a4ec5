"""send_reminders: a day before a deadline, once for each, as a fact that others can hear of; never of what is over."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from bloxtr8 import clock, reminding
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions import disputes, escrows, money, settlements
from tests.functions.webhooks import alarms
from tests.wire import Wire

HOUR = dt.timedelta(hours=1)


def remind(aws: Platform, **later: float) -> None:
    """The rule fires, after this time."""
    aws.clock.advance(**later)
    aws.invoke("send_reminders")


def reminded(aws: Platform, root_id: str) -> list[tuple[str, dict[str, Any]]]:
    """The reminders in a root's audit path, with what they say."""
    return [(one.action, one.details) for one in aws.audit(root_id) if one.action.startswith("remind_")]


def awaited(stripe: StripeDouble) -> tuple[str, str, dt.datetime]:
    escrow = factories.executed()
    return escrow.id, "remind_payment", escrow.fund_by


def held(stripe: StripeDouble) -> tuple[str, str, dt.datetime]:
    escrow = factories.funded(stripe)
    assert escrow.deliver_by is not None
    return escrow.id, "remind_delivery", escrow.deliver_by


def printed(stripe: StripeDouble) -> tuple[str, str, dt.datetime]:
    contract = factories.contract()
    return contract.id, "remind_signature", contract.sign_by


def offered(stripe: StripeDouble) -> tuple[str, str, dt.datetime]:
    offer = factories.offer(factories.listing(factories.user()), factories.user())
    return offer.root_id, "remind_offer", offer.expires_at


@pytest.mark.parametrize("waits", [awaited, held, printed, offered])
def test_a_day_before_each_deadline_once(
    aws: Platform, stripe: StripeDouble, waits: Callable[[StripeDouble], tuple[str, str, dt.datetime]]
) -> None:
    root, action, deadline = waits(stripe)
    aws.clock.moment = deadline - 25 * HOUR
    remind(aws)
    assert reminded(aws, root) == []
    remind(aws, hours=1)
    said = deadline.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert reminded(aws, root) == [(action, {"deadline": said})]
    entry = aws.audit(root)[-1]
    assert (entry.actor, entry.role) == ("send_reminders", "SYSTEM")
    for _ in range(3):
        remind(aws, hours=6)
    assert len(reminded(aws, root)) == 1
    aws.clock.moment = deadline
    remind(aws)
    assert len(reminded(aws, root)) == 1


def test_a_deadline_that_was_moved_is_another(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    assert escrow.deliver_by is not None
    remind(aws, days=6, hours=1)
    later = escrow.deliver_by + dt.timedelta(days=3)
    body = {"deadline": "deliverBy", "until": clock.iso(later)}
    assert aws.call("extend_deadline", escrow.buyer_id, body, escrow_id=escrow.id).status == 200
    remind(aws, hours=1)
    assert len(reminded(aws, escrow.id)) == 1
    aws.clock.moment = later - HOUR
    remind(aws)
    assert [details["deadline"][:10] for _, details in reminded(aws, escrow.id)] == [
        escrow.deliver_by.strftime("%Y-%m-%d"),
        later.strftime("%Y-%m-%d"),
    ]


def test_nobody_is_reminded_while_the_clock_stands_or_of_what_is_done(aws: Platform, stripe: StripeDouble) -> None:
    frozen, cancelled, paid = factories.funded(stripe), factories.executed(), factories.executed()
    assert frozen.deliver_by is not None
    escrows.changed(frozen, frozen_causes=frozenset({"COMPLIANCE"}), next_look=frozen.deliver_by)
    aws.call("cancel_escrow", cancelled.buyer_id, {"reason": "No"}, escrow_id=cancelled.id)
    escrows.changed(paid, deposited=paid.gross)
    for _ in range(8):
        remind(aws, hours=23)
    assert [reminded(aws, escrow.id) for escrow in (frozen, cancelled, paid)] == [[], [], []]


def test_nobody_is_reminded_of_an_offer_that_died_with_its_listing_or_lives_for_a_day(aws: Platform) -> None:
    seller = factories.user()
    listing = factories.listing(seller)
    dead = factories.offer(listing, factories.user())
    assert aws.call("cancel_listing", seller, listing_id=listing.id).status < 300
    soon = (aws.clock.moment + dt.timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    short = factories.offer(factories.listing(seller), factories.user(), expires_at=soon)
    remind(aws, hours=1)
    aws.clock.moment = dead.expires_at - HOUR
    remind(aws)
    assert [reminded(aws, offer.root_id) for offer in (dead, short)] == [[], []]


def test_the_end_of_an_inspection_is_warned_of_by_its_own_look_alone(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    aws.clock.advance(days=6)
    aws.invoke("enforce_escrow_deadlines")
    remind(aws)
    assert reminded(aws, escrow.id) == []
    assert money.actions(aws, escrow).count("warn_inspection") == 1


def test_the_other_party_is_reminded_of_a_proposal_once(aws: Platform, stripe: StripeDouble) -> None:
    first, second, answered, over = (factories.funded(stripe) for _ in range(4))
    proposals = {
        row.id: settlements.proposed(aws, row, 50_000, user)
        for row, user in (
            (first, first.buyer_id), (second, second.seller_id), (answered, answered.buyer_id), (over, over.buyer_id),
        )
    }  # fmt: skip
    settlements.answer(aws, "reject", answered, proposals[answered.id], answered.seller_id)
    assert escrows.refund(aws, over).status == 202
    for row in (first, second, answered):
        changed = {"next_look": None, "deliver_by": row.deliver_by + 60 * 24 * HOUR}
        escrows.changed(row, **changed)
    deadline = escrows.file(first).proposals[0].expires_at

    for hours in (25, 23, 12, 1, 0, -1):
        aws.clock.moment = deadline - hours * HOUR
        remind(aws)
        assert len(reminded(aws, first.id)) == (hours < 24)

    for row, party in ((first, "SELLER"), (second, "BUYER")):
        until = clock.iso(escrows.file(row).proposals[0].expires_at)
        about = {"proposalId": proposals[row.id], "parties": [party], "deadline": until}
        assert reminded(aws, row.id) == [("remind_proposal", about)]
    assert [reminded(aws, row.id) for row in (answered, over)] == [[], []]


def test_who_has_to_respond_to_a_dispute_is_reminded_once(aws: Platform, stripe: StripeDouble) -> None:
    silent, answered, own_word, taken_back = (factories.funded(stripe) for _ in range(4))
    for row in (silent, answered, own_word, taken_back):
        disputes.opened(aws, row)
    disputes.say(aws, answered, answered.seller_id)
    disputes.say(aws, own_word, own_word.buyer_id)
    assert disputes.withdraw(aws, taken_back).status == 200
    deadline = disputes.live(silent).respond_by

    for hours in (25, 23, 12, -1):
        aws.clock.moment = deadline - hours * HOUR
        remind(aws)

    for row in (silent, own_word):
        dispute = disputes.live(row)
        about = {"disputeId": dispute.id, "parties": ["SELLER"], "deadline": clock.iso(dispute.respond_by)}
        assert reminded(aws, row.id) == [("remind_response", about)]
    assert [reminded(aws, row.id) for row in (answered, taken_back)] == [[], []]


def test_a_dispute_of_the_system_waits_for_either(aws: Platform, stripe: StripeDouble) -> None:
    row = factories.delivered(stripe)
    disputes.opened(aws, row)
    of_system = disputes.live(row)
    of_system.opener_id, of_system.opened_by = "system", "SYSTEM"
    aws.overwrite(of_system.place())
    aws.clock.moment = of_system.respond_by - HOUR
    remind(aws)
    ((_, details),) = reminded(aws, row.id)
    assert details["parties"] == ["BUYER", "SELLER"]


def test_two_runs_at_once_remind_once(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    aws.clock.advance(days=6, hours=1)
    together(partial(remind, aws), partial(remind, aws))
    assert len(reminded(aws, escrow.id)) == 1


def test_what_is_not_due_costs_no_read(aws: Platform, stripe: StripeDouble, wire: Wire) -> None:
    escrow = factories.funded(stripe)
    wire.calls.clear()
    remind(aws)
    assert wire.calls == ["GetItem", "Query"] * 5
    wire.calls.clear()
    remind(aws, days=6, hours=1)
    assert wire.calls == ["GetItem", "Query", "GetItem", "TransactWriteItems", *["GetItem", "Query"] * 4]
    assert len(reminded(aws, escrow.id)) == 1


def test_what_waits_for_something_else_keeps_nobody_behind_it_from_being_reminded(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminding, "PAGES", 1)
    monkeypatch.setattr(reminding, "ROWS", 1)
    answered, silent = (factories.funded(stripe) for _ in range(2))
    for row in (answered, silent):
        disputes.opened(aws, row)
        aws.clock.advance(minutes=1)
    disputes.say(aws, answered, answered.seller_id)
    aws.clock.moment = disputes.live(silent).respond_by - 23 * HOUR
    paid, held = (factories.funded(stripe) for _ in range(2))
    escrows.changed(paid, next_look=aws.clock.moment)
    escrows.changed(held, deliver_by=aws.clock.moment + 12 * HOUR, next_look=aws.clock.moment + 12 * HOUR)

    for _ in range(2):
        remind(aws)

    reminders = [[action for action, _ in reminded(aws, row.id)] for row in (answered, paid, silent, held)]
    assert reminders == [[], [], ["remind_response"], ["remind_delivery"]]


def test_one_bad_row_does_not_stop_the_others(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = factories.listing(factories.user())
    bad, good = (factories.offer(listing, factories.user()) for _ in range(2))
    row = factories.offer_row(bad.id).place()
    aws.erase(row)
    row.listing_id = "lst_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"
    aws.overwrite(row.place())
    told = alarms(monkeypatch)
    aws.clock.moment = good.expires_at - HOUR
    remind(aws)
    assert len(reminded(aws, good.root_id)) == 1
    assert [message for message, _ in told] == ["a row could not be processed"]
