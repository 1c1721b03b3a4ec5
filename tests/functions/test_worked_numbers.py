"""The numbers that section 10 works out hold to the cent through the API, on either rail, with either fee (D20, D21).

Those of a price in parts are test_release_milestone's."""

import pytest

from local.doubles.stripe.double import StripeDouble
from tests.emulator import Platform
from tests.functions import disputes, escrows, milestones, settlements
from tests.functions.chain import chain, wallets
from tests.functions.milestones import House, house

__all__ = ["chain", "house", "wallets"]
SPLIT = [(0, (3_237, 96, 6_667)), (100, (3_237, 129, 6_734))]  # buyerFeeBps; to the seller, the platform, the buyer


def ended(aws: Platform, stripe: StripeDouble, house: House, how: str) -> tuple[str, tuple[int, int, int]]:
    """An escrow of 10,000, at 290 bps of the seller, and who got what."""
    escrow = house.hold(amount=10_000)
    if how == "agreed":
        settlements.agreed(aws, escrow, 3_333)
    elif how == "decided":
        assert disputes.opened(aws, escrow).status == 201
        judge = disputes.assigned(aws, escrow)
        assert disputes.resolve(aws, escrow, judge, "SPLIT", 3_333, 6_667).status == 202
    elif how == "refunded":
        assert escrows.refund(aws, escrow).status == 202
    else:
        milestones.confirmed(aws, escrow)
    end = escrows.paid_out(stripe, escrow)
    sums = escrows.sound(aws, escrow)
    assert (sums.get("HELD", 0), sums.get("SURPLUS", 0), -sums.get("BUYER", 0)) == (0, 0, end.gross - end.refunded)
    return str(end.status), (end.released, end.fees, end.refunded)


@pytest.mark.parametrize(("buyer_bps", "shares"), SPLIT)
@pytest.mark.parametrize("how", ["agreed", "decided"])
def test_a_split(
    aws: Platform, stripe: StripeDouble, house: House, monkeypatch: pytest.MonkeyPatch,
    how: str, buyer_bps: int, shares: tuple[int, int, int],
) -> None:  # fmt: skip
    escrows.settings(monkeypatch, buyer_fee_bps=buyer_bps)
    assert ended(aws, stripe, house, how) == ("SPLIT", shares)


@pytest.mark.parametrize(
    ("how", "end"), [("released", ("RELEASED", (9_710, 390, 0))), ("refunded", ("REFUNDED", (0, 0, 10_100)))]
)
def test_all_of_it(
    aws: Platform, stripe: StripeDouble, house: House, monkeypatch: pytest.MonkeyPatch,
    how: str, end: tuple[str, tuple[int, int, int]],
) -> None:  # fmt: skip
    escrows.settings(monkeypatch, buyer_fee_bps=100)
    assert ended(aws, stripe, house, how) == end
