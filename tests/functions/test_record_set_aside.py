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
from tests.functions import chargebacks
from tests.functions.chargebacks import FEE, decided, disputed, happen
from tests.functions.escrows import changed, file, row, seen, staff
from tests.functions.manual import boss, machines, say, withdraw
from tests.functions.offers import same_but
from tests.functions.webhooks import alarms
from tests.wire import Wire

__all__ = ["boss", "machines"]
ACTION, ALL = "record_manual_payment", 100_000


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    """It ended by a lost chargeback after the delivery, and the bank gave all of it back."""
    escrow = factories.delivered(stripe)
    lost = disputed(aws, stripe, escrow)
    decided(aws, stripe, lost, "lost")
    stripe.reinstate_dispute(lost)
    happen(aws, stripe, "funds_reinstated")
    return row(escrow)


def due(**other: Any) -> dict[str, Any]:
    return {"pays": "SELLER", "amount": ALL, "reason": "He had delivered."} | other


def announce(aws: Platform, escrow: Escrow, user: User, key: str, **other: Any) -> Answer:
    headers = {"Idempotency-Key": key}
    return aws.call("announce_manual_payment", user, due(**other), headers=headers, escrow_id=escrow.id)


def record(aws: Platform, escrow: Escrow, user: User, name: str = "BANK-0001", **other: Any) -> Answer:
    """Announced, and paid."""
    answer = announce(aws, escrow, user, f"a {name}", **other)
    assert answer.status == 201, answer.body
    return say(aws, escrow, user, f"k {name}", of=answer.body["id"], payment_id=name)


def no(aws: Platform, escrow: Escrow, user: Any, status: int, code: str, **other: Any) -> dict[str, Any]:
    """It is not announced, and nothing is written."""
    headers, action = {"Idempotency-Key": f"{code} {len(aws.rows())}"}, "announce_manual_payment"
    return dict(refused(aws, status, code, action, user, due(**other), headers=headers, escrow_id=escrow.id).body)


def books(aws: Platform, escrow: Escrow) -> dict[str, int]:
    """The accounts that are not zero; they balance, and Stripe has what they say."""
    found = reads.escrow(escrow.id)
    there = rails.cards().books(str(found.rail.external_id), escrow.id)
    assert reconciliations.of_card(found, *there.net) == []
    return chargebacks.seen_by(aws, escrow)


def test_a_part_is_paid_to_each_and_the_trade_is_over(aws: Platform, escrow: Escrow, boss: User, wire: Wire) -> None:
    view = seen(aws, escrow, boss)
    assert view["refusals"]["setAside"] | {"since": None} == {
        "amount": ALL, "since": None, "reason": "given back by the buyer's bank",
    }  # fmt: skip
    assert (view["refusals"]["setAside"]["since"] is None, view["allowedActions"]) == (
        False,
        ["announce_manual_payment"],
    )
    announced = announce(aws, escrow, boss, "a", amount=60_000).body["id"]
    assert (row(escrow).surplus, seen(aws, escrow, boss)["refusals"]["setAside"]["amount"]) == (ALL, 40_000)
    before = aws.rows()
    wire.calls.clear()

    answer = say(aws, escrow, boss, of=announced, payment_id="BANK-0001")

    assert (answer.status, wire.round_trips()) == (202, 3), answer.body
    assert same_but(before, aws.rows()) == {
        "Escrow", "Settlement", "Leg", "LedgerLine", "ManualPayment", "Lookup", "AuditEntry", "Idempotency",
    }  # fmt: skip
    (made,) = [one for one in file(escrow).settlements if one.kind == "OUTSIDE"]
    assert (answer.body["recorded"], answer.body["settlementId"]) == (True, made.id)
    assert (made.status, made.to_seller) == ("DONE", 60_000)
    assert (row(escrow).quarantined, row(escrow).surplus) == (40_000, 40_000)
    entry = aws.audit(escrow.id)[-1]
    said = {name: entry.details[name] for name in ("amount", "pays", "settlementId", "people")}
    assert (entry.action, entry.role, said) == (
        ACTION,
        "PADMIN",
        {"amount": 60_000, "pays": "SELLER", "settlementId": made.id, "people": [boss.id]},
    )
    assert no(aws, escrow, boss, 422, "MORE_THAN_SET_ASIDE", amount=40_001)["setAside"] == 40_000
    other = announce(aws, escrow, boss, "b", pays="BUYER", amount=40_000).body["id"]
    assert say(aws, escrow, boss, "b", of=other, payment_id="BANK-0001").code == "PAYMENT_ALREADY_RECORDED"

    assert say(aws, escrow, boss, "c", of=other, payment_id="BANK-0002").status == 202

    assert books(aws, escrow) == {"BUYER": -60_000, "SELLER": 60_000, "BANK": FEE, "LOSS": -FEE}
    ended = row(escrow)
    assert (ended.status, ended.surplus, ended.quarantined) == (EscrowStatus.REFUNDED, 0, 0)
    view = seen(aws, escrow, boss)
    assert (view["refusals"]["setAside"], view["allowedActions"]) == (None, [])
    assert sorted((one["pays"], one["amount"], one["leg"]) for one in view["refusals"]["manualPayments"]) == [
        ("BUYER", 40_000, 1), ("SELLER", 60_000, 1),
    ]  # fmt: skip
    no(aws, escrow, boss, 409, "NOTHING_SET_ASIDE", amount=1)


def test_it_rings_each_day_until_it_is_paid(
    aws: Platform, escrow: Escrow, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    for days, rings in ((2, 0), (1, 1), (1, 2)):
        aws.clock.advance(days=days)
        aws.invoke("reconcile_money", {})
        assert [text for text, _ in told].count("money is set aside still") == rings
    assert announce(aws, escrow, boss, "a").status == 201
    for days, rings in ((2, 0), (1, 1), (1, 2)):
        aws.clock.advance(days=days)
        aws.invoke("reconcile_money", {})
        assert [text for text, _ in told].count("a manual payment was announced and not recorded") == rings
    assert say(aws, escrow, boss).status == 202
    aws.clock.advance(days=1)
    aws.invoke("reconcile_money", {})
    assert [text for text, _ in told].count("money is set aside still") == 2
    assert len(told) == 4


def test_what_a_bank_takes_again_waits_for_what_people_are_paying(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User
) -> None:
    """And a withdrawal gives it back to what is set aside."""
    announce(aws, escrow, boss, "a", amount=60_000)
    again = disputed(aws, stripe, escrow, amount=70_000)
    decided(aws, stripe, again, "lost")
    assert (row(escrow).quarantined, row(escrow).surplus) == (ALL, ALL)
    assert withdraw(aws, escrow, boss).status == 200
    aws.clock.advance(days=1, hours=1)
    aws.invoke("enforce_escrow_deadlines", {})
    assert (row(escrow).quarantined, row(escrow).surplus) == (30_000, 30_000)
    assert books(aws, escrow)["BANK"] == 70_000 + 2 * FEE


def test_only_where_it_is_set_aside_by_card_and_no_hold_stands(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, boss: User
) -> None:
    changed(escrow, holds=frozenset({Hold.COMPLIANCE}))
    no(aws, escrow, boss, 409, "ESCROW_ON_HOLD")
    changed(escrow, holds=frozenset({Hold.PAYOUT_FAILED}))
    assert seen(aws, escrow, boss)["allowedActions"] == ["announce_manual_payment"]
    other = factories.delivered(stripe)
    no(aws, other, boss, 409, "NOTHING_SET_ASIDE")
    no(aws, factories.payable(stripe), boss, 409, "INVALID_STATE")
    for party in (escrow.buyer_id, staff(PlatformRole.COMPLIANCE)):
        no(aws, escrow, party, 403, "FORBIDDEN")
    named = {"settlementId": "stl_01K6ZZ8Q3V7M2N4P5R6S7T8V9W", "leg": 1}
    alone = [named, {"leg": 1}, {"pays": None}, {"pays": None, "leg": 1}, {"pays": None} | {"settlementId": "stl_1"}]
    for wrong in alone:
        no(aws, escrow, boss, 422, "LEG_OR_SIDE", **wrong)
    no(aws, escrow, boss, 404, "NOT_FOUND", pays=None, **named)


def test_of_two_at_once_no_cent_is_paid_twice(aws: Platform, escrow: Escrow, boss: User) -> None:
    answers = together(
        lambda: announce(aws, escrow, boss, "a", amount=70_000),
        lambda: announce(aws, escrow, boss, "b", pays="BUYER", amount=70_000),
    )
    assert sorted(answer.status for answer in answers) == [201, 422]
    assert seen(aws, escrow, boss)["refusals"]["setAside"]["amount"] == 30_000
