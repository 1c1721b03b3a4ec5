"""open_funding: the place where the buyer pays is made once, whatever is lost on the way."""

import pytest

from bloxtr8 import table
from bloxtr8.entities import Lookup, User
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import RailBug, RailOutcomeUnknown, RailThrottled
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows, money

OPENS = r"^/v1/payment_intents$"


def opened(stripe: StripeDouble) -> list[str]:
    """The PaymentIntents there are."""
    return [one.id for one in stripe_client.client().v1.payment_intents.list({"limit": 100}).data]


def test_the_payment_intent_and_its_look_up_are_stored(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.executed()
    assert aws.invoke("open_funding", {"escrowId": escrow.id}) == {"open": True}
    file = escrows.file(escrow)
    assert [file.rail.external_id] == opened(stripe)
    assert table.get(Lookup, index="PI", value=file.rail.external_id).target == escrow.id
    assert table.get(User, id=escrow.buyer_id).customer_id == file.rail.customer_id is not None
    assert [row.name for row in file.operations] == ["open"]
    assert money.actions(aws, escrow) == ["open_funding"]


def test_a_repeat_opens_nothing_more(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    asked = len(stripe.requests)
    assert money.nothing_happens(aws, "open_funding", {"escrowId": escrow.id}) == {"open": True}
    assert len(stripe.requests) == asked


def test_a_buyer_is_one_customer(aws: Platform, stripe: StripeDouble) -> None:
    buyer = factories.user()
    first, second = factories.payable(stripe, buyer=buyer), factories.payable(stripe, buyer=buyer)
    assert escrows.file(first).rail.customer_id == escrows.file(second).rail.customer_id
    assert len(opened(stripe)) == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("drop_before", RailOutcomeUnknown),
        ("drop_after", RailOutcomeUnknown),
        ("500_after", RailOutcomeUnknown),
        ("503", RailOutcomeUnknown),
        ("409", RailThrottled),
        ("429", RailThrottled),
    ],
)
def test_an_answer_that_got_lost_is_found_again(
    aws: Platform, stripe: StripeDouble, fault: str, error: type[Exception]
) -> None:
    escrow = factories.executed()
    stripe.fault(fault, "any", "payment_intents", times=None)
    with pytest.raises(error):
        aws.invoke("open_funding", {"escrowId": escrow.id})
    file = escrows.file(escrow)
    assert file.rail.external_id is None
    assert [row.name for row in file.operations] == ["open"]  # the intent was stored before the call
    stripe.clear_faults()
    aws.invoke("open_funding", {"escrowId": escrow.id})
    assert opened(stripe) == [escrows.file(escrow).rail.external_id]


def test_killed_before_its_commit_it_finds_its_own_payment_intent(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = factories.executed()
    with monkeypatch.context() as patch:
        patch.setattr(table, "commit", lambda *_, **__: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            aws.invoke("open_funding", {"escrowId": escrow.id})
    aws.invoke("open_funding", {"escrowId": escrow.id})
    assert opened(stripe) == [escrows.file(escrow).rail.external_id]


def test_an_amount_no_card_can_pay_is_a_fault_of_ours(aws: Platform, stripe: StripeDouble) -> None:
    escrow = escrows.changed(factories.executed(), gross=49)
    with pytest.raises(RailBug):
        aws.invoke("open_funding", {"escrowId": escrow.id})
    assert opened(stripe) == []


def test_nothing_is_opened_for_a_cancelled_escrow(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.executed()
    aws.call("cancel_escrow", escrow.buyer_id, {"reason": "No"}, escrow_id=escrow.id)
    assert money.nothing_happens(aws, "open_funding", {"escrowId": escrow.id}) == {"open": False}
    assert opened(stripe) == []


def test_nothing_is_opened_after_the_deadline(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.executed()
    aws.clock.advance(hours=72)
    assert money.nothing_happens(aws, "open_funding", {"escrowId": escrow.id}) == {"open": True}
    assert opened(stripe) == []
