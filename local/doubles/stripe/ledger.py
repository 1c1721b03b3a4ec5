"""The money inside the double: double entry, so that a cent can neither appear nor vanish."""

from dataclasses import dataclass

PLATFORM = "platform"
OUTSIDE = "outside"  # the buyers' banks and the platform's own bank
FEES = "fees"  # what Stripe keeps


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a movement: cents in (positive) or out of an account, usable from `available_on` (Unix seconds)."""

    account: str
    amount: int
    available_on: int


@dataclass(frozen=True, slots=True)
class Balance:
    """Cents: usable now, and still on the way."""

    available: int
    pending: int


class Ledger:
    """Every movement, in order. The sum over all accounts is zero at any moment."""

    def __init__(self) -> None:
        self._lines: list[Line] = []

    def post(self, *lines: Line) -> None:
        """Book one movement. Raises ValueError where its lines do not sum to zero."""
        if sum(line.amount for line in lines) != 0:
            raise ValueError(f"a movement that does not balance: {lines}")
        self._lines += lines

    def balance(self, account: str, now: int) -> Balance:
        """What an account has at a moment."""
        mine = [line for line in self._lines if line.account == account]
        available = sum(line.amount for line in mine if line.available_on <= now)
        return Balance(available, sum(line.amount for line in mine) - available)

    def accounts(self) -> list[str]:
        """Every account that a movement ever touched."""
        return sorted({line.account for line in self._lines})

    def total(self) -> int:
        """The sum over all accounts: always zero."""
        return sum(line.amount for line in self._lines)
