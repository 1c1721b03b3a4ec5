"""A proven and screened wallet becomes a person's."""

from functools import partial
from typing import Any

import pytest

from bloxtr8 import actors, addresses, clock, table
from bloxtr8.entities import Deals, User
from bloxtr8.errors import StaleWrite
from local.chain.chain import Chain
from tests import factories
from tests.checks import refused, together
from tests.emulator import Clock, Platform
from tests.functions.people import deals_of
from tests.functions.wallets import challenged, key, link, marks, proven, signed
from tests.nodes import ORACLE, TOKEN, NodeDouble, known
from tests.wire import Wire

ROUNDS = 5


def test_links_a_wallet_that_signed_and_is_on_no_list_of_the_chain(aws: Platform, chain: Chain) -> None:
    user, account = factories.user(), key()
    answer = link(aws, user, account)
    assert answer.status == 200
    assert answer.body == {
        "walletAddress": account.address,
        "walletRisk": "LOW",
        "screenedAt": answer.body["screenedAt"],
    }
    me = aws.call("get_me", user).body
    assert {name: me[name] for name in answer.body} == answer.body
    assert marks(aws) == {account.address.lower(): user.id}


def test_what_was_found_is_kept_with_the_person_and_in_the_audit(aws: Platform, node: NodeDouble) -> None:
    user, account = factories.user(), key()
    answer = link(aws, user, account)
    row = table.get(User, id=user.id)
    assert (row.wallet, row.wallet_screening) == (
        account.address.lower(),
        {
            "risk": "LOW",
            "source": "sanctions only",
            "version": "block 16 of chain 84532",
            "at": answer.body["screenedAt"],
            "lists": ["Chainalysis sanctions oracle", "USDC deny-list"],
        },
    )
    entry = aws.audit(user.id)[-1]
    assert (entry.action, entry.actor, entry.details) == ("link_wallet", user.id, row.wallet_screening)


def test_nobody_else_sees_it(aws: Platform, node: NodeDouble) -> None:
    user, account = factories.user(), key()
    assert link(aws, user, account).status == 200
    card = aws.call("get_user", factories.user(), user_id=user.id).body
    assert account.address.lower() not in str(card).lower()
    assert not [name for name in card if "wallet" in name.lower() or "screened" in name.lower()]


def test_another_wallet_takes_its_place(aws: Platform, node: NodeDouble) -> None:
    user, other, first, second = factories.user(), factories.user(), key(), key()
    assert link(aws, user, first).status == 200
    assert link(aws, user, second).body["walletAddress"] == second.address
    assert marks(aws) == {second.address.lower(): user.id}
    assert link(aws, other, first).status == 200


def test_the_same_wallet_again_is_screened_again(aws: Platform, node: NodeDouble, clock: Clock) -> None:
    user, account = factories.user(), key()
    first = link(aws, user, account).body
    clock.advance(hours=25)
    assert aws.call("get_me", user).body["walletRisk"] == "UNKNOWN"
    again = link(aws, user, account).body
    assert again["screenedAt"] > first["screenedAt"]
    assert aws.call("get_me", user).body["walletRisk"] == "LOW"
    assert marks(aws) == {account.address.lower(): user.id}


def test_the_table_is_asked_three_times_at_most(aws: Platform, node: NodeDouble, wire: Wire) -> None:
    user = factories.user()
    for trips in (2, 3):  # the first wallet, and another
        body = proven(aws, user, key())
        before = wire.round_trips()
        assert aws.call("link_wallet", user, body).status == 200
        assert wire.round_trips() - before == trips


# --- the proof


def test_refuses_a_signature_of_another_wallet(aws: Platform, node: NodeDouble) -> None:
    user, mine, theirs = factories.user(), key(), key()
    challenge = challenged(aws, user, theirs)
    body = {
        "address": theirs.address,
        "nonce": challenge["nonce"],
        "signature": signed(mine, challenge["message"]),
    }
    answer = aws.call("link_wallet", user, body)
    assert (answer.status, answer.code) == (401, "BAD_SIGNATURE")
    assert marks(aws) == {}


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("Chain ID: 84532", "Chain ID: 8453"),
        ("bloxtr8.com wants", "bloxtr8.example wants"),
        ("Nonce: ", "Nonce: 0"),
        ("Version: 1", "Version: 2"),
        ("Request ID: usr_", "Request ID: usr"),
    ],
)
def test_refuses_the_signature_of_another_message(aws: Platform, node: NodeDouble, there: str, here: str) -> None:
    user, account = factories.user(), key()
    challenge = challenged(aws, user, account)
    message = challenge["message"].replace(there, here)
    assert message != challenge["message"]
    body = {"address": account.address, "nonce": challenge["nonce"], "signature": signed(account, message)}
    answer = aws.call("link_wallet", user, body)
    assert (answer.status, answer.code) == (401, "BAD_SIGNATURE")


def test_a_message_is_good_once(aws: Platform, node: NodeDouble) -> None:
    user, account = factories.user(), key()
    body = proven(aws, user, account)
    assert aws.call("link_wallet", user, body).status == 200
    assert aws.call("unlink_wallet", user).status == 204
    refused(aws, 401, "BAD_SIGNATURE", "link_wallet", user, body)


def test_a_wrong_signature_spends_the_message_too(aws: Platform, node: NodeDouble) -> None:
    user, account = factories.user(), key()
    body = proven(aws, user, account)
    assert aws.call("link_wallet", user, body | {"signature": signed(key(), "x")}).code == "BAD_SIGNATURE"
    refused(aws, 401, "BAD_SIGNATURE", "link_wallet", user, body)


def test_a_message_lives_ten_minutes(aws: Platform, node: NodeDouble, clock: Clock) -> None:
    user, account = factories.user(), key()
    body = proven(aws, user, account)
    clock.advance(minutes=10)
    answer = aws.call("link_wallet", user, body)
    assert (answer.status, answer.code) == (401, "BAD_SIGNATURE")


def test_only_who_asked_for_the_message_can_use_it(aws: Platform, node: NodeDouble) -> None:
    """A victim who is made to sign somebody else's message gives nothing away, and gets nothing."""
    attacker, victim, account = factories.user(), factories.user(), key()
    answer = aws.call("link_wallet", victim, proven(aws, attacker, account))
    assert (answer.status, answer.code) == (401, "BAD_SIGNATURE")
    assert marks(aws) == {}


def test_the_message_is_for_one_address(aws: Platform, node: NodeDouble) -> None:
    user, account, other = factories.user(), key(), key()
    answer = aws.call("link_wallet", user, proven(aws, user, account) | {"address": other.address})
    assert (answer.status, answer.code) == (401, "BAD_SIGNATURE")


@pytest.mark.parametrize("nonce", ["0" * 32, "abcdefgh"])
def test_refuses_a_message_that_is_none_of_ours(aws: Platform, node: NodeDouble, nonce: str) -> None:
    user, account = factories.user(), key()
    body = proven(aws, user, account) | {"nonce": nonce}
    refused(aws, 401, "BAD_SIGNATURE", "link_wallet", user, body)


def test_of_two_uses_of_one_message_one_wins(aws: Platform, node: NodeDouble) -> None:
    for _ in range(ROUNDS):
        user, account = factories.user(), key()
        body = proven(aws, user, account)
        answers = together(*[partial(aws.call, "link_wallet", user, body)] * 2)
        assert sorted(answer.status for answer in answers) == [200, 401]


def test_a_contract_links_by_what_it_says(aws: Platform, chain: Chain) -> None:
    from tests.outside.test_signatures import contract, deployed

    user, owner = factories.user(), key()
    wallet = addresses.checksum(deployed(chain, contract(owner=owner)))
    challenge = aws.call("challenge_wallet", user, {"address": wallet}).body
    body = {"address": wallet, "nonce": challenge["nonce"], "signature": signed(owner, challenge["message"])}
    assert aws.call("link_wallet", user, body).body["walletAddress"] == wallet


# --- the risk


@pytest.mark.parametrize("how", ["sanction", "deny"])
def test_refuses_a_wallet_on_a_list_of_the_chain(aws: Platform, chain: Chain, how: str) -> None:
    user, account = factories.user(), key()
    getattr(chain, how)(account.address.lower())
    answer = link(aws, user, account)
    assert (answer.status, answer.code) == (422, "WALLET_SANCTIONED")
    assert marks(aws) == {}
    assert aws.call("get_me", user).body["walletAddress"] is None
    assert len(aws.audit(user.id)) == 1


@pytest.mark.parametrize("risk", ["MEDIUM", "HIGH"])
def test_a_risky_wallet_is_linked_and_its_risk_kept(
    aws: Platform, node: NodeDouble, monkeypatch: pytest.MonkeyPatch, risk: str
) -> None:
    from bloxtr8.outside import screening

    graded = screening.Provider("v", lambda address: screening.Risk(risk))
    monkeypatch.setitem(screening.PROVIDERS, "test", graded)
    user, account = factories.user(), key()
    with known(monkeypatch, SCREENING_PROVIDER="test"):
        assert link(aws, user, account).body["walletRisk"] == risk
    assert aws.call("get_me", user).body["walletRisk"] == risk


def test_a_silent_list_is_502_and_links_nothing(aws: Platform, node: NodeDouble) -> None:
    del node.words[ORACLE]
    user, account = factories.user(), key()
    answer = link(aws, user, account)
    assert (answer.status, answer.code) == (502, "UPSTREAM_FAILED")
    assert marks(aws) == {}
    assert aws.call("get_me", user).body["walletAddress"] is None


def test_an_outage_leaves_an_earlier_wallet_as_it_was(aws: Platform, node: NodeDouble) -> None:
    user, first = factories.user(), key()
    before = link(aws, user, first).body
    node.faults.put("/", drop=True, times=None)
    assert link(aws, user, key()).status == 502
    me = aws.call("get_me", user).body
    assert {name: me[name] for name in before} == before


def test_without_any_list_nobody_links(aws: Platform, node: NodeDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    user, account = factories.user(), key()
    with known(monkeypatch, SANCTIONS_ORACLE="", USDC_ADDRESS=""):
        answer = link(aws, user, account)
    assert (answer.status, answer.code) == (503, "UNAVAILABLE")
    assert marks(aws) == {}


def test_after_an_outage_the_same_message_links(aws: Platform, node: NodeDouble) -> None:
    user, account = factories.user(), key()
    body = proven(aws, user, account)
    node.words.pop(TOKEN)
    assert aws.call("link_wallet", user, body).status == 502
    node.words[TOKEN] = 0
    assert aws.call("link_wallet", user, body).status == 200


# --- whose, and when


def test_one_wallet_belongs_to_one_user(aws: Platform, node: NodeDouble) -> None:
    owner, other, account = factories.user(), factories.user(), key()
    assert link(aws, owner, account).status == 200
    answer = link(aws, other, account)
    assert (answer.status, answer.code) == (409, "WALLET_TAKEN")
    assert owner.id not in str(answer.body)
    assert marks(aws) == {account.address.lower(): owner.id}


def test_of_two_users_with_one_wallet_one_wins(aws: Platform, node: NodeDouble) -> None:
    for _ in range(ROUNDS):
        users, account = [factories.user() for _ in range(2)], key()
        calls = [partial(aws.call, "link_wallet", user, proven(aws, user, account)) for user in users]
        answers = together(*calls)
        assert sorted(answer.status for answer in answers) == [200, 409]
        assert [answer.code for answer in answers if answer.status == 409] == ["WALLET_TAKEN"]
        winner = next(user for user, answer in zip(users, answers, strict=True) if answer.status == 200)
        assert marks(aws)[account.address.lower()] == winner.id


def test_of_two_wallets_of_one_user_one_stays(aws: Platform, node: NodeDouble) -> None:
    for _ in range(ROUNDS):
        user, accounts = factories.user(), [key(), key()]
        bodies = [proven(aws, user, account) for account in accounts]
        answers = together(*(partial(aws.call, "link_wallet", user, body) for body in bodies))
        assert [answer.status for answer in answers] == [200, 200]
        mine = [address for address, owner in marks(aws).items() if owner == user.id]
        assert mine == [table.get(User, id=user.id).wallet]


def test_refuses_while_a_deal_is_open_and_spends_no_message(aws: Platform, node: NodeDouble) -> None:
    user, account = factories.user(), key()
    body = proven(aws, user, account)
    deals_of(user, open=1)
    refused(aws, 409, "HAS_OPEN_DEALS", "link_wallet", user, body)
    deals_of(user, open=0)
    assert aws.call("link_wallet", user, body).status == 200
    deals_of(user, open=1)
    refused(aws, 409, "HAS_OPEN_DEALS", "link_wallet", user, body | {"nonce": "0" * 32})


def test_an_accept_at_the_same_time_cannot_slip_through(aws: Platform, node: NodeDouble) -> None:
    """Both read the Deals row; whoever commits second finds it changed."""

    def accept(user: User) -> bool:
        row, deals = table.load(table.ref(User, id=user.id), table.ref(Deals, user_id=user.id))
        deals.open += 1
        try:
            table.commit(factories.newcomer(), deals, action="accept_offer", actor=actors.system("test"), checks=[row])
        except StaleWrite:
            return False
        return True

    for _ in range(ROUNDS):
        user, first, second = factories.user(), key(), key()
        assert link(aws, user, first).status == 200
        body = proven(aws, user, second)
        accepted, answer = together(partial(accept, user), partial(aws.call, "link_wallet", user, body))
        wallet = table.get(User, id=user.id).wallet
        if answer.status == 409:
            assert (accepted, answer.code, wallet) == (True, "HAS_OPEN_DEALS", first.address.lower())
        else:
            assert (answer.status, wallet) == (200, second.address.lower())


def test_refuses_tier_0_and_the_banned(aws: Platform, node: NodeDouble) -> None:
    user, account = factories.user(), key()
    body = proven(aws, user, account)
    refused(aws, 403, "KYC_REQUIRED", "link_wallet", factories.newcomer(), body)
    refused(aws, 403, "BANNED", "link_wallet", factories.user(banned=True), body)
    assert aws.call("link_wallet", user, body).status == 200


def test_a_lost_answer_is_found_on_the_profile(aws: Platform, node: NodeDouble) -> None:
    """The message is spent, so the call can't be repeated; what it did can be read."""
    user, account = factories.user(), key()
    body = proven(aws, user, account)
    assert aws.call("link_wallet", user, body).status == 200
    refused(aws, 401, "BAD_SIGNATURE", "link_wallet", user, body)
    assert aws.call("get_me", user).body["walletAddress"] == account.address
    assert len(aws.audit(user.id)) == 2


def test_refuses_a_version_that_is_not_the_one_seen(aws: Platform, node: NodeDouble) -> None:
    user, account = factories.user(), key()
    body = proven(aws, user, account)
    refused(aws, 412, "VERSION_MISMATCH", "link_wallet", user, body, headers={"If-Match": '"7"'})
    assert aws.call("link_wallet", user, body, headers={"If-Match": '"1"'}).status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"signature": "0x"},
        {"signature": "0x123"},
        {"signature": "12" * 65},
        {"signature": "0x" + "zz" * 65},
        {"signature": "0x" + "12" * 8193},
        {"signature": None},
        {"nonce": "short"},
        {"nonce": "a#b" * 8},
        {"address": ""},
        {"userId": "usr_1"},
    ],
)
def test_refuses_a_body_of_the_wrong_form(aws: Platform, node: NodeDouble, change: dict[str, Any]) -> None:
    user = factories.user()
    body = {"address": key().address, "signature": "0x" + "12" * 65, "nonce": "0" * 32}
    refused(aws, 400, "VALIDATION_ERROR", "link_wallet", user, body | change)


def test_refuses_an_address_that_is_none(aws: Platform, node: NodeDouble) -> None:
    body = {"address": "vitalik.eth", "signature": "0x" + "12" * 65, "nonce": "0" * 32}
    refused(aws, 422, "BAD_ADDRESS", "link_wallet", factories.user(), body)


def test_refuses_nobody(aws: Platform) -> None:
    body = {"address": key().address, "signature": "0x" + "12" * 65, "nonce": "0" * 32}
    assert aws.call("link_wallet", None, body).status == 401


def test_the_day_of_a_screening_is_the_platforms(aws: Platform, node: NodeDouble) -> None:
    user, account = factories.user(), key()
    before = clock.now()
    at = clock.parse(link(aws, user, account).body["screenedAt"])
    assert before < at < clock.now()
