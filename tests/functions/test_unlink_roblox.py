"""The Roblox account is forgotten."""

from functools import partial

import pytest

from bloxtr8 import actors, table
from bloxtr8.entities import Deals, User
from bloxtr8.errors import StaleWrite
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions.people import deals_of, linked

ROUNDS = 5


@pytest.mark.parametrize("tier", ["TIER_1", "TIER_2"])
def test_forgets_the_account_and_the_tier(aws: Platform, tier: str) -> None:
    user = factories.user(tier=tier)
    answer = aws.call("unlink_roblox", user)
    assert (answer.status, answer.body) == (204, None)
    me = aws.call("get_me", user).body
    assert (me["roblox"], me["kycTier"], me["kycVerified"]) == (None, "TIER_0", False)
    assert not [row for row in aws.rows() if row["PK"]["S"].startswith("IDENT#ROBLOX#")]
    entry = aws.audit(user.id)[-1]
    assert (entry.action, entry.actor) == ("unlink_roblox", user.id)


def test_the_account_is_free_for_anybody(aws: Platform, roblox: Roblox) -> None:
    user, other = factories.user(roblox_id="77"), factories.newcomer()
    assert aws.call("unlink_roblox", user).status == 204
    answer = aws.call("finish_roblox_link", other, linked(aws, roblox, other, "77"))
    assert answer.body["kycTier"] == "TIER_1"


def test_tier_2_does_not_come_back_with_the_next_link(aws: Platform, roblox: Roblox) -> None:
    user = factories.user(tier="TIER_2")
    aws.call("unlink_roblox", user)
    answer = aws.call("finish_roblox_link", user, linked(aws, roblox, user, "78"))
    assert answer.body["kycTier"] == "TIER_1"


def test_refuses_while_a_deal_is_open(aws: Platform) -> None:
    user = factories.user()
    deals_of(user, open=1)
    refused(aws, 409, "HAS_OPEN_DEALS", "unlink_roblox", user)


def test_an_accept_at_the_same_time_cannot_slip_through(aws: Platform) -> None:
    """Both read the Deals row; whoever commits second finds it changed."""

    def accept(user: User) -> bool:
        row, deals = table.load(table.ref(User, id=user.id), table.ref(Deals, user_id=user.id))
        if row.roblox_id is None:
            return False
        deals.open += 1
        other = factories.newcomer()
        try:
            table.commit(other, deals, action="accept_offer", actor=actors.system("test"), checks=[row])
        except StaleWrite:
            return False
        return True

    for _ in range(ROUNDS):
        user = factories.user()
        accepted, answer = together(partial(accept, user), partial(aws.call, "unlink_roblox", user))
        row, deals = table.load(table.ref(User, id=user.id), table.ref(Deals, user_id=user.id))
        assert answer.status == (409 if accepted else 204)
        assert (deals.open, row.roblox_id is None) == (int(accepted), not accepted)


def test_nothing_linked_is_no_error_and_no_write(aws: Platform) -> None:
    user = factories.newcomer()
    before = aws.rows()
    assert aws.call("unlink_roblox", user).status == 204
    assert aws.rows() == before


def test_of_two_at_once_both_are_done_and_one_wrote(aws: Platform) -> None:
    for _ in range(ROUNDS):
        user = factories.user()
        answers = together(*[partial(aws.call, "unlink_roblox", user)] * 2)
        assert [answer.status for answer in answers] == [204, 204]
        assert [entry.action for entry in aws.audit(user.id)][1:] == ["unlink_roblox"]


def test_refuses_a_version_that_is_not_the_one_seen(aws: Platform) -> None:
    user = factories.user()
    refused(aws, 412, "VERSION_MISMATCH", "unlink_roblox", user, headers={"If-Match": '"7"'})
    assert aws.call("unlink_roblox", user, headers={"If-Match": '"1"'}).status == 204


def test_the_banned_may_unlink(aws: Platform) -> None:
    assert aws.call("unlink_roblox", factories.user(banned=True)).status == 204


def test_refuses_nobody(aws: Platform) -> None:
    assert aws.call("unlink_roblox").status == 401
