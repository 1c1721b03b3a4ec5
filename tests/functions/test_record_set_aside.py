"""What came back of a trade whose buyer may have the asset is paid by people, outside, to either side or a part to
each, and recorded: once, by who may, and no more than is there."""

from typing import Any

import pytest

from bloxtr8 import rails, reads
from bloxtr8.domain import reconciliations
from bloxtr8.entities import Escrow, EscrowStatus, Hold, PlatformRole, User
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Answer, Platform
from tests.functions import chargebacks, escrows
from tests.functions.chargebacks import FEE, decided, disputed, happen
from tests.functions.escrows import changed, file, row, seen, staff, turned_away
from tests.functions.offers import same_but
from tests.functions.webhooks import Machines
from tests.wire import Wire

ACTION, ALL = "record_manual_payment", 100_000


@pytest.fixture(autouse=True)
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


@pytest.fixture
def boss(aws: Platform) -> User:
    return staff(PlatformRole.PADMIN)


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    """It ended by a lost chargeback after the delivery, and the bank gave all of it back."""
    escrow = factories.delivered(stripe)
    lost = disputed(aws, stripe, escrow)
    decided(aws, stripe, lost, "lost")
    stripe.reinstate_dispute(lost)
    happen(aws, stripe, "funds_reinstated")
    return row(escrow)


def body(**other: Any) -> dict[str, Any]:
    return {"pays": "SELLER", "amount": ALL, "paymentId": "BANK-0001", "reason": "He had delivered."} | other


def record(aws: Platform, escrow: Escrow, user: User, key: str = "k", **other: Any) -> Answer:
    return aws.call(ACTION, user, body(**other), headers={"Idempotency-Key": key}, escrow_id=escrow.id)


def no(aws: Platform, escrow: Escrow, user: Any, status: int, code: str, **other: Any) -> dict[str, Any]:
    """It is refused, and nothing is written."""
    headers = {"Idempotency-Key": f"{code} {len(aws.rows())}"}
    return dict(refused(aws, status, code, ACTION, user, body(**other), headers=headers, escrow_id=escrow.id).body)


def books(aws: Platform, escrow: Escrow) -> dict[str, int]:
    """The accounts that are not zero; they balance, and Stripe has what they say."""
    found = reads.escrow(escrow.id)
    there = rails.cards().books(str(found.rail.external_id), escrow.id)
    assert reconciliations.of_card(found, there.received - there.refunded, there.transferred - there.reversed) == []
    return chargebacks.seen_by(aws, escrow)


def test_a_part_is_paid_to_each_and_the_trade_is_over(aws: Platform, escrow: Escrow, boss: User, wire: Wire) -> None:
    view = seen(aws, escrow, boss)
    assert view["refusals"]["setAside"] | {"since": None} == {
        "amount": ALL, "since": None, "reason": "given back by the buyer's bank",
    }  # fmt: skip
    assert (view["refusals"]["setAside"]["since"] is None, view["allowedActions"]) == (False, [ACTION])
    before = aws.rows()
    wire.calls.clear()

    answer = record(aws, escrow, boss, amount=60_000)

    assert (answer.status, wire.round_trips()) == (202, 3), answer.body
    assert same_but(before, aws.rows()) == {
        "Escrow", "Settlement", "Leg", "LedgerLine", "ManualPayment", "Lookup", "AuditEntry", "Idempotency",
    }  # fmt: skip
    (made,) = [one for one in file(escrow).settlements if one.kind == "OUTSIDE"]
    assert (answer.body["recorded"], answer.body["settlementId"]) == (True, made.id)
    assert (made.status, made.to_seller) == ("DONE", 60_000)
    assert (row(escrow).quarantined, row(escrow).surplus) == (40_000, 40_000)
    entry = aws.audit(escrow.id)[-1]
    said = {name: entry.details[name] for name in ("paymentId", "amount", "pays", "settlementId", "people")}
    assert (entry.action, entry.role, said) == (
        ACTION,
        "PADMIN",
        {"paymentId": "BANK-0001", "amount": 60_000, "pays": "SELLER", "settlementId": made.id, "people": [boss.id]},
    )
    assert no(aws, escrow, boss, 422, "MORE_THAN_SET_ASIDE", amount=40_001, paymentId="BANK-0002")["setAside"] == 40_000
    no(aws, escrow, boss, 409, "PAYMENT_ALREADY_RECORDED", amount=40_000)

    assert record(aws, escrow, boss, "b", pays="BUYER", amount=40_000, paymentId="BANK-0002").status == 202

    assert books(aws, escrow) == {"BUYER": -60_000, "SELLER": 60_000, "BANK": FEE, "LOSS": -FEE}
    ended = row(escrow)
    assert (ended.status, ended.surplus, ended.quarantined) == (EscrowStatus.REFUNDED, 0, 0)
    view = seen(aws, escrow, boss)
    assert (view["refusals"]["setAside"], view["allowedActions"]) == (None, [])
    assert sorted((one["pays"], one["amount"], one["leg"]) for one in view["refusals"]["manualPayments"]) == [
        ("BUYER", 40_000, 1), ("SELLER", 60_000, 1),
    ]  # fmt: skip
    no(aws, escrow, boss, 409, "NOTHING_SET_ASIDE", amount=1, paymentId="BANK-0003")


def test_above_the_limit_two_people_give_the_same_payment(
    aws: Platform, escrow: Escrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that is voted for stands while so much is there."""
    escrows.settings(monkeypatch, two_people_cents=99_999)
    first, second = (staff(PlatformRole.PADMIN) for _ in range(2))
    payments = [("SELLER", 60_000, "BANK-0001"), ("BUYER", 40_000, "BANK-0002"), ("BUYER", 40_001, "BANK-0003")]
    wishes = [dict(zip(("pays", "amount", "paymentId"), one, strict=True)) for one in payments]
    for wish in wishes:
        answer = record(aws, escrow, first, str(wish["paymentId"]), **wish)
        assert (answer.body["recorded"], answer.body["settlementId"]) == (False, None)
    no(aws, escrow, first, 409, "ALREADY_VOTED", **wishes[0])
    assert record(aws, escrow, second, "other side", **wishes[0] | {"pays": "BUYER"}).body["votes"] == 1
    for wish in wishes[:2]:
        assert record(aws, escrow, second, str(wish["paymentId"]), **wish).body["recorded"]
    assert sorted((one.payment_id, str(one.status)) for one in file(escrow).manual_payments) == [
        ("BANK-0001", "DROPPED"), ("BANK-0001", "RECORDED"), ("BANK-0002", "RECORDED"), ("BANK-0003", "DROPPED"),
    ]  # fmt: skip
    assert books(aws, escrow)["SELLER"] == 60_000


def test_only_where_it_is_set_aside_by_card_and_no_hold_stands(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User
) -> None:
    changed(escrow, holds=frozenset({Hold.COMPLIANCE}))
    no(aws, escrow, boss, 409, "ESCROW_ON_HOLD")
    changed(escrow, holds=frozenset({Hold.PAYOUT_FAILED}))
    assert seen(aws, escrow, boss)["allowedActions"] == [ACTION]
    other = factories.delivered(stripe)
    no(aws, other, boss, 409, "NOTHING_SET_ASIDE")
    no(aws, factories.payable(stripe), boss, 409, "INVALID_STATE")
    for party in (escrow.buyer_id, staff(PlatformRole.COMPLIANCE)):
        no(aws, escrow, party, 403, "FORBIDDEN")
    named = {"settlementId": "stl_01K6ZZ8Q3V7M2N4P5R6S7T8V9W", "leg": 1}
    alone = [named, {"leg": 1}, {"pays": None}, {"pays": None, "leg": 1}, {"pays": None} | {"settlementId": "stl_1"}]
    for wrong in alone:
        no(aws, escrow, boss, 422, "LEG_OR_SIDE", **wrong)
    turned_away(
        aws, ACTION, boss, [body(pays="PLATFORM"), body(amount=0)], headers={"Idempotency-Key": "w"},
        escrow_id=escrow.id,
    )  # fmt: skip
    assert no(aws, escrow, boss, 404, "NOT_FOUND", pays=None, **named)


def test_of_two_at_once_no_cent_is_paid_twice(aws: Platform, escrow: Escrow, boss: User) -> None:
    answers = together(
        lambda: record(aws, escrow, boss, "a", amount=70_000),
        lambda: record(aws, escrow, boss, "b", pays="BUYER", amount=70_000, paymentId="BANK-0002"),
    )
    assert sorted(answer.status for answer in answers) == [202, 422]
    assert (row(escrow).surplus, row(escrow).quarantined) == (30_000, 30_000)
