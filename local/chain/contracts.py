"""What is on the local chain: Circle's own token, the list of the sanctioned, and our Escrow."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.chain.node import ROOT
from local.chain.rpc import arguments, call_data
from onchain import deploy

ORACLE = "0x3a91a31cb3dc49b4db9ce721f50a9d076c8d739b"  # where Chainalysis's oracle is on Base
# The oracle's stub: isSanctioned(address) is the word in the slot that the address names, anything else reverts.
ORACLE_CODE = (
    "0x5f3560e01c63df592f7d14"  # calldataload(0) >> 224 == 0xdf592f7d, the selector of isSanctioned(address)
    "601157"  # jump to 0x11 if so
    "5f5ffd"  # revert
    "5b600435545f5260205ff3"  # 0x11: return sload(calldataload(4))
)
DOWN_CODE = "0x5f5ffd"  # reverts whatever it is asked
MINTER_UNITS = 2**64 - 1
_CIRCLE = ROOT / "node_modules" / "@offchainlabs" / "stablecoin-evm" / "artifacts" / "hardhat" / "contracts"

type Send = Callable[[str, str | None, str], dict[str, Any]]
"""(sender, to or None to create, data) → the receipt."""


@dataclass(frozen=True)
class Roles:
    """Who is who: Anvil's first accounts."""

    issuer: str  # makes every contract; owner, master minter and minter of the token
    pauser: str
    denier: str  # keeps the token's deny-list
    token_admin: str  # may upgrade the token's proxy
    escrow_owner: str  # names the Escrow's operators
    fees: str  # the platform's fee address
    exchange: str  # an exchange, from which people withdraw


class Token:
    """Circle's FiatTokenV2_2: the code once, a proxy for every token. Addresses are lower-case."""

    def __init__(self, send: Send, roles: Roles) -> None:
        self._send, self._roles = send, roles
        library = self._create(_circle("util/SignatureChecker")["bytecode"])
        token = _circle("v2/FiatTokenV2_2")
        self._code = self._create(_linked(token, library))

    def make(self, name: str, symbol: str) -> str:
        """A token behind a proxy of its own, every version of it initialised, with a minter."""
        roles = self._roles
        proxy = self._create(_circle("v1/FiatTokenProxy")["bytecode"] + arguments("(address)", self._code))
        owner = roles.issuer
        first = "initialize(string,string,string,uint8,address,address,address,address)"
        for data in (
            call_data("changeAdmin(address)", roles.token_admin),
            call_data(first, name, symbol, "USD", 6, owner, roles.pauser, roles.denier, owner),
            call_data("initializeV2(string)", name),
            call_data("initializeV2_1(address)", owner),
            call_data("initializeV2_2(address[],string)", [], symbol),
            call_data("configureMinter(address,uint256)", owner, MINTER_UNITS),
        ):
            self._send(owner, proxy, data)
        return proxy

    def _create(self, code: str) -> str:
        return str(self._send(self._roles.issuer, None, code)["contractAddress"])


def deploy_escrow(send: Send, roles: Roles) -> str:
    """Our Escrow through the deterministic deployer, as on every chain."""
    send(roles.issuer, deploy.DEPLOYER, "0x" + (deploy.SALT + deploy.init_code(roles.escrow_owner)).hex())
    return deploy.address_of(roles.escrow_owner).lower()


def _circle(path: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((_CIRCLE / f"{path}.sol" / f"{path.split('/')[1]}.json").read_text())
    return read


def _linked(artifact: dict[str, Any], library: str) -> str:
    """Its creation code with the library's address in every place that is left open for it."""
    code: str = artifact["bytecode"]
    for reference in artifact["linkReferences"]["contracts/util/SignatureChecker.sol"]["SignatureChecker"]:
        start = 2 + 2 * reference["start"]
        code = code[:start] + library[2:] + code[start + 40 :]
    return code
