"""An operator grants platform roles and tiers."""

from typing import Any

import pytest
from pydantic import ValidationError

from bloxtr8 import ids
from bloxtr8.errors import DomainError, NotFound
from tests import factories
from tests.emulator import Platform, template

FUNCTION = "GrantStaffRoleFunction"


def test_no_route_leads_here() -> None:
    assert "Events" not in template()["Resources"][FUNCTION]["Properties"]


def test_grants_a_role_and_a_tier(aws: Platform) -> None:
    user = factories.user()
    answer = aws.invoke("grant_staff_role", {"userId": user.id, "role": "ARBITER", "tier": "TIER_2"})
    assert answer == {"userId": user.id, "platformRoles": ["ARBITER"], "kycTier": "TIER_2"}
    me = aws.call("get_me", user).body
    assert (me["platformRoles"], me["kycTier"], me["kycVerified"]) == (["ARBITER"], "TIER_2", True)
    entry = aws.audit(user.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("grant_staff_role", "grant_staff_role", "SYSTEM")
    assert entry.details == {"role": "ARBITER", "tier": "TIER_2", "revoke": False}


def test_roles_add_up_and_are_taken_one_by_one(aws: Platform) -> None:
    user = factories.user()
    for role in ("SUPPORT", "PADMIN"):
        aws.invoke("grant_staff_role", {"userId": user.id, "role": role})
    answer = aws.invoke("grant_staff_role", {"userId": user.id, "role": "SUPPORT", "revoke": True})
    assert answer == {"userId": user.id, "platformRoles": ["PADMIN"], "kycTier": "TIER_1"}
    assert len(aws.audit(user.id)) == 4


@pytest.mark.parametrize("wish", [{"role": "SUPPORT"}, {"tier": "TIER_1"}, {"role": "PADMIN", "revoke": True}])
def test_what_is_so_already_writes_nothing(aws: Platform, wish: dict[str, Any]) -> None:
    user = factories.user(platform_roles=frozenset({"SUPPORT"}))
    before = aws.rows()
    answer = aws.invoke("grant_staff_role", {"userId": user.id} | wish)
    assert answer["platformRoles"] == ["SUPPORT"]
    assert aws.rows() == before


def test_a_tier_can_be_taken_back(aws: Platform) -> None:
    user = factories.user(tier="TIER_2")
    assert aws.invoke("grant_staff_role", {"userId": user.id, "tier": "TIER_0"})["kycTier"] == "TIER_0"


def test_a_newcomer_may_be_staff_but_has_no_tier_before_the_link(aws: Platform) -> None:
    user = factories.newcomer()
    assert aws.invoke("grant_staff_role", {"userId": user.id, "role": "ARBITER"})["kycTier"] == "TIER_0"
    before = aws.rows()
    with pytest.raises(DomainError) as refused:
        aws.invoke("grant_staff_role", {"userId": user.id, "tier": "TIER_2"})
    assert refused.value.code == "ROBLOX_NOT_LINKED"
    assert aws.rows() == before


@pytest.mark.parametrize("wish", [{}, {"revoke": True}, {"tier": "TIER_1", "revoke": True}])
def test_refuses_a_wish_for_nothing(aws: Platform, wish: dict[str, Any]) -> None:
    user = factories.user()
    before = aws.rows()
    with pytest.raises(DomainError) as refused:
        aws.invoke("grant_staff_role", {"userId": user.id} | wish)
    assert refused.value.code == "VALIDATION_ERROR"
    assert aws.rows() == before


@pytest.mark.parametrize("wish", [{"role": "OWNER"}, {"tier": "TIER_9"}, {"role": "SUPPORT", "revoke": 1}, {"x": 1}])
def test_refuses_what_does_not_exist(aws: Platform, wish: dict[str, Any]) -> None:
    user = factories.user()
    before = aws.rows()
    with pytest.raises(ValidationError):
        aws.invoke("grant_staff_role", {"userId": user.id} | wish)
    assert aws.rows() == before


def test_refuses_nobody(aws: Platform) -> None:
    with pytest.raises(NotFound):
        aws.invoke("grant_staff_role", {"userId": ids.new("usr"), "role": "SUPPORT"})
