"""How the buyer pays: everything is looked at again, nothing is written, and the secret is kept nowhere."""

from typing import Any

import pytest

from bloxtr8 import table
from bloxtr8.entities import Escrow, Tier, User
from bloxtr8.rails import stripe_client
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import everything_logged, refused
from tests.doubles import Roblox
from tests.emulator import Answer, Clock, Platform
from tests.functions.escrows import file, hidden, seen, settings, text
from tests.functions.listings import user_changed
from tests.wire import Wire


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.payable(stripe)


def ask(aws: Platform, escrow: Escrow, **options: Any) -> Answer:
    return aws.call("start_payment", escrow.buyer_id, escrow_id=escrow.id, **options)


def turned_down(aws: Platform, escrow: Escrow, status: int, code: str) -> Any:
    return refused(aws, status, code, "start_payment", escrow.buyer_id, escrow_id=escrow.id).body


def test_tells_the_same_each_time_and_writes_nothing(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    before = aws.rows()
    wire.calls.clear()

    answer = ask(aws, escrow, headers={"Idempotency-Key": "k"})

    assert (answer.status, wire.round_trips()) == (200, 2)
    intent = file(escrow).rail.external_id
    assert {name: value for name, value in answer.body.items() if name != "clientSecret"} == {
        "rail": "STRIPE", "paymentIntentId": intent, "amount": 100_000, "currency": "USD",
    }  # fmt: skip
    assert answer.body["clientSecret"].startswith(f"{intent}_secret_")
    again = ask(aws, escrow, headers={"Idempotency-Key": "k"})
    assert (again.body, "Idempotency-Replayed" in again.headers) == (answer.body, False)
    assert aws.rows() == before


def test_the_secret_is_in_no_row_no_log_and_no_view(aws: Platform, escrow: Escrow) -> None:
    with everything_logged() as lines:
        secret = ask(aws, escrow).body["clientSecret"]
        reads = [
            aws.call(action, user, escrow_id=escrow.id)
            for action in ("get_escrow", "get_timeline", "get_ledger")
            for user in (escrow.buyer_id, escrow.seller_id)
        ]

    assert secret not in text(*reads) + text(aws.rows()) + str(lines)


def test_asks_to_come_back_while_the_rail_opens(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.executed(seller=factories.payee(stripe))
    before, calls = aws.rows(), len(stripe.requests)

    answer = ask(aws, escrow)

    assert (answer.status, answer.body, answer.headers["Retry-After"]) == (202, {"status": "RAIL_OPENING"}, "2")
    assert (aws.rows(), len(stripe.requests)) == (before, calls)
    aws.invoke("open_funding", {"escrowId": escrow.id})
    assert ask(aws, escrow).status == 200


def test_is_the_buyers_alone(aws: Platform, escrow: Escrow) -> None:
    refused(aws, 403, "FORBIDDEN", "start_payment", escrow.seller_id, escrow_id=escrow.id)
    hidden(aws, "start_payment", escrow, escrow.buyer_id)


def test_a_ban_stops_paying_and_the_sellers_does_not(aws: Platform, escrow: Escrow, clock: Clock) -> None:
    buyer, seller = (table.get(User, id=user_id) for user_id in (escrow.buyer_id, escrow.seller_id))
    user_changed(seller, banned=True)
    assert ask(aws, escrow).status == 200
    user_changed(buyer, banned=True)
    turned_down(aws, escrow, 403, "BANNED")
    assert "start_payment" not in seen(aws, escrow, escrow.buyer_id)["allowedActions"]
    user_changed(buyer, banned_until=clock.moment)
    assert "start_payment" in seen(aws, escrow, escrow.buyer_id)["allowedActions"]
    assert ask(aws, escrow).status == 200


def test_the_limits_of_both_are_looked_at_again(aws: Platform, escrow: Escrow, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(monkeypatch, t1_rolling_cents=100_000, t1_deal_cents=100_000)
    assert ask(aws, escrow).status == 200  # the deal itself stands in the volume already
    for limit in ("t1_deal_cents", "t1_rolling_cents"):
        settings(monkeypatch, **{limit: 99_999})
        assert turned_down(aws, escrow, 403, "KYC_LIMIT")["userId"] == escrow.buyer_id
        settings(monkeypatch, **{limit: 100_000})
    user_changed(table.get(User, id=escrow.seller_id), tier=Tier.TIER_0)
    assert turned_down(aws, escrow, 403, "KYC_LIMIT")["userId"] == escrow.seller_id


def test_nobody_pays_for_what_the_seller_no_longer_owns(aws: Platform, roblox: Roblox, escrow: Escrow) -> None:
    for group, owner in (({"owner": "999"}, "999"), ({"owner": None}, None), ({"owner": escrow.buyer_roblox_id}, ...)):
        roblox.set_group(escrow.asset_id, **group)
        seen_owner = escrow.buyer_roblox_id if owner is ... else owner
        assert turned_down(aws, escrow, 422, "ASSET_NOT_OWNED")["observedOwner"] == seen_owner
    roblox.set_group(escrow.asset_id, owner=escrow.seller_roblox_id, locked=True)
    turned_down(aws, escrow, 422, "ASSET_NOT_OWNED")
    roblox.set_group(escrow.asset_id, locked=False)
    assert ask(aws, escrow).status == 200
    roblox.forget_group(escrow.asset_id)
    assert turned_down(aws, escrow, 422, "ASSET_NOT_OWNED")["observedOwner"] is None


def test_an_outage_is_an_outage(aws: Platform, roblox: Roblox, stripe: StripeDouble, escrow: Escrow) -> None:
    roblox.down()
    turned_down(aws, escrow, 502, "UPSTREAM_FAILED")
    roblox.up()
    for path in ("/v1/accounts/", "/v1/payment_intents/"):
        for kind in ("drop_before", "503"):
            stripe.fault(kind, "get", path, times=None)
            problem = turned_down(aws, escrow, 502, "UPSTREAM_FAILED")
            assert "stripe" not in str(problem).lower()
            stripe.clear_faults()
    assert ask(aws, escrow).status == 200


def test_nobody_pays_a_seller_who_can_not_be_paid(aws: Platform, stripe: StripeDouble, escrow: Escrow) -> None:
    stripe.onboard(str(escrow.payout_account_id), succeeds=False)
    turned_down(aws, escrow, 422, "PAYOUT_NOT_READY")
    stripe.onboard(str(escrow.payout_account_id))
    assert ask(aws, escrow).status == 200


def test_the_time_to_pay_passes_and_what_can_not_be_paid_counts_as_passed(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, clock: Clock
) -> None:
    clock.moment = escrow.fund_by
    assert turned_down(aws, escrow, 410, "FUNDING_EXPIRED")["status"] == 410
    assert "start_payment" not in seen(aws, escrow, escrow.buyer_id)["allowedActions"]
    other = factories.payable(stripe)
    stripe_client.client().v1.payment_intents.cancel(str(file(other).rail.external_id))
    turned_down(aws, other, 410, "FUNDING_EXPIRED")


def test_only_what_waits_for_money_is_paid(aws: Platform, stripe: StripeDouble, escrow: Escrow) -> None:
    cancelled = aws.call("cancel_escrow", escrow.buyer_id, {"reason": "No."}, escrow_id=escrow.id)
    assert cancelled.status == 200
    assert turned_down(aws, escrow, 409, "INVALID_STATE")["currentStatus"] == "CANCELLED"
    held = factories.funded(stripe)
    assert turned_down(aws, held, 409, "INVALID_STATE")["currentStatus"] == "FUNDS_HELD"
