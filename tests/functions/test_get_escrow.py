"""The parties and the staff who decide see an escrow; nobody sees what is the other side's alone."""

from collections.abc import Callable

import pytest

from bloxtr8.entities import Escrow, PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions.disputes import opened
from tests.functions.escrows import TOKEN, confirm, delivery, hidden, paid_out, seen, staff, text
from tests.functions.settlements import proposed
from tests.wire import Wire


def _started(aws: Platform, stripe: StripeDouble) -> Escrow:
    escrow = factories.funded(stripe)
    assert aws.call("start_delivery", escrow.seller_id, {}, escrow_id=escrow.id).status == 200
    return escrow


def _proposed(aws: Platform, stripe: StripeDouble) -> Escrow:
    escrow = factories.delivered(stripe)
    proposed(aws, escrow, 1)
    return escrow


def _disputed(aws: Platform, stripe: StripeDouble) -> Escrow:
    escrow = factories.delivered(stripe)
    assert opened(aws, escrow).status == 201
    return escrow


def _settling(aws: Platform, stripe: StripeDouble) -> Escrow:
    escrow = factories.delivered(stripe)
    assert confirm(aws, escrow).status == 202
    return escrow


STAGES: dict[str, Callable[[Platform, StripeDouble], Escrow]] = {
    "payable": lambda _, stripe: factories.payable(stripe),
    "funded": lambda _, stripe: factories.funded(stripe),
    "started": _started,
    "delivered": lambda _, stripe: factories.delivered(stripe),
    "proposed": _proposed,
    "disputed": _disputed,
    "settling": _settling,
    "released": lambda aws, stripe: paid_out(stripe, _settling(aws, stripe)),
}


def test_shows_money_deadlines_delivery_and_what_the_reader_may_do(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUYER_FEE_BPS", "100")
    escrow = factories.funded(stripe)
    place = delivery(escrow)

    view = seen(aws, escrow, escrow.buyer_id)

    assert view["money"] == {
        "amount": 100_000, "buyerFee": 1_000, "sellerFee": 2_900, "deposited": 101_000, "held": 101_000,
        "released": 0, "refunded": 0,
    }  # fmt: skip
    assert (view["status"], view["version"], view["holds"], view["dispute"]) == ("FUNDS_HELD", escrow.version, [], None)
    assert (view["buyerId"], view["sellerId"], view["listingId"], view["contractId"]) == (
        escrow.buyer_id, escrow.seller_id, escrow.listing_id, escrow.contract_id,
    )  # fmt: skip
    assert view["deliverBy"].startswith("2026-11-30T12:00")
    assert view["deliverBy"].endswith("Z")
    assert (view["inspectBy"], view["endedAt"], view["settlementId"], view["clocksFrozen"]) == (None, None, None, False)
    assert [(shown["id"], shown["status"]) for shown in view["deliveries"]] == [(place.id, "PENDING")]
    assert set(view["allowedActions"]) == {
        "extend_deadline", "verify_delivery", "add_evidence", "propose_settlement", "open_dispute",
    }  # fmt: skip
    assert set(seen(aws, escrow, escrow.seller_id)["allowedActions"]) == {
        "start_delivery", "verify_delivery", "add_evidence", "refund_escrow", "propose_settlement", "open_dispute",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("roles", "actions"),
    [
        ([PlatformRole.ARBITER], ["add_evidence"]),
        ([PlatformRole.COMPLIANCE], ["decide_hold"]),
        ([PlatformRole.PADMIN], []),
        ([PlatformRole.SUPPORT, PlatformRole.ARBITER, PlatformRole.COMPLIANCE], ["add_evidence", "decide_hold"]),
    ],
)
def test_staff_who_decide_may_read_it(aws: Platform, roles: list[PlatformRole], actions: list[str]) -> None:
    escrow = factories.executed()

    view = seen(aws, escrow, staff(*roles))

    assert (view["status"], view["allowedActions"], view["railData"]["paymentId"]) == ("AWAIT_FUNDS", actions, None)


def test_nobody_else_learns_that_it_exists(aws: Platform) -> None:
    escrow = factories.executed()

    hidden(
        aws, "get_escrow", escrow, escrow.buyer_id, strangers=[factories.user(), staff(PlatformRole.SUPPORT), "usr_x"]
    )


def test_what_is_one_sides_alone_is_nowhere_for_the_other(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    aws.invoke("await_funding", {"escrowId": escrow.id, "token": TOKEN})
    with pytest.raises(Exception, match="declined"):
        factories.pay(escrow, "pm_card_chargeDeclinedLostCard")
    aws.invoke("screen_deposit", {"escrowId": escrow.id})
    assert seen(aws, escrow, escrow.buyer_id)["railData"]["declineCode"] == "lost_card"
    assert seen(aws, escrow, escrow.seller_id)["railData"] == {"name": "STRIPE", "paymentId": None, "declineCode": None}

    reads = ("get_escrow", "get_timeline", "get_ledger")
    sellers = text(*(aws.call(action, escrow.seller_id, escrow_id=escrow.id) for action in reads))
    buyers = text(*(aws.call(action, escrow.buyer_id, escrow_id=escrow.id) for action in reads))

    assert "lost_card" not in sellers
    for secret in (TOKEN, "_secret_", str(escrow.payout_account_id)):
        assert secret not in sellers + buyers


def test_is_one_query_for_a_party(aws: Platform, wire: Wire) -> None:
    escrow = factories.executed()
    reader = staff(PlatformRole.ARBITER)
    for user, trips in ((escrow.seller_id, 1), (escrow.buyer_id, 2), (reader, 2)):  # whether the buyer may pay yet
        wire.calls.clear()
        seen(aws, escrow, user)
        assert wire.round_trips() == trips
