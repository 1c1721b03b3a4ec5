"""The frozen terms, the signatures and what may be done next, for the parties and an arbiter."""

import pytest

from bloxtr8 import table
from bloxtr8.entities import Contract, PlatformRole, User
from tests import factories
from tests.checks import refused
from tests.emulator import Clock, Platform
from tests.functions.contracts import BAD_IDS, sign, void
from tests.functions.listings import user_changed
from tests.wire import Wire

SIGNING = ["sign_contract", "create_sign_link", "sign_by_link"]


@pytest.fixture
def contract(aws: Platform) -> Contract:
    return factories.contract()


def shown(aws: Platform, user: User | str, contract: Contract) -> dict[str, object]:
    answer = aws.call("get_contract", user, contract_id=contract.id)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def test_shows_what_was_agreed(aws: Platform, contract: Contract) -> None:
    view = shown(aws, contract.seller_id, contract)

    assert (view["id"], view["status"], view["sha256"]) == (contract.id, "PENDING_SIGNATURE", contract.sha256)
    assert (view["terms"], view["signBy"]) == (contract.terms, contract.terms["signBy"])
    assert (view["offerId"], view["listingId"]) == (contract.offer_id, contract.listing_id)
    assert (view["signatures"], view["escrowId"], view["reason"]) == ([], None, None)
    assert view["version"] == contract.version


def test_the_payout_account_is_the_sellers_alone(aws: Platform, contract: Contract) -> None:
    account = contract.terms["seller"]["payoutAccountId"]
    arbiter = factories.user()
    user_changed(arbiter, platform_roles=frozenset({PlatformRole.ARBITER}))

    assert account in str(shown(aws, contract.seller_id, contract))
    for reader in (contract.buyer_id, arbiter):
        view = shown(aws, reader, contract)
        assert account not in str(view)
        assert view["terms"]["seller"]["userId"] == contract.seller_id
    assert account not in str(void(aws, contract.buyer_id, contract).body)


def test_shows_the_signatures_and_the_escrow(aws: Platform, contract: Contract) -> None:
    sign(aws, contract.seller_id, contract)
    (mine,) = shown(aws, contract.buyer_id, contract)["signatures"]
    assert {name: mine[name] for name in ("userId", "side", "sha256", "method")} == {
        "userId": contract.seller_id, "side": "SELLER", "sha256": contract.sha256, "method": "API",
    }  # fmt: skip
    assert set(mine) == {"userId", "side", "sha256", "method", "at"}  # no address, no agent
    sign(aws, contract.buyer_id, contract)
    view = shown(aws, contract.buyer_id, contract)
    assert (view["status"], view["escrowId"], len(view["signatures"])) == ("EXECUTED", f"esc_{contract.ulid}", 2)


def test_says_what_the_caller_may_do_next(aws: Platform, contract: Contract, clock: Clock) -> None:
    def may(user_id: str, one: Contract = contract) -> list[str]:
        return shown(aws, user_id, one)["allowedActions"]

    waiting = factories.accepted()
    assert may(waiting.buyer_id, waiting) == ["void_contract"]
    assert may(contract.buyer_id) == may(contract.seller_id) == [*SIGNING, "void_contract"]
    sign(aws, contract.buyer_id, contract)
    assert (may(contract.buyer_id), may(contract.seller_id)) == (["void_contract"], [*SIGNING, "void_contract"])
    clock.moment = contract.sign_by
    assert may(contract.seller_id) == ["void_contract"]
    void(aws, contract.seller_id, contract)
    assert may(contract.seller_id) == []
    done = factories.contract()
    factories.executed(done)
    assert may(done.seller_id, done) == []


def test_outsiders_learn_nothing(aws: Platform, contract: Contract) -> None:
    stranger = factories.user()
    refused(aws, 404, "NOT_FOUND", "get_contract", stranger, contract_id=contract.id)
    user_changed(stranger, platform_roles=frozenset(PlatformRole) - {PlatformRole.ARBITER})
    refused(aws, 404, "NOT_FOUND", "get_contract", stranger, contract_id=contract.id)
    refused(aws, 401, "UNAUTHENTICATED", "get_contract", None, contract_id=contract.id)
    for wrong in BAD_IDS:
        refused(aws, 404, "NOT_FOUND", "get_contract", contract.buyer_id, contract_id=wrong)


def test_an_arbiter_reads_and_may_do_nothing(aws: Platform, contract: Contract) -> None:
    arbiter = factories.user()
    user_changed(arbiter, platform_roles=frozenset({PlatformRole.ARBITER}))
    assert shown(aws, arbiter, contract)["allowedActions"] == []
    refused(aws, 404, "NOT_FOUND", "void_contract", arbiter, {"reason": "x"}, contract_id=contract.id)


def test_reads_once_and_changes_nothing(aws: Platform, contract: Contract, wire: Wire) -> None:
    before = aws.rows()
    wire.calls.clear()
    shown(aws, table.get(User, id=contract.buyer_id), contract)
    assert wire.calls == ["GetItem", "Query"]  # the first is this test's
    assert aws.rows() == before
