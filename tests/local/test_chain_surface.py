"""The chain of the real template: functions are told of it, testers drive it over HTTP, time is one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_keys.datatypes import Signature
from eth_utils.crypto import keccak

from local.chain.rpc import call_data
from local.chain.settings import address_of
from local.stack import Stack
from local.trader import Trader, World

DOLLAR = 1_000_000
DAY = 86_400
BOB = "0x" + "b2" * 20


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        yield running


def ask(stack: Stack, method: str, path: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{stack.local}/_local/chain{path}", json=body, timeout=20)


def test_the_functions_and_the_addresses_tell_of_the_same_chain(stack: Stack) -> None:
    env = next(iter(stack.platform.functions.values())).env
    told = ask(stack, "GET", "").json()
    assert (env["CHAIN_ID"], env["CHAIN_IDS"], env["SIGNER_KEY_ID"]) == ("31337", "31337", "alias/SignerKey")
    assert (env["USDC_ADDRESS"], env["ESCROW_CONTRACT"]) == (told["usdc"], told["escrowContract"])
    assert (env["FEE_ADDRESS"], env["CHAIN_FINALITY"]) == (told["feeAddress"], "latest")
    assert {name: stack.addresses[name] for name in ("rpc", "chainId", "usdc", "escrowContract")} == {
        "rpc": told["rpc"], "chainId": "31337", "usdc": told["usdc"], "escrowContract": told["escrowContract"],
    }  # fmt: skip
    secret = stack.client("secretsmanager").get_secret_value(SecretId="bloxtr8/local/chain")["SecretString"]
    assert json.loads(secret)["rpcUrl"] == stack.chain.url


def test_the_account_of_the_key_in_kms_may_settle(stack: Stack) -> None:
    kms = stack.client("kms")
    account = address_of(kms.get_public_key(KeyId="alias/SignerKey")["PublicKey"])
    assert account == stack.chain.operator
    assert int(stack.chain.call(stack.chain.escrow, call_data("isOperator(address)", account)), 16) == 1
    assert stack.chain.ether(account) > 0


def test_a_signature_of_a_digest_recovers_to_that_account(stack: Stack) -> None:
    digest = keccak(b"a transaction")
    told = {"MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    der = stack.client("kms").sign(KeyId="alias/SignerKey", Message=digest, **told)["Signature"]
    r, s = decode_dss_signature(der)
    recovered = {Signature(vrs=(v, r, s)).recover_public_key_from_msg_hash(digest).to_address() for v in (0, 1)}
    assert stack.chain.operator in recovered


def test_a_tester_gets_a_wallet_that_signs_and_pays(stack: Stack) -> None:
    world = World(stack.addresses)
    wallet = world.make_wallet(3 * DOLLAR)
    assert (stack.chain.balance(wallet.address), stack.chain.ether(wallet.address)) == (3 * DOLLAR, 10**18)
    signature = wallet.sign("bloxtr8.com wants you to sign in")
    message = encode_defunct(text="bloxtr8.com wants you to sign in")
    assert Account.recover_message(message, signature=signature).lower() == wallet.address
    assert Account.from_key(wallet.key).address.lower() == wallet.address
    before = stack.chain.balance(BOB)
    tx_hash = world.pay_usdc(BOB, DOLLAR, sender=wallet.address)
    world.pay_usdc(BOB, 2 * DOLLAR)
    assert stack.chain.balance(BOB) - before == 3 * DOLLAR
    assert stack.chain.wait(tx_hash)["from"] == wallet.address


def test_a_person_proves_a_wallet(stack: Stack) -> None:
    world = World(stack.addresses)
    ann = Trader(world, "ann", "501", "601")
    ann.sign_in()
    ann.link_roblox()
    wallet = ann.link_wallet(DOLLAR)
    me = ann.get("/me")
    assert (me["walletAddress"].lower(), me["walletRisk"]) == (wallet.address, "LOW")


def test_blocks_are_mined_on_request(stack: Stack) -> None:
    paid = ask(stack, "POST", "/pay", {"to": BOB, "units": 1}).json()
    told = ask(stack, "POST", "/mine", {"blocks": 4}).json()
    assert told["heights"]["finalized"] == paid["blockNumber"] == told["heights"]["latest"] - 4
    assert paid["logIndex"] == 0


def test_lists_are_kept_on_request(stack: Stack) -> None:
    target = "0x" + "c3" * 20
    is_denied = call_data("isBlacklisted(address)", target)
    is_sanctioned = call_data("isSanctioned(address)", target)
    for flag in (True, False):
        told = ask(stack, "PUT", f"/lists/{target}", {"sanctioned": flag, "denied": flag}).json()
        assert told == {"address": target, "sanctioned": flag, "denied": flag}
        assert int(stack.chain.call(stack.chain.usdc, is_denied), 16) == flag
        assert int(stack.chain.call(stack.chain.oracle, is_sanctioned), 16) == flag


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/pay", {"to": BOB, "units": -1}),
        ("POST", "/pay", {"to": BOB, "units": "1"}),
        ("POST", "/pay", {"to": "bob", "units": 1}),
        ("POST", "/pay", {"to": BOB, "units": 1, "from": "0x" + "d4" * 20}),
        ("POST", "/mine", {"blocks": True}),
        ("POST", "/wallets", []),
        ("PUT", f"/lists/{BOB}", {}),
        ("PUT", f"/lists/{BOB}", {"denied": 1}),
    ],
)
def test_what_makes_no_sense_is_refused(stack: Stack, method: str, path: str, body: Any) -> None:
    answer = ask(stack, method, path, body)
    assert (answer.status_code, list(answer.json())) == (400, ["message"])


def test_the_chains_time_follows_the_clock_and_never_goes_back(stack: Stack) -> None:
    before = stack.chain.now()
    url = f"{stack.local}/_local/clock"
    requests.put(url, json={"offsetSeconds": 100 * DAY}, timeout=5)
    ahead = stack.chain.now()
    assert abs(ahead - before - 100 * DAY) < 60
    requests.put(url, json={"offsetSeconds": 0}, timeout=5)
    assert stack.chain.now() == ahead
