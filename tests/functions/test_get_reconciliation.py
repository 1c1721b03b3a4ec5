"""A day's reconciliation is COMPLIANCE's to read."""

import pytest

from bloxtr8.entities import PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions import escrows


@pytest.fixture
def day(aws: Platform, stripe: StripeDouble) -> str:
    """A day on which one escrow's books are wrong."""
    escrow = factories.funded(stripe)
    escrows.changed(escrow, held=escrow.gross - 5)
    aws.invoke("reconcile_money")
    aws.clock.advance(minutes=10)
    aws.invoke("reconcile_money")
    return aws.clock.now().date().isoformat()


def test_shows_what_differed(aws: Platform, stripe: StripeDouble, day: str) -> None:
    reader = escrows.staff(PlatformRole.COMPLIANCE)

    answer = aws.call("get_reconciliation", reader, date=day)

    assert answer.status == 200
    (difference,) = answer.body["differences"]
    assert set(difference) == {"code", "escrowId", "booked", "found"}
    assert (difference["code"], difference["found"] - difference["booked"]) == ("LEDGER_UNBALANCED", 5)
    (rail,) = answer.body["rails"]
    assert (rail["rail"], rail["escrows"], rail["surplus"]) == ("STRIPE", 1, 0)
    assert answer.body["date"] == day
    assert answer.body["finishedAt"] > answer.body["startedAt"]
    assert answer.body["stripeBalance"] == sum(stripe.balance().values())


def test_is_for_compliance_alone(aws: Platform, day: str) -> None:
    others = [role for role in PlatformRole if role is not PlatformRole.COMPLIANCE]
    for reader in (factories.user(), escrows.staff(*others)):
        refused(aws, 403, "FORBIDDEN", "get_reconciliation", reader, date=day)


@pytest.mark.parametrize("date", ["2001-01-01", "yesterday", "2026-13-01", "2026-11-29\n"])
def test_a_day_that_was_none_has_nothing(aws: Platform, date: str) -> None:
    refused(aws, 404, "NOT_FOUND", "get_reconciliation", escrows.staff(PlatformRole.COMPLIANCE), date=date)
