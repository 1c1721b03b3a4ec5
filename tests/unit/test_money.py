"""Fees and splits to the cent: shares sum to what is held, milestones do not drift (states.md, section 10; D21)."""

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bloxtr8 import money
from bloxtr8.money import Share

cents = st.integers(1, money.MAX_CENTS)
bps = st.integers(0, 2_000)


def whole(amount: int, buyer_bps: int, seller_bps: int, seller_share: int) -> Share:
    """An escrow that ends at once."""
    return money.settle(
        amount=amount,
        buyer_fee_bps=buyer_bps,
        seller_fee_bps=seller_bps,
        seller_share=seller_share,
        held=money.gross(amount, buyer_bps),
    )


def in_parts(amount: int, buyer_bps: int, seller_bps: int, parts: list[int]) -> list[Share]:
    """The same, released part by part; whatever of `amount` is in no part is the buyer's at the end."""
    shares: list[Share] = []
    for n, part in enumerate(parts, 1):
        shares.append(
            money.settle(
                amount=amount,
                buyer_fee_bps=buyer_bps,
                seller_fee_bps=seller_bps,
                seller_share=part,
                held=money.gross(amount, buyer_bps) - sum(share.total for share in shares),
                share_before=sum(parts[: n - 1]),
                fees_before=sum(share.platform for share in shares),
                last=n == len(parts),
            )
        )
    return shares


@pytest.mark.parametrize(
    ("buyer_bps", "paid"), [(0, Share(seller=3_237, platform=96, buyer=6_667)), (100, Share(3_237, 129, 6_734))]
)
def test_the_worked_examples(buyer_bps: int, paid: Share) -> None:
    assert whole(10_000, buyer_bps, 290, 3_333) == paid
    assert paid.total == money.gross(10_000, buyer_bps)


@pytest.mark.parametrize(
    ("amount", "rate", "taken"), [(50, 290, 1), (34, 290, 0), (35, 290, 1), (100_000, 290, 2_900), (99, 0, 0)]
)
def test_a_fee_is_rounded_down(amount: int, rate: int, taken: int) -> None:
    assert money.fee(amount, rate) == taken
    assert money.gross(amount, rate) == amount + taken


@given(cents, bps, bps, st.data())
def test_the_shares_sum_to_what_is_held(amount: int, buyer_bps: int, seller_bps: int, data: st.DataObject) -> None:
    share = whole(amount, buyer_bps, seller_bps, data.draw(st.integers(0, amount)))

    assert share.total == money.gross(amount, buyer_bps)
    assert min(share.seller, share.platform, share.buyer) >= 0


@given(cents, bps, bps)
def test_a_refund_returns_exactly_the_gross(amount: int, buyer_bps: int, seller_bps: int) -> None:
    assert whole(amount, buyer_bps, seller_bps, 0) == Share(0, 0, money.gross(amount, buyer_bps))


@given(cents, bps, bps)
def test_a_release_pays_what_the_contract_names(amount: int, buyer_bps: int, seller_bps: int) -> None:
    sellers, buyers = money.fee(amount, seller_bps), money.fee(amount, buyer_bps)

    assert whole(amount, buyer_bps, seller_bps, amount) == Share(amount - sellers, sellers + buyers, 0)


@given(cents, bps, bps, st.data())
def test_the_more_the_seller_gets_the_less_the_buyer(amount: int, a: int, b: int, data: st.DataObject) -> None:
    less, more = sorted(data.draw(st.tuples(st.integers(0, amount), st.integers(0, amount))))

    first, second = whole(amount, a, b, less), whole(amount, a, b, more)

    assert first.seller <= second.seller
    assert first.platform <= second.platform
    assert first.buyer >= second.buyer


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=20), st.integers(0, 1_000_000), bps, bps)
def test_parts_do_not_drift(parts: list[int], rest: int, buyer_bps: int, seller_bps: int) -> None:
    amount = sum(parts) + rest
    assume(amount > 0)

    shares = in_parts(amount, buyer_bps, seller_bps, parts)

    at_once = whole(amount, buyer_bps, seller_bps, sum(parts))
    assert sum(share.platform for share in shares) == at_once.platform
    assert sum(share.seller for share in shares) == at_once.seller
    assert sum(share.buyer for share in shares) == at_once.buyer
    assert sum(share.total for share in shares) == money.gross(amount, buyer_bps)
    assert all(share.buyer == 0 for share in shares[:-1])
    assert all(min(share.seller, share.platform) >= 0 for share in shares)


def test_three_parts_of_a_cent_that_does_not_divide() -> None:
    shares = in_parts(10_000, 0, 290, [3_333, 3_333, 3_334])

    assert [share.platform for share in shares] == [96, 97, 97]
    assert list(itertools.accumulate(share.seller for share in shares)) == [3_237, 6_473, 9_710]


@pytest.mark.parametrize(
    "wrong",
    [
        {"seller_share": 10_001},
        {"seller_share": -1},
        {"seller_share": 5_000, "share_before": 5_001},
        {"share_before": -1},
        {"fees_before": -1},
        {"held": -1},
        {"held": 9_999},
        {"held": 9_999, "last": False},
        {"fees_before": 291},
    ],
)
def test_refuses_what_does_not_add_up(wrong: dict[str, int]) -> None:
    terms = {"amount": 10_000, "buyer_fee_bps": 0, "seller_fee_bps": 290, "seller_share": 10_000, "held": 10_000}

    with pytest.raises(ValueError, match=r"outside the amount|more than is held"):
        money.settle(**terms | wrong)  # type: ignore[arg-type]
