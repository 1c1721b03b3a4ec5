"""What the contract suite needs around a rail: people who pay and are paid, time, bad luck, and a count of what moved.

A further rail brings one Bench and one line in conftest.py; the suite stays as it is.
"""

from typing import Protocol

from bloxtr8.rails.base import Funding, LegKind, LegOrder, Rail

ESCROW = "esc_01JDCZ0000000000000000000A"
OTHER_ESCROW = "esc_01JDCZ0000000000000000000B"
SETTLEMENT = "stl_01JDCZ0000000000000000000C"
BUYER = "usr_01JDCZ0000000000000000000D"
GROSS = 10_000
DAY = 86_400

# What can happen to a call: its name at the bench, and whether the call had its effect all the same.
MISFORTUNES = {
    "lost before": False,
    "lost after": True,
    "failed after": True,
    "in the way": False,
    "throttled": False,
    "unavailable": False,
}


class Bench(Protocol):
    """One rail and its world, standing still until it is moved."""

    rail: Rail

    def misfortune(self, name: str, step: str, times: int) -> None:
        """The next `times` calls of a step (open, close, ask or a LegKind) go wrong; retries of the library count."""
        ...

    def lift_misfortune(self) -> None: ...

    def wait(self, seconds: float) -> None:
        """Time passes, at the provider too, which does its slow work."""
        ...

    def pay(self, opened: Funding) -> None: ...

    def pay_slowly(self, funding: Funding) -> Funding:
        """A payment that is under way: neither money nor none."""
        ...

    def refuse_payment(self, opened: Funding) -> str:
        """The buyer's bank declines; its code."""
        ...

    def dispute(self, opened: Funding) -> None: ...

    def payee(self, *, ready: bool) -> str:
        """A seller's destination."""
        ...

    def make_ready(self, destination: str) -> None: ...

    def fail_refunds(self) -> None:
        """The buyer's bank sends every refund back."""
        ...

    def places(self) -> int:
        """How many places to pay into exist."""
        ...

    def moved(self, kind: LegKind) -> list[int]:
        """What left the escrow, or came back, of one kind: the amounts of all movements that did not fail."""
        ...

    def total(self) -> int:
        """The sum of all balances of the world: always 0."""
        ...


def funding(**changes: object) -> Funding:
    """The payment of the suite's escrow."""
    fields = {"escrow_id": ESCROW, "buyer_id": BUYER, "amount": GROSS, "currency": "USD"}
    return Funding(**(fields | changes))  # type: ignore[arg-type]


def order(paid: Funding, kind: LegKind, amount: int, **changes: object) -> LegOrder:
    """A leg of the suite's settlement, out of a paid escrow."""
    fields = {
        "escrow_id": paid.escrow_id,
        "settlement_id": SETTLEMENT,
        "leg": 1,
        "attempt": 1,
        "kind": kind,
        "amount": amount,
        "currency": paid.currency,
        "funding_id": paid.external_id,
    }
    return LegOrder(**(fields | changes))  # type: ignore[arg-type]
