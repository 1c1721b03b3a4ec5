"""reconcile_money: once a day the books are compared with what Stripe and the chain have, escrow by escrow, and every
difference is reported (rail-stripe.md, Reconciliation; states.md, I1 to I7). It moves nothing and mends nothing.

A day is a row, and each page of it a commit, so that a run that is stopped is gone on with by the next. What differs is
looked at again ten minutes later; what differs still is a difference, and an alarm.
"""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

from bloxtr8 import clock, rails, reads, receiving, table
from bloxtr8.actors import Actor, system
from bloxtr8.domain import manual_payments, reconciliations, set_aside
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.reconciliations import Difference
from bloxtr8.entities import Escrow, RailName, Reconciliation, StablecoinEscrow
from bloxtr8.errors import StaleWrite
from bloxtr8.logs import logger
from bloxtr8.rails.base import RailBug
from bloxtr8.rails.usdc import balances

PAGE = 10  # escrows a commit: where Stripe is down each takes half a minute to say so
RUN_SECONDS = 240  # after which no page is begun; the next run goes on
RECHECK = dt.timedelta(minutes=10)
LATELY = 3  # days after its end on which an escrow is compared as if money lay in it
REPLAYED = dt.timedelta(days=2)  # of Stripe's events: yesterday, and what was late
ACTION = "reconcile_money"


def reconcile(actor: Actor) -> None:
    """One run: today's comparison is begun, gone on with, or done already. Of two at once one goes on."""
    row, begun = _today(), time.monotonic()
    try:
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


def _cards(row: Reconciliation) -> None:
    """A page of the escrows by card; before the first, what the platform has at Stripe."""
    if not row.balance:
        row.balance = {"before": dict(rails.cards().balance())}
    _page(row, RailName.STRIPE, then="USDC_BASE")


def _vaults(row: Reconciliation) -> None:
    _page(row, RailName.USDC_BASE, then="ENDED")


def _page(row: Reconciliation, rail: RailName, then: str) -> None:
    found = table.page(Escrow, "gsi4", f"MONEY#{rail}", limit=PAGE, start=row.cursor, newest_first=False)
    for escrow in found.items:
        file = reads.escrow(escrow.id)
        reconciliations.count(row, file)
        _ring_for_people(file)
        _suspect(row, _differences(file))
    row.cursor, row.phase = found.next_key, row.phase if found.next_key else then


def _ended(row: Reconciliation) -> None:
    """A page of those that ended of late, day by day: what was paid or booked last, and what somebody changed since."""
    at = row.cursor or {"age": 0, "key": None}
    day = row.started_at.date() - dt.timedelta(days=at["age"])
    shelf = table.page(Escrow, "gsi4", f"ENDED#{day}", limit=PAGE, start=at["key"], newest_first=False)
    for escrow in shelf.items:
        file = reads.escrow(escrow.id)
        row.ended += 1
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


def _suspect(row: Reconciliation, differences: list[Difference]) -> None:
    found = [one.shown() for one in differences]
    room = reconciliations.MOST_KEPT - len(row.suspects)
    row.suspects += found[:room]
    _report(row, found[room:])


def _ring_for_people(file: EscrowFile) -> None:
    """What somebody was about to pay outside days ago, and what is set aside: both wait for people, and nobody else
    tells them again."""
    now, escrow_id = clock.now(), file.escrow.id
    for payment in manual_payments.late(file, now):
        about = {"escrowId": escrow_id, "manualPaymentId": payment.id}
        logger.error("a manual payment was announced and not recorded", extra=about)
    line = set_aside.cause(file)
    if line is not None and set_aside.amount(file) > 0 and now - line.at >= manual_payments.LATE:
        logger.error("money is set aside still", extra={"escrowId": escrow_id})


def _differences(file: EscrowFile) -> list[Difference]:
    """Of one escrow, asked just now. No answer ends the run, and the next asks again."""
    unbalanced = reconciliations.of_ledger(file)
    place, escrow_id = str(file.rail.external_id), file.escrow.id
    try:
        if file.escrow.rail is RailName.STRIPE:
            books = rails.cards().books(place, escrow_id)
            paid, sent = books.received - books.refunded, books.transferred - books.reversed
            return unbalanced + reconciliations.of_card(file, paid, sent)
        return unbalanced + reconciliations.of_vault(file, balances.at_finality([place])[place])
    except RailBug:
        return [*unbalanced, Difference(reconciliations.NOT_OURS, escrow_id)]


def _events(row: Reconciliation) -> None:
    """A page of Stripe's events once more: what a webhook never brought is stored as if it had, and so acted on."""
    events, after = rails.cards().events(row.started_at - REPLAYED, row.cursor)
    lost = sum(map(receiving.replay, events))
    if lost:
        logger.warning("webhooks were lost", extra={"day": row.day, "events": lost})
    row.events = {"seen": row.events.get("seen", 0) + len(events), "lost": row.events.get("lost", 0) + lost}
    row.cursor, row.phase = after, row.phase if after else "BALANCE"


def _balance(row: Reconciliation) -> None:
    row.balance["after"] = dict(rails.cards().balance())
    booked = row.totals.get(RailName.STRIPE, {})
    short = reconciliations.of_balance(row, booked.get("held", 0) + booked.get("surplus", 0))
    _report(row, [one.shown() for one in short])
    if row.suspects:
        row.phase, row.recheck_at = "RECHECK", clock.now() + RECHECK
    else:
        row.finished_at = clock.now()


def _recheck(row: Reconciliation) -> None:
    """The suspects again, a page at a time."""
    again, row.suspects = row.suspects[:PAGE], row.suspects[PAGE:]
    for escrow_id in dict.fromkeys(one["escrowId"] for one in again):
        codes = {one["code"] for one in again if one["escrowId"] == escrow_id}
        found = _differences(reads.escrow(escrow_id))
        _report(row, [one.shown() for one in found if one.code in codes])
    if not row.suspects:
        row.finished_at = clock.now()


def _report(row: Reconciliation, found: list[dict[str, Any]]) -> None:
    for one in found:
        logger.error("money does not reconcile", extra={"day": row.day, "difference": one})
    row.differences = (row.differences + found)[: reconciliations.MOST_KEPT]


_PHASES: dict[str, Callable[[Reconciliation], None]] = {
    "STRIPE": _cards, "USDC_BASE": _vaults, "ENDED": _ended, "EVENTS": _events, "BALANCE": _balance,
    "RECHECK": _recheck,
}  # fmt: skip
