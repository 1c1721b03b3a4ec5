"""What a bank leaves of a payment is paid out by section 10 to the cent, and nobody hands anything over for nothing."""

from typing import Any

import pytest

from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import chargebacks, disputes, escrows, milestones, money
from tests.functions.chargebacks import FEE, decided, disputed, happen
from tests.functions.webhooks import Machines
from tests.wire import Wire


@pytest.fixture(autouse=True)
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def lost(aws: Platform, stripe: StripeDouble, escrow: Any, amount: int) -> str:
    """The bank keeps so much. Returns the chargeback's id."""
    chargeback = disputed(aws, stripe, escrow, amount=amount)
    decided(aws, stripe, chargeback, "lost")
    return chargeback


@pytest.mark.parametrize(("amount", "released"), [(5_000, 4_855), (6_000, 3_884)])
@pytest.mark.parametrize("is_disputed", [False, True])
def test_a_part_for_which_nothing_is_left_is_not_delivered(
    aws: Platform, stripe: StripeDouble, amount: int, released: int, is_disputed: bool
) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=milestones.parts(5_000, 5_000))
    assert milestones.release(aws, escrow, 0).status == 202
    if is_disputed:
        assert disputes.opened(aws, escrow).status == 201
    assert escrows.row(escrow).status == ("DISPUTED" if is_disputed else "FUNDS_HELD")

    lost(aws, stripe, escrow, amount)

    assert escrows.row(escrow).status == "SETTLING"
    assert escrows.seen(aws, escrow, escrow.seller_id)["allowedActions"] == ["add_evidence"]
    assert [row.outcome for row in escrows.file(escrow).disputes] == ["CHARGEBACK"] * is_disputed
    assert factories.settle(escrow).status == "SPLIT"
    assert milestones.statuses(escrow) == ["RELEASED", "REFUNDED"]
    assert (escrows.around(escrow)["listing"], escrows.around(escrow)["open"]) == ("INACTIVE", [0, 0])
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -10_000, "SELLER": released, "FEES": 10_000 - amount - released, "BANK": amount + FEE, "LOSS": -FEE,
    }  # fmt: skip


@pytest.mark.parametrize(("buyer_bps", "planned"), [(0, (47_579, 1_421, 0)), (100, (47_579, 1_911, 10))])
def test_of_a_seller_who_is_paid_last_the_fee_is_of_what_he_gets(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, buyer_bps: int, planned: tuple[int, int, int]
) -> None:
    escrows.settings(monkeypatch, buyer_fee_bps=buyer_bps)
    escrow = factories.delivered(stripe)
    stripe.onboard(escrow.payout_account_id, succeeds=False)
    money.split(escrow, 50_000)
    escrows.paid_out(stripe, escrow)  # the seller's leg waits for his account, and keeps the buyer's not waiting
    assert [str(leg.status) for leg in escrows.file(escrow).legs] == ["PLANNED", "CONFIRMED"]

    lost(aws, stripe, escrow, 1_000)

    last = escrows.file(escrow).settlements[-1]
    assert (last.to_seller, last.to_platform, last.to_buyer) == planned
    stripe.onboard(escrow.payout_account_id)
    ended = factories.settle(escrow)  # Stripe refunds nothing of what was charged back: the cents are paid by people
    assert ended.status == ("SETTLING" if last.to_buyer else "SPLIT")
    buyers = 50_000 * (10_000 + buyer_bps) // 10_000
    sums = {"BUYER": buyers - escrow.gross, "SELLER": 47_579, "FEES": planned[1], "HELD": planned[2]}
    assert chargebacks.seen_by(aws, escrow) == {name: cents for name, cents in sums.items() if cents} | {
        "BANK": 1_000 + FEE, "LOSS": -FEE,
    }  # fmt: skip


def test_a_last_cent_that_is_all_fee_ends_the_escrow_with_nothing_held(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=milestones.parts(3_448, 6_552))
    milestones.paid(aws, escrow)
    milestones.delivered(aws, escrow)
    lost(aws, stripe, escrow, 6_551)
    assert escrows.confirm(aws, escrow).status == 202
    assert factories.settle(escrow).status == "SPLIT"
    assert chargebacks.seen_by(aws, escrow) == {
        "BUYER": -10_000, "SELLER": 3_349, "FEES": 100, "BANK": 6_551 + FEE, "LOSS": -FEE,
    }  # fmt: skip


def test_what_was_to_be_taken_back_and_was_not_is_no_less_to_take_back(aws: Platform, stripe: StripeDouble) -> None:
    escrow = chargebacks.released(aws, stripe)
    first = lost(aws, stripe, escrow, 30_000)
    stripe.reinstate_dispute(first)
    happen(aws, stripe, "funds_reinstated")
    lost(aws, stripe, escrow, 70_000)
    assert [(str(row.status), row.to_platform) for row in escrows.file(escrow).settlements[1:]] == [
        ("DROPPED", 30_000), ("OPEN", 70_000),
    ]  # fmt: skip
