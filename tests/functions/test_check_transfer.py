"""check_transfer: what is known to stand in a transfer's way is told before it is paid for (M54)."""

from typing import Any

import pytest

from bloxtr8 import table
from bloxtr8.entities import Escrow, User
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions.chain import FakeChain, Wallets, chain, wallets
from tests.functions.escrows import hidden
from tests.functions.listings import user_changed
from tests.wire import Wire

__all__ = ["chain", "wallets"]
CODES = ["ASSET_HAS_OWNER", "ASSET_NOT_LOCKED", "SELLER_OWNS_ASSET"]


@pytest.fixture
def escrow(aws: Platform) -> Escrow:
    return factories.executed()


def game(aws: Platform, roblox: Roblox) -> Escrow:
    """An escrow of a game that the seller holds himself."""
    seller = factories.user()
    roblox.set_game("9001", user=seller)
    listing = factories.listing(seller, asset_type="GAME", asset_id="9001")
    made = factories.offer(listing, factories.user())
    return factories.executed(factories.contract(factories.accepted(made=made)))


def checks(aws: Platform, escrow: Escrow, user: Any = None) -> dict[str, bool | None]:
    """What each check says; each has its words."""
    answer = aws.call("check_transfer", user or escrow.buyer_id, escrow_id=escrow.id)
    assert answer.status == 200, answer.body
    assert all(check["detail"] for check in answer.body["checks"])
    return {check["code"]: check["ok"] for check in answer.body["checks"]}


def test_both_parties_see_what_a_group_needs(aws: Platform, escrow: Escrow, roblox: Roblox, wire: Wire) -> None:
    before = aws.rows()
    wire.calls.clear()
    found = checks(aws, escrow)
    assert wire.calls == ["Query", "GetItem"]
    assert list(found) == [*CODES, "BUYER_IN_GROUP", "TWO_STEP_VERIFICATION", "PAYOUT"]
    assert found == dict.fromkeys(CODES, True) | {
        "BUYER_IN_GROUP": False,
        "TWO_STEP_VERIFICATION": None,
        "PAYOUT": True,
    }
    roblox.put_member(escrow.asset_id, escrow.buyer_roblox_id)
    assert checks(aws, escrow, escrow.seller_id) == found | {"BUYER_IN_GROUP": True}
    assert aws.rows() == before


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"locked": True}, {"ASSET_NOT_LOCKED"}),
        ({"owner": None}, {"ASSET_HAS_OWNER", "SELLER_OWNS_ASSET"}),
        ({"owner": "99"}, {"SELLER_OWNS_ASSET"}),
    ],
)
def test_what_blocks_the_asset_is_named(
    aws: Platform, escrow: Escrow, roblox: Roblox, change: dict[str, Any], missing: set[str]
) -> None:
    roblox.set_group(escrow.asset_id, **change)
    found = checks(aws, escrow)
    assert {code for code in CODES if not found[code]} == missing


def test_what_is_handed_over_already_needs_nothing(aws: Platform, stripe: StripeDouble) -> None:
    found = checks(aws, factories.delivered(stripe))
    assert (found["SELLER_OWNS_ASSET"], found["BUYER_IN_GROUP"]) == (True, True)


def test_a_game_moves_to_a_group_only(aws: Platform, roblox: Roblox) -> None:
    escrow = game(aws, roblox)
    found = checks(aws, escrow)
    assert found == dict.fromkeys(CODES, True) | {
        "BUYER_HAS_GROUP": False,
        "GAME_TRANSFER_RULES": None,
        "TWO_STEP_VERIFICATION": None,
        "PAYOUT": True,
    }
    roblox.set_group("77", owner=factories.user())
    roblox.put_member("77", escrow.buyer_roblox_id)
    assert checks(aws, escrow)["BUYER_HAS_GROUP"] is False  # a member is no owner
    roblox.set_group("78", owner=escrow.buyer_roblox_id)
    assert checks(aws, escrow)["BUYER_HAS_GROUP"] is True


def test_a_seller_who_cannot_be_paid_is_told_of(aws: Platform, escrow: Escrow) -> None:
    user_changed(table.get(User, id=escrow.seller_id), payouts_ready=False)
    assert checks(aws, escrow)["PAYOUT"] is False


@pytest.mark.parametrize(("risk", "ok"), [("HIGH", False), ("SANCTIONED", False), ("UNKNOWN", None), ("LOW", True)])
def test_over_base_both_wallets_must_be_clean(
    aws: Platform, chain: FakeChain, wallets: Wallets, risk: str, ok: bool | None
) -> None:
    escrow = chains.executed()
    buyer, seller = chains.sides(escrow)
    wallets.risks = {buyer: risk}
    found = checks(aws, escrow)
    assert (found["WALLET"], found["PAYOUT"]) == (ok, True)
    wallets.risks = {seller: risk}
    found = checks(aws, escrow)
    assert (found["WALLET"], found["PAYOUT"]) == (True, ok)


def test_the_legacy_host_knows_members_too(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    roblox.faults.put("/memberships", status=503, times=None)
    assert checks(aws, escrow)["BUYER_IN_GROUP"] is False
    roblox.put_member(escrow.asset_id, escrow.buyer_roblox_id)
    assert checks(aws, escrow)["BUYER_IN_GROUP"] is True


@pytest.mark.parametrize(
    "body",
    ['{"groupMemberships": [{"user": "users/1"}]}', '{"groupMemberships": {}}', "[]", '{"groupMemberships": [7]}'],
)
def test_memberships_of_another_shape_say_nothing(aws: Platform, escrow: Escrow, roblox: Roblox, body: str) -> None:
    roblox.faults.put("/memberships", body=body, times=None)
    assert checks(aws, escrow)["BUYER_IN_GROUP"] is False  # as the legacy host says
    roblox.faults.put("/groups/roles", body='{"data": [{"group": {}}]}', times=None)
    assert aws.call("check_transfer", escrow.buyer_id, escrow_id=escrow.id).status == 502


def test_an_outage_of_roblox_says_nothing(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    roblox.down()
    answer = aws.call("check_transfer", escrow.buyer_id, escrow_id=escrow.id)
    assert (answer.status, answer.code) == (502, "UPSTREAM_FAILED")


def test_is_for_the_parties(aws: Platform, escrow: Escrow) -> None:
    hidden(aws, "check_transfer", escrow, escrow.buyer_id)
