"""An operator grants platform roles and tiers. IAM is the only door: no route leads here (`make staff`)."""

from typing import Any

from pydantic import StrictBool

from bloxtr8 import table
from bloxtr8.actors import system
from bloxtr8.domain import people
from bloxtr8.entities import PlatformRole, Tier, User
from bloxtr8.lambdas import task
from bloxtr8.shapes import Body
from bloxtr8.views.people import StaffGrant

OPERATOR = system("grant_staff_role")


class GrantStaffRole(Body):
    user_id: str
    role: PlatformRole | None = None
    tier: Tier | None = None
    revoke: StrictBool = False


def grant_staff_role(event: dict[str, Any]) -> dict[str, Any]:
    """`{userId, role?, tier?, revoke?}` → `{userId, platformRoles, kycTier}`; with `revoke` the role is taken away."""
    wish = GrantStaffRole.model_validate(event)
    user = table.get(User, id=wish.user_id)
    if people.grant(user, wish.role, wish.tier, revoke=wish.revoke):
        details = wish.model_dump(mode="json", exclude={"user_id"}, exclude_none=True)
        table.commit(user, action="grant_staff_role", actor=OPERATOR, details=details)
    return StaffGrant.of(user).model_dump(mode="json")


lambda_handler = task(grant_staff_role)
