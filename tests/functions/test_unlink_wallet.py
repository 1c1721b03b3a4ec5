"""The wallet is forgotten."""

from functools import partial

from bloxtr8 import actors, table
from bloxtr8.entities import Deals, User
from bloxtr8.errors import StaleWrite
from tests import factories
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions.people import deals_of
from tests.functions.wallets import key, link, marks
from tests.nodes import NodeDouble

ROUNDS = 5


def holder(aws: Platform) -> User:
    user = factories.user()
    assert link(aws, user, key()).status == 200
    return user


def test_forgets_the_wallet_and_what_was_found_of_it(aws: Platform, node: NodeDouble) -> None:
    user = holder(aws)
    answer = aws.call("unlink_wallet", user)
    assert (answer.status, answer.body) == (204, None)
    me = aws.call("get_me", user).body
    assert (me["walletAddress"], me["walletRisk"], me["screenedAt"]) == (None, None, None)
    assert marks(aws) == {}
    entry = aws.audit(user.id)[-1]
    assert (entry.action, entry.actor) == ("unlink_wallet", user.id)


def test_the_wallet_is_free_for_anybody(aws: Platform, node: NodeDouble) -> None:
    user, other, account = factories.user(), factories.user(), key()
    assert link(aws, user, account).status == 200
    assert aws.call("unlink_wallet", user).status == 204
    assert link(aws, other, account).status == 200


def test_refuses_while_a_deal_is_open(aws: Platform, node: NodeDouble) -> None:
    user = holder(aws)
    deals_of(user, open=1)
    refused(aws, 409, "HAS_OPEN_DEALS", "unlink_wallet", user)
    assert "unlink_wallet" not in aws.call("get_me", user).body["allowedActions"]


def test_an_accept_at_the_same_time_cannot_slip_through(aws: Platform, node: NodeDouble) -> None:
    """Both read the Deals row; whoever commits second finds it changed."""

    def accept(user: User) -> bool:
        row, deals = table.load(table.ref(User, id=user.id), table.ref(Deals, user_id=user.id))
        if row.wallet is None:
            return False
        deals.open += 1
        other = factories.newcomer()
        try:
            table.commit(other, deals, action="accept_offer", actor=actors.system("test"), checks=[row])
        except StaleWrite:
            return False
        return True

    for _ in range(ROUNDS):
        user = holder(aws)
        accepted, answer = together(partial(accept, user), partial(aws.call, "unlink_wallet", user))
        row, deals = table.load(table.ref(User, id=user.id), table.ref(Deals, user_id=user.id))
        assert answer.status == (409 if accepted else 204)
        assert (deals.open, row.wallet is None) == (int(accepted), not accepted)


def test_nothing_linked_is_no_error_and_no_write(aws: Platform) -> None:
    user = factories.user()
    before = aws.rows()
    assert aws.call("unlink_wallet", user).status == 204
    assert aws.rows() == before


def test_of_two_at_once_both_are_done_and_one_wrote(aws: Platform, node: NodeDouble) -> None:
    for _ in range(ROUNDS):
        user = holder(aws)
        answers = together(*[partial(aws.call, "unlink_wallet", user)] * 2)
        assert [answer.status for answer in answers] == [204, 204]
        assert [entry.action for entry in aws.audit(user.id)][2:] == ["unlink_wallet"]


def test_who_is_tier_0_again_may_unlink(aws: Platform, node: NodeDouble) -> None:
    user = holder(aws)
    assert aws.call("unlink_roblox", user).status == 204
    assert aws.call("unlink_wallet", user).status == 204
    assert marks(aws) == {}


def test_refuses_a_version_that_is_not_the_one_seen(aws: Platform, node: NodeDouble) -> None:
    user = holder(aws)
    refused(aws, 412, "VERSION_MISMATCH", "unlink_wallet", user, headers={"If-Match": '"7"'})
    assert aws.call("unlink_wallet", user, headers={"If-Match": '"2"'}).status == 204


def test_refuses_nobody(aws: Platform) -> None:
    assert aws.call("unlink_wallet").status == 401
