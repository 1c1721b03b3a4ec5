"""`python -m onchain.gas`: what the vault costs, in real transactions against the token that is on Base.

Both payees hold USDC before and the vault is not emptied, as with the peer's numbers: storage that is cleared gives gas
back. Writes benchmarks/gas.md, and fails above the limits.
"""

import sys
from collections.abc import Mapping
from typing import Any

from web3 import Web3
from web3.contract import Contract
from web3.types import RPCEndpoint

from onchain import deploy
from onchain.chain import GENESIS, anvil, fiat_token, sent
from onchain.forge import ROOT

REPORT = ROOT / "benchmarks" / "gas.md"
PEER = "224,631 to 241,731"
FIRST, SECOND = "deposit and first release with fee", "second release with fee"
LIMITS = {FIRST: 205_000, SECOND: 85_000}
DAYS = 86_400
MILLION = 1_000_000  # base units of one USDC


class Trade:
    """One trade of 20,000 USDC on a chain that has everything; each step is its gas."""

    def __init__(self, w3: Web3, usdc: Contract, escrow: Contract, name: str) -> None:
        self.operator, self.buyer, seller, fees = list(w3.eth.accounts)[1:5]
        self.w3, self.usdc, self.escrow = w3, usdc, escrow
        amount, term = 20_000 * MILLION, GENESIS + 200 * DAYS
        self.terms = (Web3.keccak(text=name), usdc.address, self.buyer, seller, fees, amount, term, 500)
        self.vault: str = escrow.functions.vaultOf(self.terms).call()

    def deposit(self, dollars: int) -> int:
        """A plain transfer to the vault, by the buyer."""
        return sent(self.w3, self.usdc.functions.transfer(self.vault, dollars * MILLION), self.buyer)["gasUsed"]

    def settle(self, action: int, seller: int, fee: int, buyer: int) -> int:
        """One settlement by the operator, in dollars."""
        shares = (seller * MILLION, fee * MILLION, buyer * MILLION)
        return sent(self.w3, self.escrow.functions.settle(self.terms, action, *shares), self.operator)["gasUsed"]

    def call(self, function: str, *args: Any) -> int:
        """Any other call of the contract, by the operator."""
        return sent(self.w3, self.escrow.get_function_by_name(function)(self.terms, *args), self.operator)["gasUsed"]


def measure() -> dict[str, int]:
    """Gas by what was done, on a fresh chain."""
    with anvil() as w3:
        usdc = fiat_token(w3)
        owner, operator, *holders = list(w3.eth.accounts)[:5]
        escrow = w3.eth.contract(
            address=Web3.to_checksum_address(deploy.deploy(w3, owner)), abi=deploy.contract()["abi"]
        )
        deployed = w3.eth.get_block("latest")["gasUsed"]
        sent(w3, escrow.functions.setOperator(operator, True), owner)
        for account in holders:
            sent(w3, usdc.functions.mint(account, 1_000_000 * MILLION), owner)

        trade = Trade(w3, usdc, escrow, "esc_release")
        gas = {"deposit, a plain transfer to the vault": (deposit := trade.deposit(20_000))}
        gas["first release with fee, which deploys the vault"] = (first := trade.settle(0, 9_500, 500, 0))
        gas[FIRST] = deposit + first
        gas[SECOND] = trade.settle(1, 4_750, 250, 0)
        gas["third release without fee"] = trade.settle(2, 1_000, 0, 0)
        gas["split of three parts"] = trade.settle(64, 1_900, 100, 1_000)
        gas["postponement"] = trade.call("postpone")

        trade = Trade(w3, usdc, escrow, "esc_refund")
        trade.deposit(30_000)
        gas["return of a surplus, which deploys the vault"] = trade.settle(67, 0, 0, 10_000)
        gas["refund of the rest, which empties the vault"] = trade.settle(65, 0, 0, 20_000)

        trade = Trade(w3, usdc, escrow, "esc_reclaim")
        trade.deposit(20_000)
        for method, args in (("evm_setNextBlockTimestamp", [GENESIS + 200 * DAYS]), ("evm_mine", [])):
            w3.provider.make_request(RPCEndpoint(method), args)
        gas["reclaim after the term, which deploys and empties the vault"] = trade.call("reclaim", usdc.address)
        gas["the contract, once for each chain"] = deployed
        return gas


def report(gas: Mapping[str, int]) -> str:
    """The table, as Markdown."""
    rows = [f"| {what} | {used:,} | {f'{LIMITS[what]:,}' if what in LIMITS else ''} |" for what, used in gas.items()]
    return "\n".join(
        [
            "# Gas",
            "",
            "`make gas`: real transactions on Anvil against Circle's FiatTokenV2_2 behind its proxy. Both payees hold",
            "USDC before, and the vault is not emptied unless that is said.",
            "",
            "| | gas | limit |",
            "|---|---:|---:|",
            *rows,
            "",
            f"The peer, commerce-payments of Base, on the same yardstick (deposit and first release with fee): {PEER}.",
            "",
        ]
    )


def main() -> int:
    """1 where a limit is exceeded."""
    gas = measure()
    REPORT.write_text(report(gas))
    print(report(gas))
    over = [f"{what}: {gas[what]:,} is over {limit:,}" for what, limit in LIMITS.items() if gas[what] > limit]
    print("\n".join(over or ["Within the limits."]))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
