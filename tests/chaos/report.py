"""What a run of many worlds showed: trades by rail and end, faults by kind, pairs covered, where the money is."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.chaos import faults, schedules
from tests.chaos.play import NEVER, Outcome

WAYS_OF = ("stream", "bus", "webhook", "invoke", "client", "job")


@dataclass
class Total:
    """The sum of many worlds."""

    worlds: int = 0
    steps: int = 0
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    hit: Counter[tuple[str, str]] = field(default_factory=Counter)
    cents: Counter[str] = field(default_factory=Counter)
    by_hand: int = 0

    def add(self, outcome: Outcome) -> None:
        self.worlds += 1
        self.steps += outcome.steps
        self.ends += outcome.ends
        self.fates += outcome.fates
        self.hit += outcome.hit
        self.cents.update(outcome.cents)
        self.by_hand += outcome.by_hand

    @property
    def played(self) -> int:
        """All, those that nobody began with them."""
        return sum(self.ends.values())

    @property
    def trades(self) -> int:
        """Those that were begun, and so ended."""
        return sum(times for (_, end), times in self.ends.items() if end != NEVER)

    @property
    def missed(self) -> list[tuple[str, str]]:
        """Pairs that nothing has hit."""
        return [pair for pair in wanted() if not self.hit[pair]]


def wanted() -> list[tuple[str, str]]:
    """All pairs that have to be hit."""
    return faults.pairs(schedules.names())


def lines(total: Total) -> list[str]:
    """The report."""
    kinds: Counter[str] = Counter()
    for (site, kind), times in total.hit.items():
        kinds[f"{kind}, on the way" if site.partition(".")[0] in WAYS_OF else kind] += times
    pairs = wanted()
    cents = total.cents
    return [
        f"{total.trades} trades in {total.worlds} worlds, {total.steps} steps",
        *_table("Ends", ((f"{rail} {end}", times) for (rail, end), times in sorted(total.ends.items()))),
        *_table("Faults injected", sorted(kinds.items())),
        *_table("Faults by place", sorted(_by_place(total.hit).items())),
        "",
        f"Pairs covered: {len(pairs) - len(total.missed)} of {len(pairs)}",
        f"Cents in {cents['in']:,}, held {cents['held']:,}, out {cents['out']:,}, differences {cents['differences']:,}",
        f"Payments that Stripe refused for good, paid outside and recorded: {total.by_hand}",
    ]


def _by_place(hit: Counter[tuple[str, str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (site, _), times in hit.items():
        found[site] += times
    return found


def _table(title: str, rows: Iterable[tuple[str, int]]) -> list[str]:
    return ["", title, *(f"  {times:>7,}  {name}" for name, times in rows)]
