"""More time: the party that a deadline protects may move it on, never back (states.md, section 4; M60)."""

import datetime as dt
from typing import NamedTuple

from bloxtr8 import clock
from bloxtr8.domain import escrows, vaults
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import Escrow, EscrowStatus, StablecoinEscrow
from bloxtr8.errors import Forbidden, InvalidState, Unprocessable

LIMIT = dt.timedelta(days=30)  # of all extensions of one deadline together
LEAST = dt.timedelta(hours=1)  # each is an entry of the audit path, which others read
_SECOND = dt.timedelta(seconds=1)


class Extendable(NamedTuple):
    """A deadline: its field, and whom it protects."""

    field: str
    role: Role


EXTENDABLE = {
    "fundBy": Extendable("fund_by", Role.SELLER),
    "deliverBy": Extendable("deliver_by", Role.BUYER),
    "inspectBy": Extendable("inspect_by", Role.SELLER),
}


def check_any(file: EscrowFile, role: Role, now: dt.datetime) -> None:
    """Whether the deadline that counts now is this party's to extend, by the least that is taken. Raises as
    `extend`."""
    _check(file, role, _counts(file.escrow), None, now)


def _counts(escrow: Escrow) -> str:
    """The deadline that counts now; of a status in which one may be extended."""
    if escrow.status is EscrowStatus.AWAIT_FUNDS:
        return "fundBy"
    return "inspectBy" if escrow.inspecting else "deliverBy"


def extend(file: EscrowFile, role: Role, name: str, until: dt.datetime, now: dt.datetime) -> None:
    """extend_deadline: `name` is a key of EXTENDABLE.

    Raises Forbidden, InvalidState where another deadline counts, Unprocessable DEADLINE_NOT_LATER, EXTENSION_TOO_SHORT,
    EXTENSION_LIMIT, TERM_TOO_NEAR (on chain: what is left for disputes before the buyer may take the money back) or
    HELD_TOO_LONG (by card: Stripe's limit of holding money).
    """
    spent = _check(file, role, name, until, now)
    escrow, one = file.escrow, EXTENDABLE[name]
    setattr(escrow, one.field, until)
    escrow.extended = escrow.extended | {one.field: spent}
    escrow.owner_seen, escrow.warned_at, escrow.looks = None, None, 0  # what was seen and said of the old one
    escrows.plan_look(escrow, now)


def _check(file: EscrowFile, role: Role, name: str, until: dt.datetime | None, now: dt.datetime) -> int:
    """Raises as `extend`; None: as soon as may be. Returns how many seconds it will have been moved by in all."""
    escrow, one = file.escrow, EXTENDABLE[name]
    ESCROW.check("extend_deadline", escrow, role)
    if role is not one.role:
        raise Forbidden(f"Only the {one.role.lower()} can give more time here.")
    if name != _counts(escrow):
        raise InvalidState("Another deadline counts now.", currentStatus=str(escrow.status))
    old: dt.datetime = getattr(escrow, one.field)
    until = until or max(old + LEAST, now + _SECOND)
    if until <= max(old, now):
        raise Unprocessable("The new deadline is not later.", "DEADLINE_NOT_LATER", deadline=clock.iso(old))
    spent = escrow.extended.get(one.field, 0) - (old - until) // _SECOND  # of a part of a second, the whole
    if spent > LIMIT // _SECOND:
        raise Unprocessable("A deadline moves by thirty days at most.", "EXTENSION_LIMIT")
    if until - old < LEAST:
        raise Unprocessable("A deadline moves by an hour at least.", "EXTENSION_TOO_SHORT", deadline=clock.iso(old))
    over = until + _windows_after(file, one.field)
    if not _leaves_room(file, over):
        raise Unprocessable("The vault's term would come too near.", "TERM_TOO_NEAR")
    limit = escrows.hold_limit(escrow)
    if limit is not None and over > limit:
        raise Unprocessable("By card the money would be held too long.", "HELD_TOO_LONG", limit=clock.iso(limit))
    return int(spent)


def has_time(file: EscrowFile, now: dt.datetime) -> bool:
    """Whether deliveries that begin now are over well before the vault's term; by card there is none."""
    return _leaves_room(file, now + _windows_after(file, "fund_by"))


def check_delivery(file: EscrowFile, now: dt.datetime) -> None:
    """Whether what is handed over from now on is inspected before the buyer could take his money back beside it. Holds
    and disputes may have used up the time between the windows and the term. Raises Unprocessable TERM_TOO_NEAR."""
    escrow = file.escrow
    if not isinstance(file.rail, StablecoinEscrow) or escrow.deliver_by is None:
        return
    over = max(escrow.deliver_by, now) + dt.timedelta(seconds=escrow.inspect_seconds)
    if over >= vaults.last_term(file.rail, now):
        raise Unprocessable("The buyer could take the money back before this is over.", "TERM_TOO_NEAR")


def _leaves_room(file: EscrowFile, over: dt.datetime) -> bool:
    return not isinstance(file.rail, StablecoinEscrow) or vaults.leaves_room(file.rail.terms, over)


def _windows_after(file: EscrowFile, field: str) -> dt.timedelta:
    """What still comes after that deadline: a window to deliver and one to inspect for each milestone."""
    escrow = file.escrow
    window = dt.timedelta(seconds=escrow.deliver_seconds + escrow.inspect_seconds)
    later = window * (max(len(file.unreleased), 1) - 1)
    first = {"fund_by": window, "deliver_by": dt.timedelta(seconds=escrow.inspect_seconds)}
    return first.get(field, dt.timedelta()) + later
