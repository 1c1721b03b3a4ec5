"""Actions that several people of the staff agree on: the escrow, and who of them may decide now, in two reads."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from bloxtr8 import reads, table
from bloxtr8.actors import Actor
from bloxtr8.domain import people
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import PlatformRole, User
from bloxtr8.errors import NotFound
from bloxtr8.table import Ref


def read(
    escrow_id: str,
    actor: Actor,
    role: PlatformRole,
    voted: Callable[[EscrowFile], Collection[str]],
    places: Callable[[EscrowFile], Sequence[Ref[Any]]] = lambda _: (),
) -> tuple[EscrowFile, set[str], tuple[Any, ...]]:
    """The escrow; who of the actor and those who `voted` has the role; and the rows at `places`.

    Raises Forbidden where the actor has not, whether there is such an escrow or not; NotFound.
    """
    try:
        file = reads.escrow(escrow_id)
    except NotFound:
        people.check_role(table.get(User, id=actor.id), role)
        raise
    also = places(file)
    others = sorted(set(voted(file)) - {actor.id})
    found = table.load(*also, *(table.ref(User, id=user_id) for user_id in (actor.id, *others)))
    me, *rows = found[len(also) :]
    if me is None:
        raise NotFound("There is no such user.")
    people.check_role(me, role)
    return file, _having([me, *rows], role), found[: len(also)]


def among(user_ids: Collection[str], role: PlatformRole) -> set[str]:
    """Who of them has the role now, in one read; none where nobody is asked about."""
    refs = [table.ref(User, id=user_id) for user_id in sorted(user_ids)]
    return _having(table.load(*refs), role) if refs else set()


def _having(rows: Sequence[User | None], role: PlatformRole) -> set[str]:
    return {row.id for row in rows if row and role in row.platform_roles}
