"""Reading the audit log, and checking it (table.md, Audit)."""

import datetime as dt
from collections.abc import Iterator

from bloxtr8 import audit, paging, reads, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import ATTEMPTS
from bloxtr8.entities import AuditEntry, Contract, Escrow, Listing, Offer, PlatformRole, Root, User
from bloxtr8.errors import Invalid, NotFound
from bloxtr8.ids import is_id, ulid_of
from bloxtr8.paging import Listed
from bloxtr8.table import Page
from bloxtr8.views.audit import EntryView

MAX_DAYS = 31
CHUNK = 50
ROOTS: dict[str, type[Root]] = {"usr": User, "lst": Listing, "off": Offer, "con": Contract, "esc": Escrow}


def page(
    actor: Actor,
    *,
    entity: str | None,
    user_id: str | None,
    first: dt.date | None,
    last: dt.date | None,
    limit: int,
    cursor: str | None,
) -> Listed[EntryView]:
    """A page of one root's chain in order, of one actor's entries or of some days', newest first.

    Exactly one of `entity`, `user_id`, and `first` with `last` (31 days at most) must be given: raises Invalid.
    """
    days = first is not None and last is not None
    if (entity is not None) + (user_id is not None) + days != 1 or (first is None) != (last is None):
        raise Invalid("Name an entity, a userId, or from and to.")
    scope = f"list_audit {actor.id} {entity} {user_id} {first} {last}"
    start = paging.opened(cursor, scope)
    if entity is not None:
        found = table.page(AuditEntry, None, f"AUDIT#{entity}", limit=limit, start=start, newest_first=False)
    elif user_id is not None:
        found = table.page(AuditEntry, "gsi1", f"USER#{user_id}#AUDIT", limit=limit, start=start)
    else:
        found = _days(first or dt.date.min, last or dt.date.min, limit, start)
    return paging.listed(found, EntryView.model_validate, scope)


def _days(first: dt.date, last: dt.date, limit: int, start: dict[str, str] | None) -> Page[AuditEntry]:
    """One day a query, from the last back to the first; a page may be short where a day ends."""
    if not dt.timedelta() <= last - first < dt.timedelta(days=MAX_DAYS):
        raise Invalid(f"from and to span 1 to {MAX_DAYS} days.")
    day = last if start is None else dt.date.fromisoformat(start["day"])
    key = None if start is None else {name: value for name, value in start.items() if name != "day"} or None
    found = table.page(AuditEntry, "gsi2", f"AUDIT#{day}", limit=limit, start=key)
    if found.next_key is not None:
        return Page(found.items, {**found.next_key, "day": day.isoformat()})
    if day == first:
        return Page(found.items, None)
    return Page(found.items, {"day": (day - dt.timedelta(days=1)).isoformat()})


def verify(entity: str, actor: Actor) -> audit.Verdict:
    """Walk a whole chain. COMPLIANCE may check any, a party its own escrow; to anybody else there is nothing:
    NotFound."""
    reader = table.get(User, id=actor.id)
    if PlatformRole.COMPLIANCE not in reader.platform_roles:
        if not is_id(entity, "esc"):
            raise NotFound("There is no such chain.")
        reads.escrow_for(entity, actor)
    for _ in range(ATTEMPTS):  # an entry that came between the two readings is no forgery
        chain, root = audit.verify(_chain(entity)), _root(entity)
        verdict = audit.complete(chain, entity, root)
        if verdict.ok:
            break
    if root is None and chain.entries == 0:
        raise NotFound("There is no such chain.")
    return verdict


def _root(entity: str) -> Root | None:
    """The row that heads a chain; None where there is none."""
    for prefix, cls in ROOTS.items():
        if is_id(entity, prefix):
            ulid = ulid_of(entity)
            return table.find(cls, id=entity, ulid=ulid, root=ulid, depth=0)
    return None


def _chain(root_id: str) -> Iterator[AuditEntry]:
    start = None
    while True:
        found = table.page(AuditEntry, None, f"AUDIT#{root_id}", limit=CHUNK, start=start, newest_first=False)
        yield from found.items
        start = found.next_key
        if start is None:
            return
