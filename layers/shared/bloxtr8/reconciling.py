"""reconcile_money: once a day the books are compared with what Stripe and the chain have, escrow by escrow, and every
difference is reported (rail-stripe.md, Reconciliation; states.md, I1 to I7). It moves nothing and mends nothing.

A day is a row, and each page of it a commit, so that a run that is stopped is gone on with by the next. What differs is
looked at again ten minutes later; what differs still is a difference, and an alarm. So is an escrow about which nothing
can be said: it hides no other.
"""

import datetime as dt
import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bloxtr8 import clock, rails, reads, receiving, ringing, table
from bloxtr8.actors import Actor, system
from bloxtr8.domain import reconciliations
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.reconciliations import Difference
from bloxtr8.entities import Escrow, RailName, Reconciliation, Settlement, StablecoinEscrow
from bloxtr8.errors import StaleWrite, UpstreamFailed
from bloxtr8.logs import logger
from bloxtr8.rails.base import RailBug, RailOutcomeUnknown, RailThrottled
from bloxtr8.rails.usdc import balances

PAGE = 5  # escrows a commit: where Stripe hardly answers each takes two minutes, and the function has fifteen
RUN_SECONDS = 200  # after which no page is begun; the next run goes on
RECHECK = dt.timedelta(minutes=10)
PATIENCE = 12  # looks more at what can't be compared, before people are told: two hours
LATELY = 3  # days after its end on which an escrow is compared as if money lay in it
REPLAYED = dt.timedelta(days=2)  # of Stripe's events: yesterday, and what was late
ACTION = "reconcile_money"
type Tell = Callable[[Reconciliation, list[Difference]], None]
_SILENT = (RailOutcomeUnknown, RailThrottled, UpstreamFailed)


def reconcile(actor: Actor) -> None:
    """One run: today's comparison is begun, gone on with, or done already. Of two at once one goes on."""
    row, begun = _today(), time.monotonic()
    try:
        if row.version == 0:  # so that a day which never gets any further is one that was not reconciled
            table.commit(row, action=ACTION, actor=actor, details={"phase": row.phase})
        while row.finished_at is None and time.monotonic() - begun < RUN_SECONDS and _is_time(row):
            _PHASES[row.phase](row)
            table.commit(row, action=ACTION, actor=actor, details={"phase": row.phase, "suspects": len(row.suspects)})
    except StaleWrite:
        logger.info("another run reconciles", extra={"day": row.day})
        return
    if row.finished_at is not None:
        logger.info("reconciled", extra={"day": row.day, "totals": row.totals, "differences": len(row.differences)})


def _today() -> Reconciliation:
    now = clock.now()
    day, before = (now - age for age in (dt.timedelta(), dt.timedelta(days=1)))
    row, last = table.load(*(table.ref(Reconciliation, day=one.date().isoformat()) for one in (day, before)))
    if row is not None:
        return row  # type: ignore[no-any-return]
    if last is not None and last.finished_at is None:
        logger.error("a day was not reconciled to its end", extra={"day": last.day, "phase": last.phase})
    return Reconciliation(day=day.date().isoformat(), started_at=now)


def _is_time(row: Reconciliation) -> bool:
    return row.recheck_at is None or row.recheck_at <= clock.now()


def _parked(row: Reconciliation) -> None:
    """A page of what was parked, the oldest first: no money need lie in its escrow. No provider is asked, so none keeps
    people from being told."""
    found = table.page(Settlement, "gsi4", "PARKED", limit=PAGE, start=row.cursor, newest_first=False, lenient=True)
    for settlement in filter(ringing.is_late, found.items):
        with _apart(row, settlement.escrow_id, _suspect):
            ringing.for_parked(reads.escrow(settlement.escrow_id), settlement.id)
    row.cursor, row.phase = found.next_key, row.phase if found.next_key else "STRIPE"


def _cards(row: Reconciliation) -> None:
    """A page of the escrows by card; before the first, what the platform has at Stripe."""
    if not row.balance:
        row.balance = {"before": dict(rails.cards().balance())}
    _page(row, RailName.STRIPE, then="USDC_BASE")


def _vaults(row: Reconciliation) -> None:
    _page(row, RailName.USDC_BASE, then="ENDED")


def _page(row: Reconciliation, rail: RailName, then: str) -> None:
    found = _shelf(f"MONEY#{rail}", row.cursor)
    for escrow in found.items:
        with _apart(row, escrow.id, _suspect):
            file = reads.escrow(escrow.id)
            reconciliations.count(row, file)
            ringing.for_set_aside(file)
            _suspect(row, _differences(file))
    row.cursor, row.phase = found.next_key, row.phase if found.next_key else then


def _shelf(name: str, start: dict[str, Any] | None) -> table.Page[Escrow]:
    return table.page(Escrow, "gsi4", name, limit=PAGE, start=start, newest_first=False, lenient=True)


def _ended(row: Reconciliation) -> None:
    """A page of those that ended of late, day by day: what was paid or booked last, and what somebody changed since."""
    at = row.cursor or {"age": 0, "key": None}
    day = row.started_at.date() - dt.timedelta(days=at["age"])
    shelf = _shelf(f"ENDED#{day}", at["key"])
    for escrow in shelf.items:
        row.ended += 1
        with _apart(row, escrow.id, _suspect):
            file = reads.escrow(escrow.id)
            found = _differences(file)
            _suspect(row, found)
            if reconciliations.has_more(found):
                _hint(file)
    at = at | {"key": shelf.next_key} if shelf.next_key else {"age": at["age"] + 1, "key": None}
    row.cursor, row.phase = (at, row.phase) if at["age"] <= LATELY else (None, "EVENTS")


def _hint(file: EscrowFile) -> None:
    """Late money: a vault whose escrow has ended is looked at more and more seldom, and so is looked at before it is
    compared again."""
    now = clock.now()
    if isinstance(file.rail, StablecoinEscrow) and file.rail.next_look is not None and file.rail.next_look > now:
        file.rail.next_look = now
        table.commit(file.escrow, file.rail, action="look_again", actor=system(ACTION))


@contextmanager
def _apart(row: Reconciliation, escrow_id: str, tell: Tell) -> Iterator[None]:
    """Around one escrow: where it can't be compared that is told of it, and the others are. A provider that is away
    ends the run."""
    try:
        yield
    except _SILENT:
        raise
    except Exception:
        logger.warning("an escrow could not be compared", exc_info=True, extra={"escrowId": escrow_id})
        tell(row, [Difference(reconciliations.NOT_COMPARED, escrow_id)])


def _suspect(row: Reconciliation, found: list[Difference]) -> None:
    room = reconciliations.MOST_KEPT - len(row.suspects)
    row.suspects += [one.shown() for one in found[:room]]
    _report(row, found[room:])


def _differences(file: EscrowFile) -> list[Difference]:
    """Of one escrow, asked just now. A provider that says nothing of any ends the run, and the next asks again."""
    unbalanced, about = reconciliations.of_ledger(file), {"escrowId": file.escrow.id}
    try:
        return unbalanced + _at_provider(file)
    except RailBug:
        code = reconciliations.NOT_OURS
    except _SILENT:
        logger.warning("a provider says nothing of an escrow", exc_info=True, extra=about)
        _ask_anything(file.escrow.rail)
        code = reconciliations.NOT_COMPARED
    return [*unbalanced, Difference(code, file.escrow.id)]


def _at_provider(file: EscrowFile) -> list[Difference]:
    place = str(file.rail.external_id)
    if file.escrow.rail is RailName.STRIPE:
        books = rails.cards().books(place, file.escrow.id)
        return reconciliations.of_card(file, *books.net)
    return reconciliations.of_vault(file, balances.at_finality([place])[place])


def _ask_anything(rail: RailName) -> None:
    """Raises what the provider raises where it answers nothing at all."""
    if rail is RailName.STRIPE:
        rails.cards().balance()
    else:
        balances.ether([])


def _events(row: Reconciliation) -> None:
    """A page of Stripe's events once more: what a webhook never brought is stored as if it had, and so acted on."""
    events, after = rails.cards().events(row.started_at - REPLAYED, row.cursor)
    lost = sum(map(_replay, events))
    if lost:
        logger.warning("webhooks were lost", extra={"day": row.day, "events": lost})
    row.events = {"seen": row.events.get("seen", 0) + len(events), "lost": row.events.get("lost", 0) + lost}
    row.cursor, row.phase = after, row.phase if after else "BALANCE"


def _replay(event: dict[str, Any]) -> bool:
    """One that can't be stored stops neither the others nor the day."""
    try:
        return receiving.replay(event)
    except Exception:
        logger.exception("an event could not be stored", extra={"event": event.get("id")})
        return False


def _balance(row: Reconciliation) -> None:
    row.balance["after"] = dict(rails.cards().balance())
    booked = row.totals.get(RailName.STRIPE, {})
    short = reconciliations.of_balance(row, booked.get("held", 0) + booked.get("surplus", 0))
    _report(row, short)
    if row.suspects:
        row.phase, row.recheck_at = "RECHECK", clock.now() + RECHECK
    else:
        row.finished_at = clock.now()


def _recheck(row: Reconciliation) -> None:
    """The suspects again, a page at a time; then those that have to be looked at once more."""
    again, row.suspects = row.suspects[:PAGE], row.suspects[PAGE:]
    for escrow_id in dict.fromkeys(one["escrowId"] for one in again):
        codes = {one["code"] for one in again if one["escrowId"] == escrow_id}
        looks = max(one.get("looks", 1) for one in again if one["escrowId"] == escrow_id)
        unseen = functools.partial(_unseen, looks=looks)
        with _apart(row, escrow_id, unseen):
            found = _differences(reads.escrow(escrow_id))
            seen = [one for one in found if one.code != reconciliations.NOT_COMPARED]
            _report(row, [one for one in seen if one.code in codes])
            if reconciliations.NOT_COMPARED in codes:  # this was the first look at it
                new = [one.shown() for one in seen if one.code not in codes]
                row.once_more += [one for one in new if one not in row.differences]
            unseen(row, [one for one in found if one not in seen])
    if not row.suspects and row.once_more:
        row.suspects, row.once_more, row.recheck_at = row.once_more, [], clock.now() + RECHECK
    if not row.suspects:
        row.finished_at = clock.now()


def _unseen(row: Reconciliation, found: list[Difference], looks: int) -> None:
    """A provider may be half away for a while."""
    if looks < PATIENCE:
        row.once_more += [one.shown() | {"looks": looks + 1} for one in found]
    else:
        _report(row, found)


def _report(row: Reconciliation, found: list[Difference]) -> None:
    for one in found:
        logger.error("money does not reconcile", extra={"day": row.day, "difference": one.shown()})
    row.differences = (row.differences + [one.shown() for one in found])[: reconciliations.MOST_KEPT]


_PHASES: dict[str, Callable[[Reconciliation], None]] = {
    "PARKED": _parked, "STRIPE": _cards, "USDC_BASE": _vaults, "ENDED": _ended, "EVENTS": _events, "BALANCE": _balance,
    "RECHECK": _recheck,
}  # fmt: skip
