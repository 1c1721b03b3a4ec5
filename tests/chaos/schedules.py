"""The scheduled functions, as the template has them: each runs when something on its shelves is due, or was asked."""

import datetime as dt
import functools
import re
from typing import TYPE_CHECKING, Any

from tests import emulator
from tests.chaos.faults import Way

if TYPE_CHECKING:
    from tests.chaos.world import World

# Whose work lies on which shelf. A shelf in brackets of REGULAR is looked at along the way and moves no clock.
SHELVES = {
    "expire_offers": ("DUE#OFFER",),
    "enforce_contract_deadlines": ("DUE#CONTRACT",),
    "enforce_escrow_deadlines": ("DUE#ESCROW", "DUE#SETTLEMENT", "DUE#CHARGEBACK"),
    "retry_webhooks": ("QUEUE#WEBHOOK",),
}
# These look at what is due anyway, minute after minute: they run now and then, and whenever the outside changed.
REGULAR = ("watch_assets", "poll_chain", "send_reminders", "escalate_disputes", "reconcile_money")
BELOW = ("watch_chain_txs",)  # of the chain below the double: tests/rails


@functools.cache
def rates() -> dict[str, dt.timedelta]:
    """How often each scheduled function runs."""
    found = {}
    for action, event in _events("Schedule"):
        match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", event["Schedule"])
        assert match is not None, event
        found[action] = dt.timedelta(**{f"{match[2]}s": int(match[1])})
    return found


@functools.cache
def rules() -> dict[str, tuple[str, ...]]:
    """Who is invoked by which event of the bus."""
    found: dict[str, tuple[str, ...]] = {}
    for action, event in _events("EventBridgeRule"):
        for kind in event["Pattern"]["detail-type"]:
            found[kind] = (*found.get(kind, ()), action)
    return found


def names() -> tuple[str, ...]:
    """The jobs that a world runs."""
    return tuple(sorted(set(rates()) - set(BELOW)))


def _events(kind: str) -> list[tuple[str, dict[str, Any]]]:
    functions = [
        row["Properties"] for row in emulator.template()["Resources"].values() if row["Type"].endswith("::Function")
    ]
    return [
        (str(of["CodeUri"]).rpartition("/")[2], event["Properties"])
        for of in functions
        for event in of.get("Events", {}).values()
        if event["Type"] == kind
    ]


class Jobs:
    """The schedule of a world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._next: dict[str, dt.datetime] = {}  # not before
        self._wanted: set[str] = set()
        self._patience = 0

    def want(self, job: str) -> None:
        """The outside changed: its next run will find something."""
        self._wanted.add(job)

    def busy(self) -> None:
        """Somebody did something: what is due is looked at as often as it should be."""
        self._patience = 0

    def next_moment(self) -> dt.datetime | None:
        """When the next job has something to do; None where none has."""
        found = [moment for job in names() if (moment := self._moment(job)) is not None]
        if not found:
            return None
        # While nothing but repair looks happens, ever more of them are left out: as if the schedule were down.
        self._patience = min(self._patience + 1, 12)
        pause = dt.timedelta(minutes=2**self._patience) if self._patience > 3 else dt.timedelta()
        return max(min(found), self._world.clock.moment + pause)

    def _moment(self, job: str) -> dt.datetime | None:
        now = self._world.clock.moment
        due = self._world.mirror.next_due(SHELVES[job]) if job in SHELVES else now if job in self._wanted else None
        if due is not None and job == "retry_webhooks":
            due += rates()[job]  # the bus brings it first
        return None if due is None else max(due, self._next.get(job, now))

    def begin(self) -> None:
        """Start what is due now, and now and then one of those that look anyway."""
        world = self._world
        for job in names():
            moment = self._moment(job)
            if moment is not None and moment <= world.clock.moment:
                self._start(job)
        if world.random.random() < 0.05:
            self._start(world.random.choice(REGULAR))

    def _start(self, job: str) -> None:
        world = self._world
        what = world.luck.on_the_way(f"job.{job}")
        pause = rates()[job].total_seconds() * world.random.uniform(0.5, 1.5)
        self._next[job] = world.clock.moment + dt.timedelta(seconds=pause)
        if what is Way.LOST:
            world.tell(f"{job} did not run")
            return
        self._wanted.discard(job)
        for _ in range(2 if what is Way.TWICE else 1):
            late = world.random.uniform(60, 3600) if what is Way.LATE else world.random.uniform(0, 1)
            world.later(late, job, functools.partial(self._run, job))

    def _run(self, job: str) -> None:
        if self._world.invoke(job, {}).error is not None:
            self._wanted.add(job) if job in REGULAR else None
