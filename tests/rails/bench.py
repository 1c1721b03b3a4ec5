"""What the contract suite needs around a rail: people who pay and are paid, time, bad luck, and a count of what moved.

A further rail brings one Bench and one line in conftest.py; the suite stays as it is. What only some rails know
(`knows`) is tested of those: `@pytest.mark.needs(CLOSING)`.
"""

from dataclasses import replace
from typing import ClassVar, Protocol

from bloxtr8.rails.base import Funding, LegKind, LegOrder, Rail

ESCROW = "esc_01JDCZ0000000000000000000A"
OTHER_ESCROW = "esc_01JDCZ0000000000000000000B"
SETTLEMENT = "stl_01JDCZ0000000000000000000C"
OTHER_SETTLEMENT = "stl_01JDCZ0000000000000000000F"
BUYER = "usr_01JDCZ0000000000000000000D"
GROSS = 10_000
NET = 9_710  # what the seller gets of it
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

# What not every rail knows.
CLOSING = "closing"  # a place that was closed can't be paid
SLOW = "slow payments"
DECLINES = "declines"
DISPUTES = "disputes"
UNREADY = "sellers who are not ready yet"
RETURNS = "refunds that come back"


class Bench(Protocol):
    """One rail and its world, standing still until it is moved."""

    kinds: ClassVar[tuple[LegKind, ...]]  # that it can move
    knows: ClassVar[frozenset[str]]
    keeps_what_it_sends: ClassVar[bool]  # and sends it again by itself: what was sent is under way until it is refused
    rail: Rail

    def misfortune(self, name: str, step: str, times: int) -> None:
        """The next `times` calls of a step (open, close, ask or a LegKind) go wrong; retries of the library count."""
        ...

    def lift_misfortune(self) -> None: ...

    def wait(self, seconds: float) -> None:
        """Time passes, at the provider too, which does its slow work."""
        ...

    def pay(self, opened: Funding) -> None: ...

    def payee(self, *, ready: bool) -> str:
        """A seller's destination."""
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


class CardBench(Bench, Protocol):
    """What happens to cards and their holders beside."""

    def pay_slowly(self, funding: Funding) -> Funding:
        """A payment that is under way: neither money nor none."""
        ...

    def refuse_payment(self, opened: Funding) -> str:
        """The buyer's bank declines; its code."""
        ...

    def dispute(self, opened: Funding) -> None: ...

    def make_ready(self, destination: str) -> None: ...

    def fail_refunds(self) -> None:
        """The buyer's bank sends every refund back."""
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


def opened(bench: Bench, **changes: object) -> Funding:
    """A place to pay into."""
    asked = funding(**changes)
    place = bench.rail.open(asked)
    return replace(asked, external_id=place.external_id, customer_id=place.customer_id)


def paid(bench: Bench, **changes: object) -> Funding:
    """A place that holds the gross."""
    place = opened(bench, **changes)
    bench.pay(place)
    return place


def leg(bench: Bench, kind: LegKind) -> LegOrder:
    """An order of a kind that can be sent now: paid for, the seller ready, what is reversed transferred."""
    place = paid(bench)
    if kind is LegKind.REFUND:
        return order(place, kind, GROSS)
    transfer = order(place, LegKind.TRANSFER, NET, destination=bench.payee(ready=True))
    if kind is LegKind.TRANSFER:
        return transfer
    made = bench.rail.send(transfer)
    return order(place, kind, NET, settlement_id=OTHER_SETTLEMENT, reverses=made.external_id)
