"""watch_assets: the asset of every paid escrow is watched until the money is on its way (states.md, sections 4 and 6).

Who has it by a list of many is a hint; who has it by one source says whether to decide; what is decided is decided on
a fresh look by both sources. An outage never decides.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from bloxtr8 import assets, clock, ownership, reads, stopping, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import each
from bloxtr8.domain import dossier, watches
from bloxtr8.domain.dossier import Owner
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import AssetWatch, Escrow, EscrowStatus, Snapshot
from bloxtr8.outside import roblox_batch
from bloxtr8.outside.roblox_batch import Asset

SHELF = "DUE#WATCH"
ROWS = 300  # a run looks at, oldest first; the lists take them in six requests
ASKS = 60  # a run asks about one by one: a twelfth of what Open Cloud lets us ask in five minutes
FAILURES = 3  # in a row, and Roblox is down: the rest of the run is not asked


def watch(actor: Actor) -> None:
    """One run. What it has no asks left for stays due, and is the next run's first."""
    due = table.due(AssetWatch, SHELF, limit=ROWS)
    if not due:
        return
    places = [table.ref(AssetWatch, escrow_ulid=row.escrow_ulid) for row in due]
    rows = table.load(*places, *(table.ref(Escrow, ulid=row.escrow_ulid) for row in due), lenient=True)
    escrows = {escrow.id: escrow for escrow in rows[len(due) :] if escrow is not None}
    now = clock.now()
    known = [row for row in rows[: len(due)] if row is not None and row.escrow_id in escrows]
    still_due = [row for row in known if row.next_look is not None and row.next_look <= now]
    source = _Source(_hints(escrows.values()))
    each(still_due, lambda row: _look(row, escrows[row.escrow_id], source, actor))


def _hints(escrows: Iterable[Escrow]) -> dict[Asset, str | None]:
    """Where a hand-over is waited for, a list is enough to see that nothing happened yet."""
    return roblox_batch.owners({_asset(escrow) for escrow in escrows if watches.expects_asset(escrow)})


def _asset(escrow: Escrow) -> Asset:
    return escrow.asset_type.value, escrow.asset_id


@dataclass(slots=True)
class _Source:
    """What one run knows of Roblox, and how much more it may ask."""

    hints: dict[Asset, str | None]
    asks: int = ASKS
    failures: int = 0

    def owner(self, escrow: Escrow) -> Owner | None:
        """Whose the asset is; None where this run asks no more."""
        asset = _asset(escrow)
        if watches.expects_asset(escrow) and asset in self.hints:
            return dossier.whose(escrow, self.hints[asset])
        if self.failures >= FAILURES:
            return Owner.UNKNOWN
        if not self.asks:
            return None
        self.asks -= 1
        who, _ = ownership.look(escrow, both_sources=False)
        self.failures = self.failures + 1 if who is Owner.UNKNOWN else 0
        return who


def _look(row: AssetWatch, escrow: Escrow, source: _Source, actor: Actor) -> None:
    """One row: what is seen, what follows, and when it is looked at again."""
    now, guarded = clock.now(), _guards(escrow)
    if watches.expects_asset(escrow) or guarded or _is_disputed(escrow):
        who = source.owner(escrow)
        if who is None:  # the next run's first
            return
        if _matters(row, escrow, who, now, guarded=guarded):
            escrow = _decide(row, escrow, actor)
            guarded = _guards(escrow)
    watches.plan(row, escrow, now, guarded=guarded)
    table.remember(row, unless_exists=False)  # a twin that looked first is as good


def _guards(escrow: Escrow) -> bool:
    """Whether the asset must not go back to the seller: while money is held, and until it is on its way to him."""
    if watches.guards_asset(escrow):
        return True
    paused = escrow.status in watches.PAUSED and escrow.delivered_at is not None and escrow.settlement_id is not None
    return paused and watches.payout_guarded(reads.escrow(escrow.id)) is not None


def _is_disputed(escrow: Escrow) -> bool:
    return escrow.status is EscrowStatus.DISPUTED


def _is_news(escrow: Escrow, who: Owner) -> bool:
    """Whether it is somebody else's than the dispute's file says."""
    return who is not Owner.UNKNOWN and who is not dossier.owner_of(escrow, assets.newest(escrow))


def _matters(row: AssetWatch, escrow: Escrow, who: Owner, now: dt.datetime, *, guarded: bool) -> bool:
    """Whether this look is to be followed by one that decides."""
    again = watches.note(row, who, now)
    if _is_disputed(escrow) and _is_news(escrow, who):
        return True
    if watches.expects_asset(escrow):
        return who is Owner.BUYER and (escrow.at_buyer_at is None or (again and watches.awaits_asset(escrow)))
    return (guarded and who in watches.LOST) or watches.unknown_too_long(row, escrow, now)


def _decide(row: AssetWatch, seen: Escrow, actor: Actor) -> Escrow:
    """Ask both sources, note whose the asset is, and move the escrow where they say so. Returns the escrow after it."""
    file, now = reads.escrow(row.escrow_id), clock.now()
    expected = watches.expects_asset(file.escrow)
    if file.escrow.status is not seen.status or expected != watches.expects_asset(seen):
        watches.note(row, Owner.UNKNOWN, now)
        return file.escrow
    who, proof = ownership.look(file.escrow)
    again = watches.note(row, who, now)
    if _is_disputed(file.escrow):
        _tell(file, who, proof, now, actor)
    elif expected:
        if who is Owner.BUYER:
            _hand_over(file, proof, again, now, actor)
    elif who in watches.LOST:
        _take_back(file, who, proof, now, actor)
    elif who is Owner.UNKNOWN and watches.unknown_too_long(row, file.escrow, now):
        ownership.dispute(file, "OWNER_UNKNOWN", proof, now, actor)
    return file.escrow


def _take_back(file: EscrowFile, who: Owner, proof: list[Snapshot], now: dt.datetime, actor: Actor) -> None:
    """A rollback: what is to be paid for it is stopped, and what nobody has decided about is disputed."""
    disputable = file.escrow.status in watches.WATCHED
    cause = watches.payout_guarded(file)
    if cause is not None:
        stopping.stop(file, cause, actor, *([] if disputable else proof), owner=str(who))
        file = reads.escrow(file.escrow.id)
    if disputable:
        ownership.dispute(file, f"OWNER_IS_{who}", proof, now, actor)


def _tell(file: EscrowFile, who: Owner, proof: list[Snapshot], now: dt.datetime, actor: Actor) -> None:
    """In a dispute: what is to be paid for an asset that was taken back is stopped; who else has it than before, and
    the buyer's first time, is kept for those who decide."""
    first = who is Owner.BUYER and file.escrow.at_buyer_at is None
    if who in watches.LOST and watches.payout_guarded(file) is not None:
        _take_back(file, who, proof, now, actor)
    elif first or _is_news(file.escrow, who):
        ownership.keep(file, proof, actor)


def _hand_over(file: EscrowFile, proof: list[Snapshot], again: bool, now: dt.datetime, actor: Actor) -> None:
    """The buyer has it: seen `again`, and in its turn, it is delivered; the first time is kept."""
    if again and watches.awaits_asset(file.escrow):
        ownership.deliver(file, proof, now, actor)
    elif file.escrow.at_buyer_at is None:
        ownership.keep(file, proof, actor)
