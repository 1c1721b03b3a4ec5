"""Who acts: a person proven by a token or signature (D1), or a part of the platform itself."""

from dataclasses import dataclass, replace
from typing import Any

from bloxtr8.errors import VersionMismatch

SYSTEM = "SYSTEM"
USER = "USER"


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What the caller's Idempotency-Key stands for: scope (caller + action), key, and a hash of the request."""

    caller: str
    action: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts. `address_hash` and `agent_hash` are sha256 texts, never the data itself."""

    id: str
    role: str = USER
    session_id: str | None = None
    idempotency: IdempotencyKey | None = None
    if_match: int | None = None
    address_hash: str | None = None
    agent_hash: str | None = None

    @property
    def is_system(self) -> bool:
        return self.role == SYSTEM

    def acting_as(self, role: str) -> "Actor":
        """The same person as a member of staff: what the audit entry then says (table.md, Audit)."""
        return replace(self, role=role)

    def expects(self, row: Any) -> None:
        """Honour `If-Match`: raises VersionMismatch where the caller saw another version of `row`."""
        if self.if_match is not None and self.if_match != row.version:
            raise VersionMismatch("It has changed since you read it.", version=row.version)


def system(name: str) -> Actor:
    """A job, a task or a webhook's processing, by the name of its function."""
    return Actor(id=name, role=SYSTEM)
