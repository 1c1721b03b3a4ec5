"""A party gives up before anything was paid on chain: what anybody may have sent is no payment."""

from dataclasses import replace

import pytest

from bloxtr8.entities import Escrow
from bloxtr8.rails.base import Look
from tests.checks import refused
from tests.emulator import Answer, Platform
from tests.functions import chain as chains
from tests.functions import escrows
from tests.functions.chain import STRANGER, UNITS, FakeChain, Wallets, chain, screened, wallets

__all__ = ["chain", "wallets"]


def cancel(aws: Platform, escrow: Escrow) -> Answer:
    return aws.call("cancel_escrow", escrow.seller_id, {"reason": "No"}, escrow_id=escrow.id)


def kept(aws: Platform, escrow: Escrow) -> None:
    """Nobody may cancel it, and nothing was written."""
    refused(aws, 409, "FUNDS_IN_FLIGHT", "cancel_escrow", escrow.buyer_id, {"reason": "No"}, escrow_id=escrow.id)


@pytest.mark.parametrize("sender", [STRANGER, None])
def test_what_anybody_sent_keeps_nobody_from_cancelling(aws: Platform, chain: FakeChain, sender: str | None) -> None:
    escrow = chains.payable()
    for units in (40 * UNITS, 9_999, 59 * UNITS):
        chain.pay(escrow, units, sender)
    screened(aws, escrow)
    assert "cancel_escrow" in escrows.seen(aws, escrow, escrow.buyer_id)["allowedActions"]

    assert cancel(aws, escrow).status == 200

    row = escrows.row(escrow)
    assert (row.status, row.held, row.surplus) == ("CANCELLED", 0, 99)
    assert escrows.sound(aws, escrow) == {"BUYER": -99, "SURPLUS": 99}
    assert chain.units(escrow) // UNITS == row.surplus  # I6
    chain.pay(escrow, UNITS)  # with this it is worth a return
    aws.invoke("close_funding", {"escrowId": escrow.id})
    assert [leg.amount for leg in escrows.file(escrow).legs] == [100]


def test_a_part_of_the_payment_does(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.payable()
    chain.pay(escrow, 100 * UNITS)
    screened(aws, escrow)
    kept(aws, escrow)


def test_money_that_somebody_is_to_decide_about_does(aws: Platform, chain: FakeChain, wallets: Wallets) -> None:
    escrow = chains.payable()
    wallets.risks[chains.sides(escrow)[0]] = "SANCTIONED"
    chain.pay(escrow, 50 * UNITS)
    screened(aws, escrow)
    aws.invoke("place_hold", {"escrowId": escrow.id})
    assert escrows.row(escrow).holds == {"SANCTIONS"}
    kept(aws, escrow)


def test_the_rest_of_the_payment_on_its_way_does(
    aws: Platform, chain: FakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = chains.payable()
    look = chain.look
    monkeypatch.setattr(chain, "look", lambda order: coming(look(order)))
    screened(aws, escrow)
    assert escrows.row(escrow).frozen_causes == {"PROCESSING"}
    kept(aws, escrow)


def coming(seen: Look) -> Look:
    return replace(seen, coming=True)
