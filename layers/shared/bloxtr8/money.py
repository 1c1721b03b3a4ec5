"""Integers of minor units: fees and splits, to the cent (states.md, section 10)."""

from dataclasses import dataclass

BPS = 10_000
MAX_CENTS = 1_000_000_000
UNITS_A_CENT = 10_000  # base units of USDC, which has six decimals


@dataclass(frozen=True, slots=True)
class Share:
    """What one settlement pays, in cents: to the seller, to the platform and to the buyer."""

    seller: int
    platform: int
    buyer: int

    @property
    def total(self) -> int:
        return self.seller + self.platform + self.buyer


def units_of(cents: int) -> int:
    """Base units of USDC."""
    return cents * UNITS_A_CENT


def cents_of(units: int) -> int:
    """Whole cents; what is below one stays in the vault."""
    return units // UNITS_A_CENT


def fee(amount: int, bps: int) -> int:
    """⌊amount · bps / 10⁴⌋, in cents (D21)."""
    return amount * bps // BPS


def gross(amount: int, buyer_fee_bps: int) -> int:
    """What the buyer pays: the amount and his fee."""
    return amount + fee(amount, buyer_fee_bps)


def settle(
    *,
    amount: int,
    buyer_fee_bps: int,
    seller_fee_bps: int,
    seller_share: int,
    held: int,
    share_before: int = 0,
    fees_before: int = 0,
    last: bool = True,
) -> Share:
    """How `held` cents are paid out when `seller_share` of `amount` becomes the seller's.

    Fees are cumulative over all settlements (`share_before` and `fees_before` are what earlier ones took), so that
    milestones do not drift by rounding. When the escrow ends (`last`), the buyer gets all the rest; before that the
    rest stays held. Rounding favours the buyer, and a full refund returns exactly what was paid (states.md, section
    10). Raises ValueError for a share outside the amount, or for more than is held.
    """
    if min(seller_share, share_before, fees_before, held) < 0 or seller_share + share_before > amount:
        raise ValueError("a share outside the amount")
    cumulative = share_before + seller_share
    buyer_fee = fee(amount, buyer_fee_bps)
    sellers_side = fee(cumulative, seller_fee_bps) - fee(share_before, seller_fee_bps)
    platform = fee(cumulative, seller_fee_bps) + buyer_fee * cumulative // amount - fees_before
    seller = seller_share - sellers_side
    rest = held - seller - platform
    buyer = rest if last else 0
    if min(seller, platform, rest) < 0:
        raise ValueError("more than is held")
    return Share(seller, platform, buyer)
