"""Disputes where they need more than their rows: a look at Roblox as one opens, how often somebody opened one, who may
decide it, and the dossier as it is read (states.md, section 7)."""

import datetime as dt
import functools
from collections import deque
from collections.abc import Iterator
from typing import Any

from bloxtr8 import assets, clock, config, places, reads, table, timelines
from bloxtr8.actors import Actor
from bloxtr8.domain import dispute_opening, disputes, dossier, escrows
from bloxtr8.domain.dossier import AuditPath, Dossier
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import AuditEntry, Dispute, DisputeMessage, Escrow, Snapshot, User
from bloxtr8.errors import NotFound, UpstreamFailed
from bloxtr8.ids import ulid_of
from bloxtr8.logs import logger

SNAPSHOTS = 1_000  # the newest, in one Query, from which the history of owners is told
PAGES, ROWS = 20, 50  # of those that are late
ENTRIES = 50  # of the audit path, the newest; the others are get_timeline's
NEWEST = 50  # disputes of one person: more than anybody may open in a month


def look(escrow: Escrow) -> Snapshot | None:
    """What Roblox shows now, to be filed with the dispute; None while it does not answer, which keeps nobody from
    opening one."""
    try:
        return assets.look_again(escrow, escrow.buyer_roblox_id, both_sources=True)
    except UpstreamFailed:
        return None


def check_not_too_often(actor: Actor) -> None:
    """Raises RateLimited above five in 30 days. Counted by an index, which may lag behind: it is a limit of rate, and
    nothing else is decided by it (D32)."""
    mine = table.page(Dispute, "gsi1", f"USER#{actor.id}#DISPUTE", limit=NEWEST).items
    dispute_opening.check_not_too_often(mine, clock.now())


def deciders(escrow_id: str, actor: Actor, assignee_id: str | None) -> tuple[EscrowFile, list[Role], User]:
    """For assign_dispute: the escrow, the platform roles of the actor that count here, and who is to decide (the actor,
    where nobody is named). A party comes as what it is. Raises NotFound for anybody else, and for an unknown assignee.
    """
    file = reads.escrow(escrow_id)
    reader, assignee = table.load(table.ref(User, id=actor.id), table.ref(User, id=assignee_id or actor.id))
    role = escrows.role_of(file.escrow, actor)
    held = reader.platform_roles if reader else frozenset()
    staff = [it for it in (Role.ARBITER, Role.PADMIN) if it in held]
    roles: list[Role] = staff if role is Role.OUTSIDER else [role]
    if not roles:
        raise NotFound("There is no such escrow.")
    if assignee is None:
        raise NotFound("There is no such user.")
    return file, roles, assignee


def late_pages() -> Iterator[list[Dispute]]:
    """Disputes that live for 30 days and of which nobody was told yet. Those that were told of stay on the shelf, so a
    run goes on where the last one stopped."""
    since = clock.now() - dt.timedelta(seconds=config.settings().dispute_sla_seconds)
    for status in sorted(disputes.LIVE):
        shelf = f"QUEUE#DISPUTE#{status}"
        late = functools.partial(table.due_pages, Dispute, shelf, pages=PAGES, limit=ROWS, up_to=since)
        for rows in places.walk(shelf, late):
            yield [row for row in rows if row.escalated_at is None]


def escalate(escrow_id: str, dispute_id: str, actor: Actor) -> None:
    """escalate_dispute, unless it ended or was told of meanwhile. The alarm comes first: told twice is better than
    never."""
    file = reads.escrow(escrow_id)
    dispute = disputes.find(file, dispute_id)
    now = clock.now()
    if not disputes.is_late(dispute, now):
        return
    logger.error("a dispute is over its time", extra={"escrowId": escrow_id, "disputeId": dispute_id})
    disputes.escalate(dispute, now)
    table.commit(file.escrow, dispute, action="escalate_dispute", actor=actor)


def gather(file: EscrowFile, dispute: Dispute) -> Dossier:
    """Read what never changes (snapshots, signatures, messages, the audit path), so that it is as true as on the first
    day, and later looks are in it. Roblox is not asked."""
    escrow = file.escrow
    snapshots = table.page(Snapshot, None, f"LISTING#{escrow.listing_id}", prefix="SNAP#", limit=SNAPSHOTS).items
    owners = dossier.history(escrow, snapshots)
    deal = reads.contract(escrow.contract_id)
    messages = _messages(dispute)
    path = _path(escrow)
    return Dossier(
        contract=deal.contract,
        signatures=deal.signatures,
        owners=owners,
        suggestion=dossier.suggest(dispute, file, owners, clock.now()),
        messages=messages,
        path=path,
        altered=_altered(dispute, messages, path),
    )


def _messages(dispute: Dispute) -> list[DisputeMessage]:
    rows: list[Any] = table.partition(f"DISPUTE#{ulid_of(dispute.id)}", prefix="DMSG#")
    return rows


def _path(escrow: Escrow) -> AuditPath:
    count, verified = 0, False
    newest: deque[AuditEntry] = deque(maxlen=ENTRIES)
    texts, decisions = dict[str, str](), dict[str, dict[str, Any]]()
    for found in timelines.walk(escrow):
        count, verified = count + len(found.entries), found.verified
        newest.extend(found.entries)
        for entry in found.entries:
            said = entry.details.get("textSha256")
            if said and entry.root_id == escrow.id:
                texts |= {made["id"]: said for made in entry.created}
                if entry.action == "resolve_dispute":
                    decisions |= {row["id"]: entry.details for row in entry.changes if row["type"] == "Dispute"}
    return AuditPath(count, verified, list(newest), texts, decisions)


def _altered(dispute: Dispute, messages: list[DisputeMessage], path: AuditPath) -> frozenset[str]:
    """Whose text does not have the hash that its audit entry keeps, or has no entry at all; and the dispute where it
    shows another decision than was made."""
    texts = {dispute.id: disputes.digest(dispute.title, dispute.description)}
    texts |= {row.id: disputes.digest(row.text) for row in messages}
    altered = {row_id for row_id, text in texts.items() if path.texts.get(row_id) != text}
    if disputes.decided(dispute) != path.decisions.get(dispute.id, disputes.UNDECIDED):
        altered.add(dispute.id)
    return frozenset(altered)
