"""A chain of our own with Circle's token on it, as the measurements and the tests of this room need it."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.types import TxReceipt

from onchain.forge import ROOT, program

GENESIS = 1_800_000_000  # so that the same run always costs the same
TOKEN = ROOT / "node_modules" / "@offchainlabs" / "stablecoin-evm" / "artifacts" / "hardhat" / "contracts"


@contextmanager
def anvil(chain_id: int = 31337) -> Iterator[Web3]:
    """A fresh Anvil on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        program("anvil"),
        "--port",
        str(port),
        "--chain-id",
        str(chain_id),
        "--timestamp",
        str(GENESIS),
        "--silent",
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        w3 = Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}"))
        for _ in range(200):
            if w3.is_connected():
                break
            time.sleep(0.05)
        yield w3
    finally:
        process.terminate()
        process.wait()


def sent(w3: Web3, call: ContractFunction, sender: str) -> TxReceipt:
    """The receipt of a real transaction of one of Anvil's accounts."""
    return w3.eth.wait_for_transaction_receipt(
        call.transact({"from": Web3.to_checksum_address(sender)}), poll_latency=0.01
    )


def created(w3: Web3, artifact: dict[str, Any], *args: object) -> Contract:
    """A contract of the first account."""
    made = w3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
    receipt = w3.eth.wait_for_transaction_receipt(
        made.constructor(*args).transact({"from": w3.eth.accounts[0]}), poll_latency=0.01
    )
    address = receipt["contractAddress"]
    assert address is not None
    return w3.eth.contract(address=address, abi=artifact["abi"])


def fiat_token(w3: Web3) -> Contract:
    """Circle's FiatTokenV2_2 behind its proxy, of which the first account is everything but the proxy's admin."""
    first, last = w3.eth.accounts[0], w3.eth.accounts[-1]
    library = created(w3, _circle("util/SignatureChecker"))
    token = _circle("v2/FiatTokenV2_2")
    proxy = created(w3, _circle("v1/FiatTokenProxy"), created(w3, _linked(token, library.address)).address)
    sent(w3, proxy.functions.changeAdmin(last), first)
    usdc = w3.eth.contract(address=proxy.address, abi=token["abi"])
    for call in (
        usdc.functions.initialize("USD Coin", "USDC", "USD", 6, first, first, first, first),
        usdc.functions.initializeV2("USD Coin"),
        usdc.functions.initializeV2_1(first),
        usdc.functions.initializeV2_2([], "USDC"),
        usdc.functions.configureMinter(first, 2**64),
    ):
        sent(w3, call, first)
    return usdc


def _circle(path: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((TOKEN / f"{path}.sol" / f"{path.split('/')[1]}.json").read_text())
    return read


def _linked(artifact: dict[str, Any], library: str) -> dict[str, Any]:
    code = artifact["bytecode"]
    for reference in artifact["linkReferences"]["contracts/util/SignatureChecker.sol"]["SignatureChecker"]:
        start = 2 + reference["start"] * 2
        code = code[:start] + library[2:].lower() + code[start + 40 :]
    return artifact | {"bytecode": code}
