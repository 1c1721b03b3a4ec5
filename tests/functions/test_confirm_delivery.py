"""The buyer says that he has it, and the seller is paid: once, and by nobody else's word (M44, M56)."""

from typing import Any

import pytest

from bloxtr8.entities import Escrow, EscrowStatus, Hold
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions.escrows import (
    around,
    changed,
    confirm,
    delivery,
    file,
    hidden,
    paid_out,
    path,
    row,
    seen,
    sound,
    turned_away,
)
from tests.functions.offers import same_but
from tests.wire import Wire

BODY, KEY = {"acknowledge": True}, {"Idempotency-Key": "k"}
ROUNDS = 2  # fifty: tests/races


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.delivered(stripe)


def turned_down(aws: Platform, escrow: Escrow, status: int, code: str, user: Any = None, **headers: str) -> Any:
    options = {"headers": KEY | headers, **path(escrow)}
    return refused(aws, status, code, "confirm_delivery", user or escrow.buyer_id, BODY, **options).body


def test_pays_the_seller_and_sells_the_listing(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, wire: Wire
) -> None:
    monkeypatch.setenv("BUYER_FEE_BPS", "100")
    escrow = factories.delivered(stripe)
    place = path(escrow)
    before = aws.rows()
    wire.calls.clear()

    answer = aws.call("confirm_delivery", escrow.buyer_id, BODY, headers=KEY, **place)

    assert (answer.status, wire.round_trips()) == (202, 2)
    kept = file(escrow)
    assert answer.body == {"status": "SETTLING", "settlementId": kept.escrow.settlement_id}
    assert same_but(before, aws.rows()) == {"Escrow", "Delivery", "Settlement", "Leg", "AuditEntry", "Idempotency"}
    (plan,), (leg,) = kept.settlements, kept.legs
    assert (plan.kind, plan.to_seller, plan.to_platform, plan.to_buyer) == ("RELEASE", 97_100, 3_900, 0)
    assert (leg.pays, leg.amount, leg.fee, leg.destination) == ("SELLER", 97_100, 3_900, escrow.payout_account_id)
    done = kept.delivery
    assert (done.status, done.confirmed_by, done.confirmed_at is not None) == ("CONFIRMED", "BUYER", True)
    assert kept.escrow.held == 101_000
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("confirm_delivery", escrow.buyer_id, "BUYER")
    assert seen(aws, escrow, escrow.seller_id)["allowedActions"] == ["add_evidence"]

    end = paid_out(stripe, escrow)

    assert (end.status, end.released, end.fees, end.held) == (EscrowStatus.RELEASED, 97_100, 3_900, 0)
    assert stripe.balance(str(escrow.payout_account_id)) != {"available": 0, "pending": 0}
    assert (around(escrow)["listing"], around(escrow)["open"]) == ("SOLD", [0, 0])
    assert sound(aws, escrow) == {"BUYER": -101_000, "SELLER": 97_100, "FEES": 3_900}
    assert seen(aws, escrow, escrow.seller_id)["allowedActions"] == []


def test_is_the_buyers_alone_and_means_it(aws: Platform, escrow: Escrow) -> None:
    turned_down(aws, escrow, 403, "FORBIDDEN", escrow.seller_id)
    turned_down(aws, escrow, 412, "VERSION_MISMATCH", **{"If-Match": '"1"'})
    refused(aws, 400, "IDEMPOTENCY_KEY_REQUIRED", "confirm_delivery", escrow.buyer_id, BODY, **path(escrow))
    wrong: list[Any] = [{}, None, [], {"acknowledge": True, "amount": 1}]
    wrong += [{"acknowledge": value} for value in (False, None, 1, 1.0, "true", "yes", [True])]
    turned_away(aws, "confirm_delivery", escrow.buyer_id, wrong, headers=KEY, **path(escrow))
    hidden(aws, "confirm_delivery", escrow, escrow.buyer_id, BODY, headers=KEY, deliveries=True)


def test_refuses_wherever_it_is_not_delivered(aws: Platform, escrow: Escrow) -> None:
    for status in sorted(set(EscrowStatus) - {"DELIVERED"}):
        version = changed(escrow, status=status).version
        answer = confirm(aws, escrow)
        assert (answer.status, answer.code, answer.body["currentStatus"]) == (409, "INVALID_STATE", status)
        assert row(escrow).version == version


def test_waits_for_holds_and_for_a_settlement_under_way(aws: Platform, escrow: Escrow) -> None:
    changed(escrow, holds=frozenset({Hold.CHARGEBACK, Hold.RISK_REVIEW}))
    assert turned_down(aws, escrow, 409, "ESCROW_ON_HOLD")["holds"] == ["CHARGEBACK", "RISK_REVIEW"]
    assert "confirm_delivery" not in seen(aws, escrow, escrow.buyer_id)["allowedActions"]
    changed(escrow, holds=frozenset(), settlement_id="stl_1")
    turned_down(aws, escrow, 409, "SETTLEMENT_IN_PROGRESS")


def test_the_same_request_moves_money_once(aws: Platform, stripe: StripeDouble, escrow: Escrow) -> None:
    first = confirm(aws, escrow)
    paid_out(stripe, escrow)
    before = aws.rows()

    again = confirm(aws, escrow)

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (202, first.body, "true")
    assert turned_down(aws, escrow, 409, "INVALID_STATE", **{"Idempotency-Key": "k2"})["currentStatus"] == "RELEASED"
    assert aws.rows() == before
    assert [event["type"] for event in stripe.events].count("transfer.created") == 1


@pytest.mark.parametrize("keys", [("a", "b"), ("a", "a")])
def test_of_two_at_once_one_moves_the_money(aws: Platform, stripe: StripeDouble, keys: tuple[str, str]) -> None:
    for _ in range(ROUNDS):
        escrow = factories.delivered(stripe)
        answers = together(*(lambda escrow=escrow, key=key: confirm(aws, escrow, key) for key in keys))
        won, lost = sorted(answers, key=lambda answer: answer.status)
        assert won.status == 202
        if keys[0] == keys[1]:
            assert (lost.status, lost.body) == (202, won.body)
            assert sorted("Idempotency-Replayed" in answer.headers for answer in answers) == [False, True]
        else:
            assert (lost.status, lost.code) == (409, "INVALID_STATE")
        assert [plan.id for plan in file(escrow).settlements] == [won.body["settlementId"]]
        assert (delivery(escrow).status, row(escrow).held) == ("CONFIRMED", 100_000)
