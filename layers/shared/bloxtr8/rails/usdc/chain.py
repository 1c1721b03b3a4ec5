"""The chain's node through web3: the only place that asks it, and that puts its errors into the rails' words.

Addresses and hashes are lower-case hex; amounts of ether in wei. Every answer is of the configured chain.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast

import requests
from eth_utils.address import to_checksum_address
from web3 import Web3
from web3.exceptions import (
    BlockNotFound,
    ContractLogicError,
    TooManyRequests,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)
from web3.types import RPCEndpoint

from bloxtr8.rails.base import RailBug, RailError, RailOutcomeUnknown, RailThrottled
from bloxtr8.rails.usdc import calls, node

THROTTLED = {-32005, 429}  # "limit exceeded"
TAKEN = ("already known", "already imported", "nonce too low", "underpriced", "already in the pool", "block base fee")
POOR = ("insufficient funds",)
# What nodes say of a question about logs that is too large: Alchemy ("Log response size exceeded", "query timeout
# exceeded"), QuickNode ("limited to a 10,000 range"), Base's own ("query exceeds max results 20000", "max block range",
# "response is too big", "backend response too large"), Infura ("query returned more than 10000 results").
TOO_MUCH = (
    "response size", "query timeout", "timed out", " range", "max results", "too big", "too large", "too many results",
    "too many logs", "returned more than", "at most",
)  # fmt: skip

TOO_LONG = {413, 504}  # what a node's proxy says of an answer that is too large, or that it did not wait for
LOGS = RPCEndpoint("eth_getLogs")
RECEIPT, RECEIPTS = RPCEndpoint("eth_getTransactionReceipt"), RPCEndpoint("eth_getBlockReceipts")

type Tag = Literal["finalized", "safe", "latest"]
type Call = dict[str, Any]
type Topics = Sequence[str | list[str] | None]


class Reverts(RailBug):
    """A call that the contract refuses: `why` is `AlreadyDone(66)` or the token's text."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class TooMuch(RailOutcomeUnknown):
    """The node would answer the question, had it been about fewer blocks."""


class OutOfGas(RailOutcomeUnknown):
    """The signer can't pay for the transaction; it stays stored and is sent again."""


@dataclass(frozen=True, slots=True)
class Log:
    """One entry of a transaction's log. `ref` is unique on all chains."""

    block: int
    block_hash: str
    tx_hash: str
    index: int
    topics: tuple[str, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    tx_hash: str
    block: int
    ok: bool


@dataclass(frozen=True, slots=True)
class Block:
    number: int
    hash: str
    at: dt.datetime
    base_fee: int


class Chain:
    """One chain, by its node. Every method raises RailThrottled and RailOutcomeUnknown."""

    def __init__(self, url: str, chain_id: int, session: requests.Session | None = None) -> None:
        """`chain_id`: one that this deployment may use (config.chain_id)."""
        self.id = chain_id
        self._w3 = Web3(node.Line(url, session))
        self._proven = False

    def block(self, at: Tag | int) -> Block:
        """RailOutcomeUnknown where the node does not have it."""
        found = self._query(lambda: self._w3.eth.get_block(at))
        return Block(
            number=found["number"],
            hash=_hex(found["hash"]),
            at=dt.datetime.fromtimestamp(found["timestamp"], dt.UTC),
            base_fee=found.get("baseFeePerGas", 0),
        )

    def call(self, to: str, data: str, *, at: Tag | int = "latest", sender: str | None = None) -> bytes:
        """What a contract answers. Raises Reverts."""
        asked: Call = {"to": to_checksum_address(to), "data": data}
        if sender is not None:
            asked["from"] = to_checksum_address(sender)
        return bytes(self._query(lambda: self._w3.eth.call(cast(Any, asked), at)))

    def gas_of(self, to: str, data: str, sender: str) -> int:
        """How much gas a call takes now. Raises Reverts."""
        asked = {"to": to_checksum_address(to), "data": data, "from": to_checksum_address(sender)}
        return self._query(lambda: self._w3.eth.estimate_gas(cast(Any, asked)))

    def has_code(self, address: str) -> bool:
        return bool(self._query(lambda: self._w3.eth.get_code(to_checksum_address(address))))

    def token_balance(self, token: str, account: str, *, at: Tag | int) -> int:
        """Base units. RailBug where there is no token."""
        found = calls.numbers(self.call(token, calls.balance_of(account), at=at))
        if len(found) != 1:
            raise RailBug(f"{token} is no token on chain {self.id}")
        return found[0]

    def ether(self, account: str) -> int:
        return self._query(lambda: self._w3.eth.get_balance(to_checksum_address(account)))

    def nonce(self, account: str, at: Tag | Literal["pending"]) -> int:
        """How many transactions of an account are mined at a tag; `pending`: and how many wait."""
        return self._query(lambda: self._w3.eth.get_transaction_count(to_checksum_address(account), at))

    def tip(self) -> int:
        return self._query(lambda: self._w3.eth.max_priority_fee)

    def logs(self, address: str, topics: Topics, first: int, last: int) -> list[Log]:
        """Of one contract, both blocks included, in their order. What a node does not tell of a single block is read
        from that block's receipts: anybody can put more logs into one than a node answers with. Raises TooMuch."""
        asked = {
            "address": to_checksum_address(address),
            "topics": list(topics),
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        try:
            found = self._query(lambda: self._plainly(LOGS, asked))
        except (_Refused, _TooLong) as error:
            if isinstance(error, _Refused) and not _is_too_much(error.text):
                raise
            if first != last:
                raise TooMuch("the node does not answer about so many blocks") from None
            return self._logs_in(first, address, topics)
        logs = [_plain_log(entry) for entry in found if not entry.get("removed")]
        return sorted(logs, key=lambda log: (log.block, log.index))

    def receipt(self, tx_hash: str) -> Receipt | None:
        """Of a transaction in a block that is canonical; None: it is in none."""
        found = self._raw_receipt(tx_hash)
        if found is None:
            return None
        return Receipt(tx_hash, int(found["blockNumber"], 16), int(found["status"], 16) == 1)

    def log_counts(self, log: Log, address: str) -> bool:
        """Whether the log stands: its transaction went well, has this log of this contract at this index, and lies in
        the block that the chain has at its height."""
        return log in self.logs_of(log.tx_hash, address, log.topics)

    def logs_of(self, tx_hash: str, address: str, topics: Topics) -> frozenset[Log]:
        """Such logs of one contract in a transaction that went well and whose block is the chain's; none of another.

        Anybody can put a transfer among thousands of logs: where that makes too much of a receipt, the block is asked
        for those logs alone. A transaction that failed has none.
        """
        try:
            found = self._raw_receipt(tx_hash)
        except _TooLong:
            return self._logs_beside(tx_hash, address, topics)
        if found is None or int(found["status"], 16) != 1:
            return frozenset()
        ours = [entry for entry in found["logs"] if _is_one(entry, address, topics)]
        return frozenset(_plain_log(entry) for entry in ours if not entry.get("removed"))

    def send(self, raw: str) -> None:
        """Broadcasts. What a node has already, or has something better for, is no error. Raises OutOfGas."""
        try:
            self._query(lambda: self._w3.eth.send_raw_transaction(cast(Any, raw)))
        except _Refused as refused:
            if not any(text in refused.text for text in TAKEN):
                raise (OutOfGas if any(text in refused.text for text in POOR) else RailOutcomeUnknown)(
                    f"broadcast refused: {refused.text[:200]}"
                ) from None

    def _logs_beside(self, tx_hash: str, address: str, topics: Topics) -> frozenset[Log]:
        """The same of a transaction by its block's logs."""
        sent = self._query(lambda: self._w3.eth.get_transaction(cast(Any, tx_hash)))
        if sent.get("blockNumber") is None:
            raise RailOutcomeUnknown("a receipt, says one node, and another that it is in no block")
        block = self.block(sent["blockNumber"])
        logs = self.logs(address, topics, block.number, block.number)
        return frozenset(log for log in logs if log.tx_hash == tx_hash and log.block_hash == block.hash)

    def _logs_in(self, block: int, address: str, topics: Topics) -> list[Log]:
        """The same of one block by all its receipts."""

        def ask() -> list[Any]:
            receipts = self._plainly(RECEIPTS, hex(block))
            if receipts is None:
                raise BlockNotFound("no such block")
            return [entry for receipt in receipts for entry in receipt["logs"] if _is_one(entry, address, topics)]

        try:
            return [_plain_log(entry) for entry in self._query(ask)]
        except (_Refused, _TooLong):
            raise TooMuch(f"the node does not even tell of block {block}") from None

    def _raw_receipt(self, tx_hash: str) -> Mapping[str, Any] | None:
        """As the node writes it, of a block that is canonical; None: it is in none."""
        found = self._query(lambda: self._plainly(RECEIPT, tx_hash))
        if found is None:
            return None
        canonical = self.block(int(found["blockNumber"], 16)).hash == found["blockHash"].lower()
        return cast(Mapping[str, Any], found) if canonical else None

    def _plainly(self, method: RPCEndpoint, asked: Any) -> Any:
        """The node's own words: for web3 to read thousands of logs takes seconds."""
        answer: Any = self._w3.provider.make_request(method, [asked])
        if "result" not in answer:
            raise Web3RPCError("", rpc_response=answer)
        return answer["result"]

    def _query[T](self, question: Callable[[], T]) -> T:
        with _translated():
            if not self._proven:
                found = self._w3.eth.chain_id
                if found != self.id:
                    raise RailBug(f"the node is of chain {found}, not of {self.id}")
                self._proven = True
            return question()


class _TooLong(RailOutcomeUnknown):
    """The answer took longer, or was larger, than we wait or have room for."""


class _Refused(RailOutcomeUnknown):
    """The node answered with an error: `text`, in small letters."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@contextmanager
def _translated() -> Iterator[None]:
    """The error's own text may hold the node's URL, and that a key: it is never chained nor repeated."""
    try:
        yield
    except (Web3Exception, requests.RequestException, ValueError) as error:
        raise _ours(error) from None


def _ours(error: Exception) -> RailError:
    match error:
        case ContractLogicError():
            return Reverts(_why(error))
        case TransactionNotFound() | BlockNotFound():
            return RailOutcomeUnknown("the node does not have it")
        case TooManyRequests():
            return RailThrottled("the node answers no more for now")
        case Web3RPCError():
            answer: Any = error.rpc_response or {}
            found = answer.get("error") or {}
            text = str(found.get("message", "")).lower()
            if found.get("code") in THROTTLED and not _is_too_much(text):
                return RailThrottled("the node answers no more for now")
            return _Refused(text)
        case requests.HTTPError() if error.response is not None and error.response.status_code == 429:
            return RailThrottled("the node answers no more for now")
        case requests.HTTPError() if error.response is not None and error.response.status_code in TOO_LONG:
            return _TooLong("the node's answer takes too long")
        case requests.ReadTimeout() | node.TooLong():
            return _TooLong("the node's answer takes too long")
        case _:
            return RailOutcomeUnknown(f"the node: {type(error).__name__}")


def _is_too_much(text: str) -> bool:
    return any(each in text for each in TOO_MUCH)


def _why(error: ContractLogicError) -> str:
    data = error.data
    if isinstance(data, str) and data.startswith("0x"):
        return calls.refusal(bytes.fromhex(data[2:]))
    return str(error.message or "reverted")[:200]


def _is_one(entry: Mapping[str, Any], address: str, topics: Topics) -> bool:
    """Whether a log, as the node writes it, is of the contract and has these topics."""
    if entry["address"].lower() != address.lower() or len(entry["topics"]) < len(topics):
        return False
    pairs = zip(topics, entry["topics"], strict=False)
    return all(
        asked is None or found.lower() in ([asked] if isinstance(asked, str) else asked) for asked, found in pairs
    )


def _plain_log(entry: Mapping[str, Any]) -> Log:
    """A log as the node writes it."""
    return Log(
        block=int(entry["blockNumber"], 16),
        block_hash=entry["blockHash"].lower(),
        tx_hash=entry["transactionHash"].lower(),
        index=int(entry["logIndex"], 16),
        topics=tuple(topic.lower() for topic in entry["topics"]),
        data=bytes.fromhex(entry["data"][2:]),
    )


def _hex(value: bytes) -> str:
    return "0x" + bytes(value).hex()
