"""`python -m onchain.deploy --chain base-sepolia --owner 0x…`: the contract, at an address that is known before.

It goes through the deterministic deployer, so the address follows from the code, the salt and the owner alone and is
the same on every chain: USDC sent to the right vault on a wrong chain can still be reclaimed there. The owner names
the operators afterwards, himself; he should be a multisig or a hardware wallet. Nothing here signs for him.

The deploying account only pays. Its key is read from DEPLOYER_KEY, or from a keystore file whose password is asked for;
the node from RPC_URL_<chain id>, else RPC_URL. On Anvil its first account pays where no key is given.

`--dry-run` asks the node everything and sends nothing; it takes several chains: `--chain base-sepolia base --dry-run`.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from eth_abi.abi import encode
from eth_utils.address import is_address, is_checksum_address, to_checksum_address
from eth_utils.crypto import keccak

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from hexbytes import HexBytes
    from web3 import Web3
    from web3.types import TxParams

ARTIFACT = Path(__file__).resolve().parents[1] / "layers" / "shared" / "bloxtr8" / "rails" / "usdc" / "artifact.json"
DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"  # github.com/Arachnid/deterministic-deployment-proxy
SALT = keccak(text="bloxtr8 escrow 1")
WAIT_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain by its id, a node that anyone may ask, and whether money on it is real."""

    id: int
    rpc_url: str
    real_money: bool = False


CHAINS = {
    "anvil": Chain(31337, "http://127.0.0.1:8545"),
    "base-sepolia": Chain(84532, "https://sepolia.base.org"),
    "base": Chain(8453, "https://mainnet.base.org", real_money=True),
}


class NotDeployed(Exception):
    """Nothing was sent, or what was sent came to nothing; the message says why."""


def contract(name: str = "Escrow") -> dict[str, Any]:
    """`abi`, `bytecode`, `deployedBytecode` and `immutables` of a contract in the committed artifact."""
    return cast(dict[str, Any], json.loads(ARTIFACT.read_text())["contracts"][name])


def init_code(owner: str) -> bytes:
    """What creates the Escrow of `owner`. Raises NotDeployed for an owner that is no address, or zero."""
    if not is_address(owner) or int(owner, 16) == 0:
        raise NotDeployed(f"{owner} can own nothing")
    if owner[2:] not in (owner[2:].lower(), owner[2:].upper()) and not is_checksum_address(owner):
        raise NotDeployed(f"{owner} is mistyped: its checksum is wrong")
    return bytes.fromhex(contract()["bytecode"][2:]) + encode(["address"], [owner])


def address_of(owner: str) -> str:
    """Where the Escrow of `owner` is, or will be, on every chain; with checksum. Raises NotDeployed."""
    return to_checksum_address(keccak(b"\xff" + bytes.fromhex(DEPLOYER[2:]) + SALT + keccak(init_code(owner)))[12:])


def is_deployed(w3: "Web3", owner: str) -> bool:
    """Whether the Escrow of `owner` is on this chain."""
    return len(w3.eth.get_code(to_checksum_address(address_of(owner)))) > 0


def deploy(w3: "Web3", owner: str, payer: "LocalAccount | None" = None) -> str:
    """The address of the Escrow of `owner` on this chain, deployed unless it is there. Raises NotDeployed.

    `payer` signs and pays for the transaction; without one the node's first account does, as on Anvil.
    """
    address = address_of(owner)
    if is_deployed(w3, owner):
        return address
    if not w3.eth.get_code(to_checksum_address(DEPLOYER)):
        raise NotDeployed(f"The deterministic deployer {DEPLOYER} is not on chain {w3.eth.chain_id}")
    receipt = w3.eth.wait_for_transaction_receipt(_send(w3, SALT + init_code(owner), payer), WAIT_SECONDS)
    if not is_deployed(w3, owner):  # of two runs at once one fails, and the contract is there all the same
        raise NotDeployed(f"Transaction {receipt['transactionHash'].to_0x_hex()} deployed nothing")
    return address


def rehearse(w3: "Web3", owner: str, payer: str | None = None) -> tuple[int, int]:
    """What deploying it now would take, asked of the node: gas, and wei at today's price. Nothing is sent.

    Raises NotDeployed where it would come to nothing: there is no deployer, it would make another address, or the payer
    (an address, where one is known) has too little ether.
    """
    address = address_of(owner)
    if not w3.eth.get_code(to_checksum_address(DEPLOYER)):
        raise NotDeployed(f"The deterministic deployer {DEPLOYER} is not on chain {w3.eth.chain_id}")
    transaction: TxParams = {"to": to_checksum_address(DEPLOYER), "data": SALT + init_code(owner)}
    made = w3.eth.call(transaction)
    if made != bytes.fromhex(address[2:]):
        raise NotDeployed(f"The deployer on chain {w3.eth.chain_id} would make {made.to_0x_hex()}, not {address}")
    gas = w3.eth.estimate_gas(transaction)
    wei = gas * w3.eth.gas_price
    if payer is not None and (has := w3.eth.get_balance(to_checksum_address(payer))) < 2 * wei:
        raise NotDeployed(f"{payer} has {has} wei on chain {w3.eth.chain_id}, and up to {2 * wei} are needed")
    return gas, wei


def _send(w3: "Web3", data: bytes, payer: "LocalAccount | None") -> "HexBytes":
    """The hash of the transaction that asks the deployer to create `data` (the salt, then the code)."""
    sender = payer.address if payer else w3.eth.accounts[0]
    transaction: TxParams = {
        "from": sender,
        "to": to_checksum_address(DEPLOYER),
        "data": data,
        "value": w3.to_wei(0, "wei"),
    }
    if payer is None:
        return w3.eth.send_transaction(transaction)
    tip = w3.eth.max_priority_fee
    transaction |= {
        "chainId": w3.eth.chain_id,
        "nonce": w3.eth.get_transaction_count(payer.address),
        "gas": w3.eth.estimate_gas(transaction) * 11 // 10,
        "maxPriorityFeePerGas": tip,
        "maxFeePerGas": w3.to_wei(2 * w3.eth.get_block("latest")["baseFeePerGas"] + tip, "wei"),
    }
    return w3.eth.send_raw_transaction(payer.sign_transaction(cast(dict[str, Any], transaction)).raw_transaction)


def _payer(keystore: Path | None) -> "LocalAccount | None":
    """The account that pays: from the keystore file, else from DEPLOYER_KEY, else none."""
    from eth_account import Account

    if keystore is not None:
        account = Account.from_key(Account.decrypt(keystore.read_text(), getpass.getpass(f"Password of {keystore}: ")))
    elif key := os.environ.get("DEPLOYER_KEY"):
        account = Account.from_key(key)
    else:
        return None
    return cast("LocalAccount", account)


def _node(name: str) -> "Web3":
    """The node of a chain. Raises NotDeployed where it is of another."""
    from web3 import Web3

    chain = CHAINS[name]
    url = os.environ.get(f"RPC_URL_{chain.id}") or os.environ.get("RPC_URL") or chain.rpc_url
    w3 = Web3(Web3.HTTPProvider(url))
    if w3.eth.chain_id != chain.id:
        raise NotDeployed(f"The node is on chain {w3.eth.chain_id}, and {name} is {chain.id}")
    return w3


def _run(args: argparse.Namespace) -> None:
    address = address_of(args.owner)
    print(f"Owner     {to_checksum_address(args.owner)}")
    print(f"Escrow    {address}, on every chain")
    if args.predict:
        return
    payer = _payer(args.keystore)
    for name in args.chain:
        if args.dry_run:
            _rehearse(name, args.owner, payer)
        else:
            _deploy(name, args, payer)


def _rehearse(name: str, owner: str, payer: "LocalAccount | None") -> None:
    w3 = _node(name)
    if is_deployed(w3, owner):
        print(f"It is already on {name}; nothing would be sent.")
        return
    gas, wei = rehearse(w3, owner, payer.address if payer else None)
    who = payer.address if payer else "nobody yet"
    print(f"It would be on {name} (chain {CHAINS[name].id}): {gas} gas, {wei / 10**18:.6f} ether now, paid by {who}.")


def _deploy(name: str, args: argparse.Namespace, payer: "LocalAccount | None") -> None:
    if CHAINS[name].real_money and not args.audited:
        raise NotDeployed(f"{name} holds real money: deploy there once the contract is audited, with --audited")
    if payer is None and name != "anvil":
        raise NotDeployed("Nobody to pay for it: set DEPLOYER_KEY or give --keystore")
    w3 = _node(name)
    if is_deployed(w3, args.owner):
        print(f"It is already on {name}; nothing was sent.")
        return
    print(f"Sending to {name} …", flush=True)
    deploy(w3, args.owner, payer)
    print(f"It is on {name} now. Its owner lets the platform's signer settle: setOperator(signer, true).")


def main(argv: Sequence[str]) -> int:
    """0 where the contract is there (or, with --predict or --dry-run, would be), 1 where it was refused."""
    parser = argparse.ArgumentParser(prog="python -m onchain.deploy", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--chain", choices=CHAINS, nargs="+", required=True)
    parser.add_argument("--owner", required=True, help="the address that will name the operators")
    parser.add_argument("--keystore", type=Path, help="an encrypted key file of the account that pays")
    parser.add_argument("--predict", action="store_true", help="say the address and send nothing")
    parser.add_argument("--dry-run", action="store_true", help="ask the node what deploying would take; send nothing")
    parser.add_argument(
        "--audited", action="store_true", help="the contract has been audited: a chain of real money may be used"
    )
    try:
        _run(parser.parse_args(argv))
    except NotDeployed as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
