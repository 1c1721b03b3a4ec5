"""What waits for an arbiter, the oldest first, by an index (M63)."""

import pytest

from bloxtr8.entities import PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions.disputes import TEXT, arbiter, assigned, newest, opened, withdraw
from tests.functions.escrows import staff, text
from tests.wire import Wire


def test_the_oldest_first_by_status_page_by_page(aws: Platform, stripe: StripeDouble, wire: Wire) -> None:
    buyer = factories.user()
    escrows = []
    for _ in range(4):
        escrows.append(factories.funded(stripe, buyer=buyer, amount=1_000))
        opened(aws, escrows[-1])
        aws.clock.advance(minutes=1)
    assigned(aws, escrows[0])
    withdraw(aws, escrows[1])
    judge = arbiter()
    wire.calls.clear()

    first = aws.call("list_disputes", judge, query={"limit": "1"})

    assert (first.status, wire.round_trips()) == (200, 2)
    assert [one["id"] for one in first.body["items"]] == [newest(escrows[2]).id]
    then = aws.call("list_disputes", judge, query={"limit": "1", "cursor": first.body["nextCursor"]})
    assert [one["escrowId"] for one in then.body["items"]] == [escrows[3].id]
    for status, escrow in (("IN_REVIEW", escrows[0]), ("CLOSED", escrows[1])):
        listed = aws.call("list_disputes", staff(PlatformRole.SUPPORT), query={"status": status}).body["items"]
        assert [(one["id"], one["status"]) for one in listed] == [(newest(escrow).id, status)]
    assert aws.call("list_disputes", judge, query={"status": "RESOLVED"}).body["items"] == []
    assert TEXT not in text(first, then)


@pytest.mark.parametrize("role", [PlatformRole.COMPLIANCE, PlatformRole.PADMIN])
def test_is_for_arbiters_and_support(aws: Platform, role: PlatformRole) -> None:
    refused(aws, 403, "FORBIDDEN", "list_disputes", staff(role))
    refused(aws, 403, "FORBIDDEN", "list_disputes", factories.user())


def test_refuses_other_queries(aws: Platform) -> None:
    judge = arbiter()
    for query in ({"status": "open"}, {"status": ""}, {"limit": "51"}, {"cursor": "x"}):
        assert aws.call("list_disputes", judge, query=query).status == 400
