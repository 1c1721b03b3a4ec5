"""What must be sent, to whom, and when: all of it follows from a contract's terms. Pure.

The transaction is the object that nodes and wallets take (`eth_sendTransaction`): EIP-1559, numbers in hex, unsigned.
"""

import json
from dataclasses import dataclass
from typing import Any

from bloxtr8.addresses import POSTPONEMENT_SECONDS, checksum
from bloxtr8.documents import vault_terms
from bloxtr8.documents.vault_terms import Vault
from bloxtr8.rails.usdc import reclaiming

GAS = 300_000  # the first call deploys the vault and moves the token; what isn't used isn't paid
ETHER = reclaiming.ETHER


@dataclass(frozen=True, slots=True)
class Plan:
    """One reclaim. `token`: lower-case address, ETHER for ether. `chain_id`: the terms', or where money went astray.

    `printed`: the terms came with the deposit address that they must make, and did.
    """

    vault: Vault
    token: str
    chain_id: int
    printed: bool

    @property
    def contract(self) -> str:
        """The escrow contract, which is called."""
        return checksum(self.vault.escrow_contract)

    @property
    def data(self) -> str:
        """What the contract is sent."""
        return reclaiming.call_data(self.vault.terms, self.token)

    @property
    def term(self) -> int:
        """When it works, in unix seconds, unless the term was postponed."""
        return self.vault.reclaim_after

    @property
    def postponed_term(self) -> int:
        """When it works where it was."""
        return self.vault.reclaim_after + POSTPONEMENT_SECONDS

    @property
    def arguments(self) -> tuple[list[Any], str]:
        """Those of the function, as block explorers take them."""
        shown = self.vault.shown
        names = ("escrowId", "token", "buyer", "seller", "feeReceiver", "amount", "reclaimAfter", "maxFeeBps")
        return [shown[name] for name in names], checksum(self.token)

    @property
    def cast(self) -> str:
        """The same for Foundry's `cast`, which asks for the key itself; only the node's URL is left to fill in."""
        terms, token = self.arguments
        told = ",".join(map(str, terms))
        return f"cast send {self.contract} '{reclaiming.FUNCTION}' '({told})' {token} --interactive --rpc-url URL"

    def transaction(self, **known: int | str) -> dict[str, str]:
        """The transaction; what a node has told (fees, nonce, a closer limit of gas) comes on top."""
        fields: dict[str, int | str] = {
            "type": 2, "chainId": self.chain_id, "to": self.contract, "value": 0, "data": self.data, "gas": GAS,
        }  # fmt: skip
        return {name: hex(value) if isinstance(value, int) else value for name, value in (fields | known).items()}


def terms_in(given: bytes) -> tuple[Vault, bool]:
    """The terms in a contract's file, in text copied out of it, or in JSON as the API has them.

    And whether the deposit address stood there too, so that the terms are proven to be its own. Raises Spoiled.
    """
    if given.lstrip()[:5] == b"%PDF-":
        return vault_terms.read(vault_terms.in_pdf(given)), True
    text = given.decode("utf-8-sig", "replace")
    bare = _bare(text)
    return (vault_terms.from_json(bare), False) if bare is not None else (vault_terms.read(text), True)


def _bare(text: str) -> dict[str, Any] | None:
    """The vault's terms in a contract's JSON; None for any other text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    for name in ("terms", "vault"):
        if isinstance(found, dict) and isinstance(found.get(name), dict):
            found = found[name]
    return found if isinstance(found, dict) and "format" not in found else None
