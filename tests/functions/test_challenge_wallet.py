"""A message that a wallet shall sign."""

from typing import Any

import pytest

from bloxtr8 import clock as clock_module
from bloxtr8 import config, table
from bloxtr8.domain import wallets
from bloxtr8.entities import WalletNonce
from tests import factories
from tests.checks import refused
from tests.emulator import Clock, Platform
from tests.functions.people import deals_of
from tests.nodes import ORACLE, TOKEN, known

SHOWN = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def test_the_message_is_that_of_eip_4361(aws: Platform, clock: Clock) -> None:
    user = factories.user()
    answer = aws.call("challenge_wallet", user, {"address": SHOWN.lower()})
    assert answer.status == 200
    nonce, expires_at = answer.body["nonce"], answer.body["expiresAt"]
    row = table.get(WalletNonce, nonce=nonce)
    issued = clock_module.parse(expires_at).timestamp() - 600
    assert answer.body["message"].split("\n") == [
        "bloxtr8.com wants you to sign in with your Ethereum account:",
        SHOWN,
        "",
        wallets.STATEMENT,
        "",
        "URI: https://bloxtr8.com",
        "Version: 1",
        "Chain ID: 84532",
        f"Nonce: {nonce}",
        f"Issued At: {clock_module.iso(row.expires_at.fromtimestamp(issued, row.expires_at.tzinfo))}",
        f"Expiration Time: {expires_at}",
        f"Request ID: {user.id}",
    ]
    assert (row.user_id, row.address, row.message) == (user.id, SHOWN.lower(), answer.body["message"])
    assert row.ttl == row.expires_at.replace(microsecond=0)


def test_every_message_is_another(aws: Platform) -> None:
    user = factories.user()
    nonces = {aws.call("challenge_wallet", user, {"address": SHOWN}).body["nonce"] for _ in range(3)}
    assert len(nonces) == 3
    assert all(nonce.isalnum() and len(nonce) >= 8 for nonce in nonces)


def test_it_changes_nothing_of_the_person(aws: Platform) -> None:
    user = factories.user()
    aws.call("challenge_wallet", user, {"address": SHOWN})
    assert aws.call("get_me", user).body["walletAddress"] is None
    assert len(aws.audit(user.id)) == 1


@pytest.mark.parametrize(
    "address",
    [
        "vitalik.eth",
        SHOWN[:-1],
        SHOWN[2:],
        SHOWN.replace("aAeb", "AAeb"),  # one letter in the wrong case
        "0x" + "00" * 20,
        "0x" + "00" * 19 + "01",  # ecrecover
        "0x" + "00" * 18 + "0100",  # P256VERIFY
        "0x4200000000000000000000000000000000000006",  # wrapped ether on Base
        "0x4e59b44847b379578588920cA78FbF26c0B4956C",
        "0x000000000000000000000000000000000000dEaD",
        TOKEN,
        ORACLE,
        "0x" + "e5" * 20,
        "0x" + "fe" * 20,
    ],
)
def test_refuses_what_is_nobodys_wallet(aws: Platform, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    ours = {"ESCROW_CONTRACT": "0x" + "E5" * 20, "FEE_ADDRESS": "0x" + "fe" * 20}
    with known(monkeypatch, USDC_ADDRESS=TOKEN, SANCTIONS_ORACLE=ORACLE, **ours):
        refused(aws, 422, "BAD_ADDRESS", "challenge_wallet", factories.user(), {"address": address})


def test_an_address_that_is_only_no_setting_is_a_wallet(aws: Platform) -> None:
    """Nothing is configured: the empty settings are nobody's address."""
    assert config.settings().escrow_contract == ""
    assert aws.call("challenge_wallet", factories.user(), {"address": "0x" + "e5" * 20}).status == 200


@pytest.mark.parametrize("body", [{}, {"address": None}, {"address": ""}, {"address": 1}, {"address": "0x\x00"}])
def test_refuses_a_body_of_the_wrong_form(aws: Platform, body: dict[str, Any]) -> None:
    refused(aws, 400, "VALIDATION_ERROR", "challenge_wallet", factories.user(), body)


def test_refuses_tier_0_and_the_banned(aws: Platform) -> None:
    refused(aws, 403, "KYC_REQUIRED", "challenge_wallet", factories.newcomer(), {"address": SHOWN})
    refused(aws, 403, "BANNED", "challenge_wallet", factories.user(banned=True), {"address": SHOWN})


def test_an_open_deal_is_no_reason_not_to_ask(aws: Platform) -> None:
    user = factories.user()
    deals_of(user, open=1)
    assert aws.call("challenge_wallet", user, {"address": SHOWN}).status == 200


def test_refuses_nobody(aws: Platform) -> None:
    assert aws.call("challenge_wallet", None, {"address": SHOWN}).status == 401
