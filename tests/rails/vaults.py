"""An escrow on the tests' chain: its vault, its people, and a line to the node on which answers get lost."""

import datetime as dt
import io
import json
import time
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from bloxtr8 import addresses, chain_book, clock, config, table, usdc
from bloxtr8.actors import system
from bloxtr8.entities import AssetType, ChainTx, Currency, Escrow, RailName
from bloxtr8.rails.base import DepositSeen, Funding, LegKind, LegOrder, Look
from bloxtr8.rails.usdc import reclaiming, vault
from bloxtr8.rails.usdc.chain import Chain as Node
from bloxtr8.rails.usdc.rail import UsdcRail
from bloxtr8.rails.usdc.sending import Sender
from bloxtr8.rails.usdc.signer import Signer
from bloxtr8.rails.usdc.vault import Terms
from local.chain.chain import Chain

ESCROW = "esc_01KATZ00000000000000000{:03}"  # made a little before the tests' clock stands
SETTLEMENT = "stl_01KATZ0000000000000000000C"
BUYER, SELLER, STRANGER = (f"0x{digit * 40}" for digit in "b5e")
GROSS = 10_000
UNITS = GROSS * 10_000
FEE_BPS = 290
TERM = 200 * 86_400
BROADCAST = "eth_sendRawTransaction"

NOISY = "0x" + 20 * "a0"
# Calls the first word with all behind the second, then LOG0 as often as the second says.
NOISE = "0x604036038060406000376000600082600060006000355af1506020355b60006000a06001900380601c5700"


REFUSALS: list[dict[str, Any]] = [
    {"code": -32602, "message": "Log response size exceeded. You can make eth_getLogs requests with up to a 2K range"},
    {"code": -32600, "message": "Under the Free tier plan, you can make requests with up to a 10 block range."},
    {"code": -32614, "message": "eth_getLogs is limited to a 10,000 range"},
    {"code": -32602, "message": "query exceeds max results 20000, retry with the range 25766988-25775072"},
    {"code": -32602, "message": "query exceeds max block range 100000"},
    {"code": -32020, "message": "backend response too large"},
    {"code": -32008, "message": "Response is too big"},
    {"code": -32005, "message": "query returned more than 10000 results"},
    {"code": -32005, "message": "query timeout exceeded"},
]


class Line(HTTPAdapter):
    """The way to the node: what it is asked is kept, and the next such call may be lost before or after it."""

    def __init__(self, chain: Chain | None = None) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._chain = chain
        self.spans: list[int] = []  # blocks of each question about logs
        self.limit: tuple[int, dict[str, Any]] | None = None  # blocks of a question about logs, and the error beyond
        self.most: int | None = None  # logs of an answer to one
        self._faults: list[tuple[str, str]] = []

    def fault(self, method: str, how: str = "after", times: int = 1) -> None:
        """`method` of JSON-RPC, or "" for any. `how`: before, after (it happened), or a status of HTTP."""
        self._faults += [(method, how)] * times

    def clear(self) -> None:
        self._faults.clear()

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        method = body.split('"method": "')[1].split('"')[0]
        self.asked.append(method)
        if method == "eth_getLogs":
            (asked,) = json.loads(body)["params"]
            self.spans.append(int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) + 1)
            if self.limit is not None and self.spans[-1] > self.limit[0]:
                return _answered(request, 200, {"jsonrpc": "2.0", "id": json.loads(body)["id"], "error": self.limit[1]})
        fault = next((each for each in self._faults if each[0] in ("", method)), None)
        if fault is None:
            return self._ask(method, request, *args, **kwargs)
        self._faults.remove(fault)
        if fault[1] == "after" or fault[1].endswith("after"):
            self._ask(method, request, *args, **kwargs)
        if fault[1] in {"before", "after"}:
            raise requests.ReadTimeout("no answer")
        return _answered(request, int(fault[1].split()[0]))

    def _ask(self, method: str, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """A node that mines at once has answered a broadcast a moment before there is a block."""
        answer = super().send(request, *args, **kwargs)
        if method == "eth_getLogs" and self.most is not None:
            told = answer.json()
            if len(told["result"]) > self.most:
                told = {**told, "error": {"code": -32602, "message": f"query exceeds max results {self.most}"}}
                del told["result"]
            return _answered(request, 200, told)
        ends = time.monotonic() + 5
        while method == BROADCAST and self._is_mining() and time.monotonic() < ends:
            time.sleep(0.005)
        return answer

    def _is_mining(self) -> bool:
        if self._chain is None or not self._chain.is_automining:
            return False
        asked = {"jsonrpc": "2.0", "id": 1, "method": "txpool_status", "params": []}
        waiting = requests.post(self._chain.url, json=asked, timeout=5).json()["result"]["pending"]
        return int(waiting, 16) > 0


def _answered(request: Any, status: int, body: Any = None) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.request, answer.url = status, request, request.url
    answer.raw = HTTPResponse(io.BytesIO(json.dumps(body).encode()), preload_content=False)
    return answer


class World:
    """One escrow (number `n`) on the chain, and a rail as a function has it. `finality`: at which tag things count."""

    def __init__(self, chain: Chain, n: int = 1, finality: str = "latest") -> None:
        self.chain, self.escrow_id, self.line = chain, ESCROW.format(n), Line(chain)
        self.terms = Terms(
            chain_id=chain.id,
            escrow_contract=chain.escrow,
            escrow_id=addresses.escrow_key(self.escrow_id),
            token=chain.usdc,
            buyer=BUYER,
            seller=SELLER,
            fee_receiver=chain.roles.fees,
            amount=UNITS,
            reclaim_after=chain.now() + TERM,
            max_fee_bps=FEE_BPS,
        )
        self.place = vault.address(self.terms)
        session = requests.Session()
        session.mount("http://", self.line)
        self.node = Node(chain.url, chain.id, session)
        self.book = chain_book.ChainBook()
        self._tag: Any = finality
        self.use(usdc._signer(config.settings().signer_key_id))
        escrow_root(self.escrow_id)

    def use(self, signer: Signer) -> None:
        """From here on this one signs."""
        self.signer = signer
        self.sender = Sender(self.node, signer, self.book, self._tag)
        self.rail = UsdcRail(
            self.node,
            self.sender,
            contracts=[self.chain.escrow],
            token=self.chain.usdc,
            finality=self._tag,
            payout_finality=self._tag,
        )

    def funding(self, **changes: Any) -> Funding:
        fields: dict[str, Any] = {
            "escrow_id": self.escrow_id,
            "buyer_id": "usr_01KATZ0000000000000000000D",
            "amount": GROSS,
            "currency": "USDC",
            "external_id": self.place,
            "terms": self.terms.to_json(),
        }
        return Funding(**(fields | changes))

    def order(self, amount: int = 9_710, fee: int = 290, action: int = 66, **changes: Any) -> LegOrder:
        fields: dict[str, Any] = {
            "escrow_id": self.escrow_id,
            "settlement_id": SETTLEMENT,
            "leg": 1,
            "attempt": 1,
            "kind": LegKind.TRANSFER,
            "amount": amount,
            "fee": fee,
            "currency": "USDC",
            "funding_id": self.place,
            "destination": SELLER,
            "action": action,
            "terms": self.terms.to_json(),
        }
        return LegOrder(**(fields | changes))

    def refund(self, amount: int = GROSS, action: int = 65, **changes: Any) -> LegOrder:
        return self.order(amount, 0, action, kind=LegKind.REFUND, destination=BUYER, **changes)

    def pay(self, units: int = UNITS, sender: str = BUYER, **how: Any) -> str:
        """A plain transfer to the vault; its hash."""
        self.chain.mint(sender, units, how.get("token"))
        return self.chain.transfer(sender, self.place, units, **how)

    def deposits(self, **changes: Any) -> tuple[DepositSeen, ...]:
        return self.rail.look(self.funding(**changes)).deposits

    def looks(self, **changes: Any) -> tuple[list[DepositSeen], list[Look]]:
        """Look after look, each from where the one before stopped, as the books do it."""
        found, looks, cursor = list[DepositSeen](), list[Look](), changes.pop("cursor", None)
        while not looks or not looks[-1].complete:
            assert len(looks) < 40, "never complete"
            looks.append(self.rail.look(self.funding(cursor=cursor, **changes)))
            found += looks[-1].deposits
            cursor = looks[-1].cursor
        return found, looks

    def in_one_block(self, *units: int) -> None:
        """So many transfers in one block."""
        if sum(units):
            self.chain.mint(STRANGER, sum(units))
        self.chain.fund(STRANGER, 10**18)
        self.chain.automine(False)
        for part in units:
            self.chain.transfer(STRANGER, self.place, part)
        self.chain.mine()
        self.chain.automine(True)

    def amid_logs(self, many: int, to: str, data: str) -> None:
        """A call of a stranger's contract, which then writes so many empty logs in the same transaction."""
        self.chain.rpc("anvil_setCode", NOISY, NOISE)
        self.chain.fund(STRANGER, 10**18)
        words = to[2:].rjust(64, "0") + many.to_bytes(32, "big").hex()
        self.chain.send(STRANGER, NOISY, f"0x{words}{data[2:]}")

    def over(self) -> None:
        """The vault's term has passed."""
        self.chain.increase_time(self.terms.reclaim_after - self.chain.now() + 1)

    def reclaim(self) -> None:
        """Anybody sends what is left to the buyer."""
        self.chain.send(STRANGER, self.chain.escrow, reclaiming.call_data(self.terms, self.chain.usdc))

    def balances(self) -> dict[str, int]:
        """Base units of everybody."""
        people = {"seller": SELLER, "fees": self.chain.roles.fees, "buyer": BUYER, "vault": self.place}
        return {name: self.chain.balance(address) for name, address in people.items()}

    def row(self, action: str = "66") -> ChainTx:
        return table.get(ChainTx, escrow_ulid=self.escrow_id[4:], action=action)

    def watch(self, action: str = "66") -> ChainTx:
        """What the job does when the row is due."""
        self.sender.watch(chain_book.read(self.row(action)))
        return self.row(action)


def escrow_root(escrow_id: str) -> None:
    """The escrow's row, on whose audit chain nonces are written."""
    escrow = Escrow(id=escrow_id, contract_id="con_1", offer_id="off_1", listing_id="lst_1")
    escrow.buyer_id, escrow.seller_id = "usr_1", "usr_2"
    escrow.buyer_roblox_id, escrow.seller_roblox_id = "1", "2"
    escrow.asset_type, escrow.asset_id = AssetType.GROUP, "1"
    escrow.rail, escrow.currency = RailName.USDC_BASE, Currency.USDC
    escrow.amount = escrow.gross = GROSS
    escrow.buyer_fee_bps, escrow.seller_fee_bps = 0, FEE_BPS
    escrow.deliver_seconds = escrow.inspect_seconds = 86_400
    escrow.fund_by, escrow.created_at = clock.now() + dt.timedelta(days=3), clock.now()
    table.commit(escrow, action="sign_contract", actor=system("tests"))


type Worlds = Callable[..., World]
