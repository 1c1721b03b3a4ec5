"""Warm calls: a function again and again in one process, against the same reads and writes by bare botocore."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.cold import Bench

COMPARED = (  # their network is the table alone, so that by hand is the same work
    "make_offer",
    "counter_offer",
    "confirm_delivery",
    "start_delivery",
    "hold_funds",
    "get_escrow",
    "get_contract",
    "list_my_offers",
    "search_listings",
)
LIMIT = 1.1


@dataclass(frozen=True)
class Warm:
    """CPU milliseconds of one warm call, and of its reads and writes by hand."""

    call_ms: float
    hand_ms: float

    @property
    def ratio(self) -> float:
        return self.call_ms / self.hand_ms


def measure(bench: Bench, names: Iterable[str], tell: Any) -> dict[str, Warm]:
    """One process for each action."""
    found = {}
    for name in names:
        told = bench.probe(name, warm=True)
        found[name] = Warm(told["warm"], told["hand"])
        tell(f"warm: {name} {told['warm']:.1f} ms")
    return found
