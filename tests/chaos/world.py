"""One world: its clock, its people, and everything that is on its way, in an order that the seed says. One thread."""

import datetime as dt
import functools
import hashlib
import logging
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bloxtr8 import clock as house
from bloxtr8 import config, ids, polling
from bloxtr8.domain import escrows
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.logs import logger
from local.motofix import dynamodb
from tests import emulator
from tests.chaos import schedules
from tests.chaos.banks import Banks
from tests.chaos.faults import Killed, Luck, Way
from tests.chaos.hooks import Hooks
from tests.chaos.machines import Machines, Outcome
from tests.chaos.mirror import Mirror
from tests.chaos.outside import Ids, Outside
from tests.chaos.people import Request, Trade
from tests.chaos.quick_table import QuickTable
from tests.chaos.watch import Watch
from tests.emulator import Answer, Clock, Platform

if TYPE_CHECKING:
    from tests.chaos.staff import Staff

START = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
# Their answers carry a secret, or what is true now; they are safe to repeat by their own rows (api.md).
UNKEYED = {"create_sign_link", "sign_by_link", "add_evidence", "start_payment", "check_transfer", "get_dispute"}
BATCH = 25  # of the stream, as in the template
MOST_STEPS = 6_000
KEPT = 400  # of the last events, to be shown with a failure
LONGEST_JUMP = dt.timedelta(days=2)


class Stuck(AssertionError):
    """The world does not come to rest."""


@dataclass(order=True)
class Happening:
    """Something that will happen."""

    at: dt.datetime
    number: int
    name: str = field(compare=False)
    act: Callable[[], object] = field(compare=False)


class World:
    """A platform with its outside. What happens next is drawn by the seed from what could; so the same seed and number
    are the same world. `quick`: on a table of our own, else on moto's."""

    def __init__(
        self, seed: int, number: int, patch: pytest.MonkeyPatch, *, calm: bool = False, quick: bool = True
    ) -> None:
        self.seed, self.number = seed, number
        self.random = random.Random(f"{seed}/{number}")
        self.clock = Clock(START)
        self.luck = Luck(random.Random(f"{seed}/{number}/luck"), number)
        self.luck.calm, self.luck.money_moves = calm, self._money_moves
        self.watch = Watch()
        self.table = QuickTable() if quick else None
        self.mirror = Mirror(self.watch, self.table.take if self.table else _moto_stream)
        self.log: deque[str] = deque(maxlen=KEPT)
        self.digest = hashlib.sha256()
        self.steps = 0
        self.calls: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()  # what functions ended with, by class
        self.alarms: list[str] = []
        self.looks: list[tuple[dt.datetime, frozenset[str]]] = []  # of the watch, all well; what Roblox hid then
        self.trades: list[Trade] = []
        self.staff: Staff
        self.broken: list[str] = []  # laws that were seen broken on the way
        self._waiting: list[Happening] = []
        self._records: list[dict[str, Any]] = []
        self._count = 0
        self._idle = 0
        self._events_seen = 0
        self._event: dict[str, Any] = {}  # that the function without HTTP was invoked with
        self.machines = Machines(self._task, self.later)
        patch.setattr(house, "now", self.clock.now)
        patch.setattr(ids, "new", Ids(random.Random(f"{seed}/{number}/ids")).new)
        patch.setattr(polling, "random", random.Random(f"{seed}/{number}/poll"))
        patch.setattr(
            logging.root.manager, "disable", logging.CRITICAL
        )  # failures are what it is about; alarms are kept
        for level in ("error", "exception", "critical"):
            patch.setattr(logger, level, self._alarm)
        for level in ("info", "warning", "debug"):
            patch.setattr(logger, level, lambda *_, **__: None)
        self.platform: Platform = emulator.build(self.clock)
        self.outside = Outside(patch, self.clock, self.luck, self.machines, self._published, self._invoked, self.table)
        self.jobs = schedules.Jobs(self)
        self.hooks = Hooks(self)
        self.banks = Banks(self)

    # --- what happens

    def later(self, seconds: float, name: str, act: Callable[[], object]) -> Callable[[], None]:
        """Let something happen then. Returns what takes that back."""
        self._count += 1
        coming = Happening(self.clock.moment + dt.timedelta(seconds=seconds), self._count, name, act)
        self._waiting.append(coming)
        return lambda: self._waiting.remove(coming) if coming in self._waiting else None

    def run(self) -> None:
        """Until nothing happens any more."""
        while self.step():
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise Stuck(f"still busy after {MOST_STEPS} steps")

    def step(self) -> bool:
        """The next thing that happens; False where nothing ever will."""
        self.pump()
        now = self.clock.moment
        ready = [one for one in self._waiting if one.at <= now]
        if not ready:
            return self._jump()
        chosen = self.random.choice(ready)
        self._waiting.remove(chosen)
        self.tell(chosen.name)
        chosen.act()
        return True

    def _jump(self) -> bool:
        """Nobody does anything now: to the next moment at which anything happens, or is due."""
        moments = [one.at for one in self._waiting]
        due = self.jobs.next_moment()
        if due is not None:
            moments.append(due)
        refund = self.outside.stripe.refund_due_in()
        if refund:
            moments.append(self.clock.moment + dt.timedelta(seconds=refund))
        if not moments:
            return False
        self.outside.stripe.balance()  # what is due there happens
        self.clock.moment = max(min(moments), self.clock.moment + dt.timedelta(milliseconds=1))
        self.jobs.begin()
        return True

    def pump(self) -> None:
        """Put on its way what the last step left: records of the stream, and Stripe's events."""
        records = self.mirror.take()
        for record in records:
            if record["eventName"] == "INSERT" and record["dynamodb"]["Keys"]["PK"]["S"].startswith(
                ("AUDIT#", "WEBHOOK#")
            ):
                self._records.append(record)
                if len(self._records) == 1:
                    self.later(self.random.uniform(0, 1.5), "batch", self._batch)
        for trade in self.trades if records else ():
            trade.fate.at_once(trade)
        events = self.outside.stripe.events
        for event in events[self._events_seen :]:
            self.send("webhook.stripe", functools.partial(self.hooks.stripe, event))
        self._events_seen = len(events)

    def _batch(self) -> None:
        """The stream is read now and then; a batch is what came since."""
        while self._records:
            batch, self._records = self._records[:BATCH], self._records[BATCH:]
            self.send("stream", functools.partial(self._streamed, batch))

    def forget(self) -> None:
        """What the making of its people left on its way is nobody's."""
        self._waiting.clear()
        self._records.clear()

    def send(self, way: str, act: Callable[[], object]) -> None:
        """Something sets out on this way; luck says what becomes of it there."""
        what = self.luck.on_the_way(way)
        if what is Way.LOST:
            self.tell(f"{way} lost")
            return
        for _ in range(2 if what is Way.TWICE else 1):
            seconds = self.random.uniform(60, 4 * 3600) if what is Way.LATE else self.random.uniform(0, 2)
            self.later(seconds, way, act)

    # --- functions

    def invoke(self, action: str, event: dict[str, Any]) -> Outcome:
        """Run a function without HTTP."""
        self._event = event
        found = self._guarded(action, lambda: self.platform.invoke(action, event))
        if action == "watch_assets" and not event and found.error is None and self.luck.left == self.luck.MOST:
            self.looks.append((self.clock.moment, frozenset(self.outside.hidden)))
        return found

    def call(self, action: str, user: Any, body: Any = None, **options: Any) -> Answer | None:
        """Run a function behind the gateway. None: no answer, or that of a gateway whose function failed."""
        found = self._guarded(action, lambda: self.platform.call(action, user, body, **options))
        return found.result if found.error is None else None

    def _guarded(self, action: str, act: Callable[[], Any]) -> Outcome:
        self.calls[action] += 1
        self.luck.action = action
        self.luck.running, self.luck.left = True, self.luck.MOST
        try:
            found = Outcome(act())
        except Killed as killed:
            config._kept.clear()  # the next environment knows no secrets yet
            found = Outcome(error="Lambda.Unknown")
            self.tell(f"  {action} died at {killed}")
        except Exception as error:
            found = Outcome(error=type(error).__name__)
            self.errors[f"{action}: {type(error).__name__}"] += 1
            self.tell(f"  {action} raised {type(error).__name__}: {error}"[:300])
        finally:
            self.luck.running = False
        return found

    def _money_moves(self, site: str) -> None:
        """A task asks for money to be moved."""
        self.watch.money_moves(site, self._event["escrowId"], self._event["settlementId"])

    def _task(self, action: str, payload: dict[str, Any]) -> Outcome:
        return self.invoke(action, payload)

    def _streamed(self, records: list[dict[str, Any]], tries: int = 0) -> None:
        """A batch of the stream; what the function reports, or where it failed all of it, comes again."""
        found = self.invoke("dispatch_events", {"Records": records})
        if found.error is not None and tries < 10:
            self.later(2**tries, "stream again", functools.partial(self._streamed, records, tries + 1))

    def _published(self, kind: str, detail: dict[str, Any]) -> None:
        for action in schedules.rules().get(kind, ()):
            self.send("bus", functools.partial(self._from_the_bus, action, {"detail-type": kind, "detail": detail}))

    def _from_the_bus(self, action: str, event: dict[str, Any], tries: int = 0) -> None:
        """EventBridge invokes asynchronously: Lambda itself tries again twice."""
        if self.invoke(action, event).error is not None and tries < 2:
            self.later(
                60 * (tries + 1), f"bus again {action}", functools.partial(self._from_the_bus, action, event, tries + 1)
            )

    def _invoked(self, action: str, event: dict[str, Any]) -> None:
        self.send("invoke", functools.partial(self._from_the_bus, action, event))

    # --- what there is

    def escrows(self) -> list[Any]:
        """All of them, as they are now."""
        return list(self.mirror.every("ESCROW#", "META"))

    def rows(self, prefix: str) -> list[Any]:
        """Rows of all escrows' partitions whose key begins so."""
        return list(self.mirror.every("ESCROW#", prefix))

    def escrow_of(self, row: Any) -> Any:
        """The escrow that a row belongs to."""
        return self.mirror.row(f"ESCROW#{row.escrow_ulid}", "META")

    def waits_long(self, escrow: Any) -> bool:
        """Whether nobody decides about it yet: on chain until the vault's term was postponed, by card until the look at
        the limit of holding money."""
        trade = next(one for one in self.trades if one.escrow is not None and one.escrow.id == escrow.id)
        if not trade.fate.endless or escrow.status not in escrows.MONEY_HELD:
            return False
        if escrow.rail == "STRIPE":
            return bool(escrow.held_days_told < config.settings().max_hold_days)
        return not trade.rail_row.postponed

    def file(self, escrow: Any) -> EscrowFile:
        """Everything of an escrow."""
        found = EscrowFile.of(self.mirror.partition(f"ESCROW#{escrow.ulid}"))
        assert found is not None
        return found

    @property
    def over(self) -> bool:
        """Whether every trade is, and no refund can come back any more."""
        return all(trade.over for trade in self.trades) and not self.outside.stripe.refund_due_in()

    # --- what is told

    def heard(self, request: Request) -> None:
        """Somebody was answered: under one key the same, however often he asks; a ban is named where it counts."""
        done = next((one for one in request.answers if one.status < 300), None)
        last = request.answers[-1]
        who = str(getattr(request.user, "id", request.user))
        self.watch.answered(request.action, who, last.code if last.status >= 400 else None)
        unsure = last.status >= 500 or last.status == 429 or (last.status == 409 and last.code == "CONFLICT")
        if done is None or unsure or request.action in UNKEYED:
            return
        if (done.status, done.body) != (last.status, last.body):
            self.broken.append(f"one key: {request.action} {request.key}: {last.status} after {done.status}")

    def tell(self, text: str) -> None:
        """Keep it with the last events, and in the digest of them all."""
        line = f"{self.clock.moment:%m-%d %H:%M:%S} {text}"
        self.log.append(line)
        self.digest.update(line.encode())

    def _alarm(self, message: object, *_: Any, extra: dict[str, Any] | None = None, **__: Any) -> None:
        self.alarms.append(f"{message} {extra or {}}")
        self.tell(f"  alarm: {message} {extra or {}}")


def _moto_stream(start: int) -> list[dict[str, Any]]:
    return dynamodb.stream_records("123456789012", "us-east-1", "bloxtr8-local", start, 10_000)
