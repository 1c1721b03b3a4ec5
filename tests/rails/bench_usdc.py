"""The bench of the rail on chain: Anvil with Circle's token, and a book in memory (the table's is tested beside it)."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import requests
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from eth_keys.datatypes import PrivateKey

from bloxtr8 import addresses, money
from bloxtr8 import clock as house
from bloxtr8.rails.base import (
    Funding,
    LegKind,
    LegOrder,
    LegOutcome,
    Look,
    Opened,
    PaymentInstructions,
    Rail,
    RailError,
)
from bloxtr8.rails.usdc import calls, vault
from bloxtr8.rails.usdc.book import Action, Tx, TxStatus
from bloxtr8.rails.usdc.chain import Chain as Node
from bloxtr8.rails.usdc.rail import UsdcRail
from bloxtr8.rails.usdc.sending import Sender
from bloxtr8.rails.usdc.signer import KmsSigner
from local.chain.chain import Chain
from local.chain.rpc import call_data
from tests.emulator import Clock
from tests.rails.bench import GROSS
from tests.rails.vaults import BROADCAST, BUYER, SELLER, TERM, UNITS, Line

FAULTS = {
    "lost before": "before",
    "lost after": "after",
    "failed after": "500 after",
    "in the way": "409",
    "throttled": "429",
    "unavailable": "503",
}
STEPS = {"open": "eth_call", "ask": "", LegKind.TRANSFER: BROADCAST, LegKind.REFUND: BROADCAST}


class UsdcBench:
    """See bench.Bench."""

    kinds: ClassVar = (LegKind.TRANSFER, LegKind.REFUND)
    knows: ClassVar[frozenset[str]] = frozenset()
    keeps_what_it_sends: ClassVar = True

    def __init__(self, chain: Chain, clock: Clock) -> None:
        chain.reset()
        self._chain, self._clock, self._line, self.opened = chain, clock, Line(chain), set[str]()
        self._ends = chain.now() + TERM
        session = requests.Session()
        session.mount("http://", self._line)
        node, self._book, signer = Node(chain.url, chain.id, session), Book(), KmsSigner(Pen(), "key")
        chain.allow_operator(signer.address)
        self._sender = Sender(node, signer, self._book, "latest")
        rail = UsdcRail(
            node, self._sender, contracts=[chain.escrow], token=chain.usdc, finality="latest",
            payout_finality="latest",
        )  # fmt: skip
        self.rail: Rail = Termed(rail, self.terms, self.opened)

    def terms(self, escrow_id: str) -> dict[str, Any]:
        return vault.Terms(
            chain_id=self._chain.id,
            escrow_contract=self._chain.escrow,
            escrow_id=addresses.escrow_key(escrow_id),
            token=self._chain.usdc,
            buyer=BUYER,
            seller=SELLER,
            fee_receiver=self._chain.roles.fees,
            amount=UNITS,
            reclaim_after=self._ends,
            max_fee_bps=290,
        ).to_json()

    def misfortune(self, name: str, step: str, times: int) -> None:
        self._line.fault(STEPS[step], FAULTS[name], times)

    def lift_misfortune(self) -> None:
        self._line.clear()

    def wait(self, seconds: float) -> None:
        """The job looks at what is due meanwhile."""
        self._clock.advance(seconds=seconds)
        self._chain.increase_time(max(1, int(seconds)))
        for tx in self._book.due(self._clock):
            try:
                self._sender.watch(tx)
            except RailError:
                continue

    def pay(self, opened: Funding) -> None:
        assert opened.external_id
        self._chain.mint(BUYER, GROSS * 10_000)
        self._chain.transfer(BUYER, opened.external_id, GROSS * 10_000)

    def payee(self, *, ready: bool) -> str:
        """The terms name one seller; whether he can be paid is the token's matter."""
        assert ready
        return SELLER

    def places(self) -> int:
        return len(self.opened)

    def moved(self, kind: LegKind) -> list[int]:
        for _ in range(500):  # Anvil takes a transaction before it mines it
            if self._chain.rpc("txpool_status")["pending"] == "0x0":
                break
            time.sleep(0.01)
        asked = {"address": self._chain.escrow, "topics": [calls.SETTLED], "fromBlock": "0x0", "toBlock": "latest"}
        found = [calls.numbers(bytes.fromhex(log["data"][2:])) for log in self._chain.rpc("eth_getLogs", asked)]
        of_kind = [paid[0] if kind is LegKind.TRANSFER else paid[2] for paid in found]
        return [money.cents_of(units) for units in of_kind if units]

    def total(self) -> int:
        roles = self._chain.roles
        held = sum(map(self._chain.balance, {BUYER, SELLER, roles.fees, roles.exchange, *self.opened}))
        return int(self._chain.call(self._chain.usdc, call_data("totalSupply()")), 16) - held


class Termed:
    """What the tasks above a rail do: they give it the frozen terms, and each leg its index."""

    name: ClassVar[str] = UsdcRail.name

    def __init__(self, rail: UsdcRail, terms: Callable[[str], dict[str, Any]], opened: set[str]) -> None:
        self._rail, self._terms, self._opened = rail, terms, opened

    def open(self, funding: Funding) -> Opened:
        made = self._rail.open(self._funding(funding))
        self._opened.add(made.external_id)
        return replace(made, cursor=None)

    def payment(self, funding: Funding) -> PaymentInstructions:
        return self._rail.payment(self._funding(funding))

    def look(self, funding: Funding) -> Look:
        return self._rail.look(self._funding(funding))

    def close(self, funding: Funding) -> Look:
        return self._rail.close(self._funding(funding))

    def send(self, order: LegOrder) -> LegOutcome:
        return self._rail.send(self._order(order))

    def find(self, order: LegOrder) -> LegOutcome | None:
        return self._rail.find(self._order(order))

    def destination_ready(self, destination: str) -> bool:
        return self._rail.destination_ready(destination)

    def _funding(self, funding: Funding) -> Funding:
        return replace(funding, terms=self._terms(funding.escrow_id))

    def _order(self, order: LegOrder) -> LegOrder:
        return replace(order, terms=self._terms(order.escrow_id), action=order.leg)


class Pen:
    """A key that answers as KMS does."""

    def __init__(self) -> None:
        self._key = PrivateKey(bytes(31) + b"\x07")

    def get_public_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 (as AWS calls it)
        return {"PublicKey": bytes(24) + self._key.public_key.to_bytes()}

    def sign(self, **asked: Any) -> dict[str, Any]:
        made = self._key.sign_msg_hash(asked["Message"])
        return {"Signature": encode_dss_signature(made.r, made.s)}


class Book:
    """A TxBook in memory, as strict as the table's."""

    def __init__(self) -> None:
        self._kept = dict[tuple[str, str], Tx]()
        self._next: int | None = None
        self._lock = threading.Lock()

    def find(self, escrow_id: str, name: str) -> Tx | None:
        return self._kept.get((escrow_id, name))

    def reserve(self, action: Action, signer: str, first_nonce: Callable[[], int]) -> Tx:
        with self._lock:
            there = self.find(action.escrow_id, action.name)
            if there is not None and not there.gives_way_to(action.attempt):
                return there
            nonce = first_nonce() if self._next is None else self._next
            self._next = nonce + 1
            version = there.version + 1 if there else 1
            return self._keep(
                Tx(
                    action=action, signer=signer, nonce=nonce, status=TxStatus.RESERVED, version=version,
                    created_at=house.now(),
                )
            )  # fmt: skip

    def keep(self, tx: Tx) -> Tx | None:
        with self._lock:
            there = self.find(tx.action.escrow_id, tx.action.name)
            if there is None or there.version != tx.version:
                return None
            return self._keep(replace(tx, version=tx.version + 1))

    def abandon(self, tx: Tx, why: str) -> Tx | None:
        self._next = None
        return self.keep(replace(tx, status=TxStatus.CANCELLED, error=why, next_look=None))

    def due(self, clock: Clock) -> list[Tx]:
        return [tx for tx in self._kept.values() if tx.next_look is not None and tx.next_look <= clock.now()]

    def _keep(self, tx: Tx) -> Tx:
        self._kept[tx.action.escrow_id, tx.action.name] = tx
        return tx
