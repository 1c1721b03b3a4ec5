"""Every cent has an account, whoever of the trade asks; and no line can be changed unseen (section 10, M44)."""

from typing import Any

import pytest

from bloxtr8 import table
from bloxtr8.entities import LedgerLine, PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions.escrows import confirm, hidden, paid_out, refund, row, sound, staff
from tests.wire import Wire


def asked(aws: Platform, escrow: Any, user: Any) -> dict[str, Any]:
    answer = aws.call("get_ledger", user, escrow_id=escrow.id)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def test_balances_after_every_step_of_a_release(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUYER_FEE_BPS", "100")
    escrow = factories.payable(stripe)
    assert sound(aws, escrow) == {}
    factories.pay(escrow)
    assert sound(aws, escrow) == {}
    for task in ("screen_deposit", "hold_funds"):
        aws.invoke(task, {"escrowId": escrow.id})
        assert sound(aws, escrow) == {"BUYER": -101_000, "HELD": 101_000}
    delivered = factories.delivered(stripe)
    confirm(aws, delivered)
    assert sound(aws, delivered) == {"BUYER": -101_000, "HELD": 101_000}
    event = {"escrowId": delivered.id, "settlementId": row(delivered).settlement_id}
    aws.invoke("send_leg", event)
    assert sound(aws, delivered) == {"BUYER": -101_000, "HELD": 101_000}  # sent is not confirmed
    aws.invoke("confirm_leg", event)
    assert sound(aws, delivered) == {"BUYER": -101_000, "SELLER": 97_100, "FEES": 3_900}
    aws.invoke("send_leg", event)
    aws.invoke("finish_settlement", event)

    view = asked(aws, delivered, delivered.seller_id)

    assert [(line["seq"], line["debit"], line["credit"], line["amount"]) for line in view["lines"]] == [
        (1, "BUYER", "HELD", 101_000), (2, "HELD", "SELLER", 97_100), (3, "HELD", "FEES", 3_900),
    ]  # fmt: skip
    assert (view["escrowId"], view["balanced"]) == (delivered.id, True)
    assert [line["legId"] is None for line in view["lines"]] == [True, False, False]
    assert {line["currency"] for line in view["lines"]} == {"USD"}
    assert view["lines"][0]["at"].endswith("Z")


def test_a_refund_leaves_nothing_with_anybody(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    refund(aws, escrow)
    paid_out(stripe, escrow)

    assert sound(aws, escrow) == {}
    assert len(asked(aws, escrow, escrow.buyer_id)["lines"]) == 2


@pytest.mark.parametrize("change", [{"amount": 99_999}, {"credit": "SURPLUS"}, {"debit": "SELLER"}, None])
def test_a_line_that_was_changed_or_taken_shows(aws: Platform, stripe: StripeDouble, change: Any) -> None:
    escrow = factories.funded(stripe)
    line = table.get(LedgerLine, escrow_ulid=escrow.ulid, seq=1)
    if change is None:
        aws.erase(line)
    else:
        for name, value in change.items():
            setattr(line, name, value)
        aws.overwrite(line)

    assert not asked(aws, escrow, escrow.buyer_id)["balanced"]


def test_parties_and_staff_may_read_it_and_nobody_else(aws: Platform, wire: Wire) -> None:
    escrow = factories.executed()

    for user in (escrow.buyer_id, escrow.seller_id, *(staff(role) for role in PlatformRole)):
        assert asked(aws, escrow, user)["lines"] == []
    hidden(aws, "get_ledger", escrow, escrow.buyer_id, strangers=[factories.user()])
    wire.calls.clear()
    asked(aws, escrow, escrow.buyer_id)
    assert wire.round_trips() == 1
