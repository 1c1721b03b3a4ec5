"""`python -m onchain.gas`: what the vault costs, in real transactions against the token that is on Base.

Both payees hold USDC before and the vault is not emptied, as with the peer's numbers: storage that is cleared gives gas
back. Writes benchmarks/gas.md, and fails above the limits.
"""

import sys
from collections.abc import Mapping
from typing import Any

from web3 import Web3

from local.chain.chain import Chain
from local.chain.node import ROOT
from onchain import deploy

REPORT = ROOT / "benchmarks" / "gas.md"
PEER = "224,631 to 241,731"
FIRST, SECOND = "deposit and first release with fee", "second release with fee"
LIMITS = {FIRST: 205_000, SECOND: 85_000}
GENESIS = 1_800_000_000  # so that the same run always costs the same: a zero in what is sent is cheaper
TERM_SECONDS = 200 * 86_400
MILLION = 1_000_000  # base units of one USDC


class Trade:
    """One trade of 20,000 USDC on a chain that has everything; each step answers its gas."""

    def __init__(self, chain: Chain, name: str) -> None:
        self.chain = chain
        self.operator, self.buyer, self.seller = chain.rpc("eth_accounts")[7:10]
        parties = (chain.usdc, self.buyer, self.seller, chain.roles.fees)
        checksummed = map(Web3.to_checksum_address, parties)
        self.terms = (Web3.keccak(text=name), *checksummed, 20_000 * MILLION, GENESIS + TERM_SECONDS, 500)
        self.contract = Web3().eth.contract(abi=deploy.contract()["abi"])
        self.vault = "0x" + chain.call(chain.escrow, self._data("vaultOf"))[-40:]

    def deposit(self, dollars: int) -> int:
        """A plain transfer to the vault, by the buyer."""
        tx_hash = self.chain.transfer(self.buyer, self.vault, dollars * MILLION)
        return int(self.chain.wait(tx_hash)["gasUsed"], 16)

    def settle(self, action: int, seller: int, fee: int, buyer: int) -> int:
        """One settlement by the operator, in dollars."""
        return self.call("settle", action, seller * MILLION, fee * MILLION, buyer * MILLION)

    def call(self, function: str, *args: Any) -> int:
        """Any call of the contract, by the operator."""
        receipt = self.chain.send(self.operator, self.chain.escrow, self._data(function, *args))
        return int(receipt["gasUsed"], 16)

    def _data(self, function: str, *args: Any) -> str:
        return str(self.contract.encode_abi(function, [self.terms, *args]))


def measure() -> dict[str, int]:
    """Gas by what was done, on a fresh chain."""
    with Chain(timestamp=GENESIS) as chain:
        trade = Trade(chain, "esc_release")
        chain.allow_operator(trade.operator)
        for account in (trade.buyer, trade.seller, chain.roles.fees):
            chain.mint(account, 1_000_000 * MILLION)

        gas = {"deposit, a plain transfer to the vault": (deposit := trade.deposit(20_000))}
        gas["first release with fee, which deploys the vault"] = (first := trade.settle(0, 9_500, 500, 0))
        gas[FIRST] = deposit + first
        gas[SECOND] = trade.settle(1, 4_750, 250, 0)
        gas["third release without fee"] = trade.settle(2, 1_000, 0, 0)
        gas["split of three parts"] = trade.settle(64, 1_900, 100, 1_000)
        gas["postponement"] = trade.call("postpone")

        trade = Trade(chain, "esc_refund")
        trade.deposit(30_000)
        gas["return of a surplus, which deploys the vault"] = trade.settle(67, 0, 0, 10_000)
        gas["refund of the rest, which empties the vault"] = trade.settle(65, 0, 0, 20_000)

        trade = Trade(chain, "esc_reclaim")
        trade.deposit(20_000)
        chain.increase_time(TERM_SECONDS)
        token = Web3.to_checksum_address(chain.usdc)
        gas["reclaim after the term, which deploys and empties the vault"] = trade.call("reclaim", token)

        w3 = Web3(Web3.HTTPProvider(chain.url))
        deploy.deploy(w3, trade.seller)
        gas["the contract, once for each chain"] = w3.eth.get_block("latest")["gasUsed"]
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
            f"| *the peer, commerce-payments of Base: {FIRST}* | *{PEER}* | |",
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
