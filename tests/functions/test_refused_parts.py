"""A part whose payout can't be made keeps nothing else: what people decide about the rest makes it give way."""

from unittest import mock

import pytest

from bloxtr8 import rails, table
from bloxtr8.actors import system
from bloxtr8.entities import Escrow, Hold, LegStatus, PlatformRole
from bloxtr8.rails.base import RailDeclined
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import disputes, holding
from tests.functions.chain import FakeChain, Wallets, chain, wallets
from tests.functions.escrows import changed, file, paid_out, refund, row, seen, sound, staff
from tests.functions.milestones import House, confirmed, house, parts, statuses

__all__ = ["chain", "house", "wallets"]
DOUBT = "review:prv_1"


def waiting(aws: Platform, house: House) -> Escrow:
    """Of 1,000 and 9,000 the first is confirmed, and being paid."""
    escrow = house.hold(amount=10_000, milestones=parts(1_000, 9_000))
    confirmed(aws, escrow)
    return escrow


def stuck(aws: Platform, house: House) -> Escrow:
    """The same after its payout was refused for good."""
    escrow = waiting(aws, house)
    with mock.patch.object(type(rails.get(house.name)), "send", side_effect=RailDeclined("no", code="no")):
        factories.settle(escrow)
    assert (row(escrow).status, row(escrow).holds) == ("FUNDS_HELD", {Hold.PAYOUT_FAILED})
    return escrow


def dropped(escrow: Escrow) -> bool:
    """Whether the refused one gave way, and its hold with it; and nothing of it can be sent any more."""
    old = file(escrow).settlements[0]
    return (old.kind, old.status, row(escrow).holds) == ("MILESTONE", "DROPPED", set())


def test_an_arbiter_divides_all_of_it(aws: Platform, stripe: StripeDouble, house: House) -> None:
    escrow = stuck(aws, house)
    for _ in range(3):  # the clock refunds nothing meanwhile: the buyer says that nothing came
        aws.clock.advance(days=7)
        aws.invoke("enforce_escrow_deadlines")
    assert "open_dispute" in seen(aws, escrow, escrow.buyer_id)["allowedActions"]
    assert disputes.opened(aws, escrow).status == 201
    judge = disputes.assigned(aws, escrow)
    assert "resolve_dispute" in disputes.seen(aws, escrow, judge)["dispute"]["allowedActions"]
    told = disputes.resolve(aws, escrow, judge, "REFUND", 0, 9_000)
    assert (told.code, told.body["remaining"]) == ("SUM_MISMATCH", 10_000)

    assert disputes.resolve(aws, escrow, judge, "SPLIT", 1_000, 9_000, "again").status == 202

    assert dropped(escrow)
    boss = staff(PlatformRole.PADMIN)
    refused(aws, 409, "INVALID_STATE", "resume_settlement", boss, {"reason": "x"},
            headers={"Idempotency-Key": "k"}, escrow_id=escrow.id)  # fmt: skip
    assert paid_out(stripe, escrow).status == "SPLIT"
    assert statuses(escrow) == ["CANCELLED", "CANCELLED"]
    assert sound(aws, escrow) == {"BUYER": -1_000, "SELLER": 971, "FEES": 29}


def test_the_seller_gives_all_of_it_back(aws: Platform, stripe: StripeDouble, house: House) -> None:
    escrow = stuck(aws, house)
    assert "refund_escrow" in seen(aws, escrow, escrow.seller_id)["allowedActions"]

    assert refund(aws, escrow).status == 202

    assert dropped(escrow)
    assert paid_out(stripe, escrow).status == "REFUNDED"
    assert statuses(escrow) == ["REFUNDED", "REFUNDED"]
    assert sound(aws, escrow) == {}


def test_compliance_sends_all_of_it_back(aws: Platform, stripe: StripeDouble, house: House) -> None:
    escrow = holding.held(stuck(aws, house), DOUBT)
    assert refund(aws, escrow).code == "ESCROW_ON_HOLD"

    holding.decided(aws, escrow, "RISK_REVIEW", "REFUND")

    assert dropped(escrow)
    assert paid_out(stripe, escrow).status == "REFUNDED"
    assert sound(aws, escrow) == {}


def test_a_payee_on_a_list_is_for_compliance_alone(
    aws: Platform, stripe: StripeDouble, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = waiting(aws, House("USDC_BASE", lambda **fields: chains.held(aws, chain, **fields)))
    wallets.risks[chains.sides(escrow)[1]] = "SANCTIONED"
    assert factories.settle(escrow).holds == {Hold.SANCTIONS}
    assert disputes.opened(aws, escrow).status == 201
    judge = disputes.assigned(aws, escrow)
    for told in (disputes.resolve(aws, escrow, judge, "REFUND", 0, 10_000), refund(aws, escrow)):
        assert (told.status, told.code) == (409, "SETTLEMENT_IN_PROGRESS")

    holding.decided(aws, escrow, "SANCTIONS", "REFUND")

    assert dropped(escrow)
    assert paid_out(stripe, escrow).status == "REFUNDED"
    assert sound(aws, escrow) == {}


@pytest.mark.parametrize("status", [LegStatus.SENT, LegStatus.UNKNOWN, LegStatus.CONFIRMED])
def test_what_may_have_been_paid_gives_way_to_nobody(aws: Platform, house: House, status: LegStatus) -> None:
    escrow = stuck(aws, house)
    found = file(escrow)
    found.legs[0].status = status
    table.commit(found.escrow, found.legs[0], action="test", actor=system("test"))
    assert disputes.opened(aws, holding.held(escrow, DOUBT)).status == 201
    judge = disputes.assigned(aws, escrow)
    answers = [
        disputes.resolve(aws, escrow, judge, "REFUND", 0, 10_000),
        holding.decide(aws, escrow, holding.officer(), "RISK_REVIEW", "REFUND"),
        refund(aws, escrow),
    ]
    assert {(told.status, told.code) for told in answers} == {(409, "SETTLEMENT_IN_PROGRESS")}


def test_while_a_chargeback_stands_it_gives_way_to_nobody(aws: Platform, house: House) -> None:
    escrow = stuck(aws, house)
    changed(escrow, holds=row(escrow).holds | {Hold.CHARGEBACK, Hold.RISK_REVIEW})
    told = holding.decide(aws, escrow, holding.officer(), "RISK_REVIEW", "REFUND")
    assert (told.status, told.code) == (409, "ESCROW_ON_HOLD")
