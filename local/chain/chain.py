"""The chain on this machine: a real EVM with Circle's own token and our Escrow, and everything a test may do to it.

    with Chain() as chain:
        chain.allow_operator(signer)                  the Escrow's owner lets him settle; he gets ether
        chain.mint(buyer, 5_000_000_000)              base units: a cent is 10,000 of them
        deposit = chain.transfer(buyer, vault, 5_000_000_000)
        chain.mine(4)                                 now it is final
        chain.sanction(seller)

Addresses and hashes go in and come out as lower-case `0x…`; units and heights are integers. What it sends is mined at
once unless `automine(False)`; what reverts raises Reverted. Every account is unlocked, so anybody's transaction can be
sent by his address alone.
"""

import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.chain.contracts import DOWN_CODE, ORACLE, ORACLE_CODE, Roles, Token, deploy_escrow
from local.chain.node import CHAIN_ID, Anvil
from local.chain.rpc import Rpc, call_data

ETHER = 10**18
GAS = 6_000_000  # of each transaction that is sent from here: the largest creates the token
EXCHANGE_UNITS = 10**15  # a thousand million dollars
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"  # Transfer(address,address,uint256)
_PATIENCE_SECONDS = 10.0


class Reverted(Exception):  # noqa: N818 (an answer of the chain, not a failure)
    """A transaction was mined and did nothing; its hash."""


class Chain:
    """From `__init__`, when everything is deployed, to `close` (or as a context)."""

    def __init__(self, log: Path | None = None, *, port: int = 0, timestamp: int | None = None) -> None:
        self.id, self.oracle, self.operator = CHAIN_ID, ORACLE, ""
        self._anvil = Anvil(log, port=port, timestamp=timestamp)
        self.is_automining = True
        try:
            self.url = self._anvil.url
            self.rpc = Rpc(self.url)
            self._accounts: list[str] = self.rpc("eth_accounts")
            self.roles = Roles(*self._accounts[:7])
            self._deploy()
        except BaseException:
            self._anvil.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, and everything on it."""
        self.rpc.close()
        self._anvil.close()

    def _deploy(self) -> None:
        self._token = Token(self.send, self.roles)
        self.usdc = self._token.make("USD Coin", "USDC")
        self.escrow = deploy_escrow(self.send, self.roles)
        self.rpc("anvil_setCode", ORACLE, ORACLE_CODE)
        self.mint(self.roles.exchange, EXCHANGE_UNITS)
        self._fresh = self.snapshot()

    # --- the token

    def mint(self, to: str, units: int, token: str | None = None) -> str:
        """Circle makes some more. The transaction's hash."""
        return self._do(self.roles.issuer, token or self.usdc, call_data("mint(address,uint256)", to, units))

    def transfer(self, sender: str, to: str, units: int, *, token: str | None = None, may_fail: bool = False) -> str:
        """A plain transfer, as any wallet or exchange makes it. The transaction's hash.

        `may_fail`: one that reverts is mined all the same and raises nothing.
        """
        data = call_data("transfer(address,uint256)", to, units)
        return str(self.send(sender, token or self.usdc, data, may_fail=may_fail)["transactionHash"])

    def balance(self, address: str, tag: str | int = "latest", token: str | None = None) -> int:
        """Base units of an address, at a tag or a height."""
        return int(self.call(token or self.usdc, call_data("balanceOf(address)", address), tag), 16)

    def deny(self, address: str) -> None:
        """Circle puts an address on the token's deny-list: it neither sends nor receives."""
        self._do(self.roles.denier, self.usdc, call_data("blacklist(address)", address))

    def allow(self, address: str) -> None:
        """And takes it off again."""
        self._do(self.roles.denier, self.usdc, call_data("unBlacklist(address)", address))

    def pause(self) -> None:
        """Circle stops the whole token."""
        self._do(self.roles.pauser, self.usdc, call_data("pause()"))

    def unpause(self) -> None:
        """And lets it go on."""
        self._do(self.roles.pauser, self.usdc, call_data("unpause()"))

    def other_token(self, symbol: str = "USDbC") -> str:
        """The address of another token that looks just like USDC; minted and sent with `token=`."""
        return self._token.make("USD Base Coin", symbol)

    # --- the oracle, the Escrow, accounts

    def sanction(self, address: str, is_sanctioned: bool = True) -> None:
        """Put an address on the sanctions list, or take it off."""
        slot = "0x" + address[2:].lower().rjust(64, "0")
        self.rpc("anvil_setStorageAt", ORACLE, slot, f"0x{int(is_sanctioned):064x}")

    def break_oracle(self) -> None:
        """From here on the sanctions list answers nothing but reverts."""
        self.rpc("anvil_setCode", ORACLE, DOWN_CODE)

    def mend_oracle(self) -> None:
        """It answers again; the list is as it was."""
        self.rpc("anvil_setCode", ORACLE, ORACLE_CODE)

    def allow_operator(self, address: str) -> None:
        """The Escrow's owner lets an account settle (from here on `operator`), and it gets ether for its gas."""
        self._do(self.roles.escrow_owner, self.escrow, call_data("setOperator(address,bool)", address, True))
        self.fund(address, ETHER)
        self.operator = address

    def refuse_operator(self, address: str) -> None:
        """He takes the right away."""
        self._do(self.roles.escrow_owner, self.escrow, call_data("setOperator(address,bool)", address, False))

    def fund(self, address: str, wei: int) -> None:
        """Let an account have so much ether, neither more nor less."""
        self.rpc("anvil_setBalance", address, hex(wei))

    def ether(self, address: str) -> int:
        """An account's ether, in wei."""
        return int(self.rpc("eth_getBalance", address, "latest"), 16)

    def nonce(self, address: str, tag: str = "latest") -> int:
        """How many transactions of an account are mined (`pending`: are known)."""
        return int(self.rpc("eth_getTransactionCount", address, tag), 16)

    # --- blocks and time

    def height(self, tag: str = "latest") -> int:
        """The number of the block at a tag."""
        return int(self.block(tag)["number"], 16)

    def block(self, tag: str | int = "latest") -> dict[str, Any]:
        """A block as the node tells it, its transactions as hashes."""
        found: dict[str, Any] = self.rpc("eth_getBlockByNumber", hex(tag) if isinstance(tag, int) else tag, False)
        return found

    def now(self) -> int:
        """The unix time of the newest block."""
        return int(self.block()["timestamp"], 16)

    def mine(self, blocks: int = 1) -> None:
        """So many blocks, a second apart, the first of them with what is pending."""
        self.rpc("anvil_mine", hex(blocks), "0x1")

    def increase_time(self, seconds: int) -> None:
        """Let so much time pass, and mine a block of then."""
        self.rpc("evm_increaseTime", hex(seconds))
        self.mine()

    def catch_up(self, unix_time: int) -> None:
        """Be at this moment if it is ahead: blocks never go back in time. What is stuck stays so."""
        if unix_time > self.now():
            self.rpc("evm_setTime", hex(unix_time))
            if self.is_automining:
                self.mine()

    def automine(self, on: bool) -> None:
        """Off: transactions stay pending until `mine`."""
        self.rpc("evm_setAutomine", on)
        self.is_automining = on

    def base_fee(self, wei: int) -> None:
        """The base fee of the next block."""
        self.rpc("anvil_setNextBlockBaseFeePerGas", hex(wei))

    def reorg(self, depth: int) -> None:
        """The last `depth` blocks are replaced by as many empty ones, with other hashes."""
        self.rpc("anvil_reorg", depth, [])

    def pending(self) -> list[str]:
        """The hashes of what waits to be mined, of all accounts."""
        content = self.rpc("txpool_content")
        return [one["hash"] for kind in content.values() for account in kind.values() for one in account.values()]

    def drop(self, tx_hash: str) -> None:
        """The node forgets a pending transaction, as nodes do."""
        self.rpc("anvil_dropTransaction", tx_hash)

    def snapshot(self) -> str:
        """Remember everything; good for one `revert`."""
        return str(self.rpc("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Be again as at the snapshot, with nothing pending."""
        self.rpc("anvil_dropAllTransactions")
        if not self.rpc("evm_revert", snapshot):
            raise LookupError(f"there is no snapshot {snapshot}")
        if not self.is_automining:
            self.automine(True)

    def reset(self) -> None:
        """Be again as at the start, but for the time of day."""
        self.revert(self._fresh)
        self._fresh = self.snapshot()

    # --- transactions

    def call(self, to: str, data: str, tag: str | int = "latest") -> str:
        """What a contract answers, as hex. Raises RpcError where it reverts."""
        return str(self.rpc("eth_call", {"to": to, "data": data}, hex(tag) if isinstance(tag, int) else tag))

    def send(self, sender: str, to: str | None, data: str, *, value: int = 0, may_fail: bool = False) -> dict[str, Any]:
        """A transaction of any account, which gets ether for its gas where it has none.

        Its receipt as the node tells it; only {"transactionHash"} while nothing is mined. Raises Reverted.
        """
        if sender.lower() not in self._accounts and self.ether(sender) < ETHER // 10:
            self.fund(sender, ETHER + value)
        tx = {"from": sender, "data": data, "gas": hex(GAS), "value": hex(value)} | ({"to": to} if to else {})
        tx_hash = self.rpc("eth_sendTransaction", tx)
        if not self.is_automining:
            return {"transactionHash": tx_hash}
        receipt = self.wait(tx_hash)
        if receipt["status"] != "0x1" and not may_fail:
            raise Reverted(tx_hash)
        return receipt

    def receipt(self, tx_hash: str) -> dict[str, Any] | None:
        """A transaction's receipt as the node tells it, or None while it is in no block."""
        found: dict[str, Any] | None = self.rpc("eth_getTransactionReceipt", tx_hash)
        return found

    def wait(self, tx_hash: str) -> dict[str, Any]:
        """The same, once it is in a block."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < ends:
            if found := self.receipt(tx_hash):
                return found
            time.sleep(0.002)
        raise TimeoutError(f"{tx_hash} is in no block")

    def log_index(self, tx_hash: str) -> int:
        """The index in its block of the one Transfer that a transaction made."""
        receipt = self.wait(tx_hash)
        (log,) = [log for log in receipt["logs"] if log["topics"][0] == TRANSFER]
        return int(log["logIndex"], 16)

    def _do(self, sender: str, to: str, data: str) -> str:
        return str(self.send(sender, to, data)["transactionHash"])
