"""A chain whose vaults a test fills, kept to the contract's own rules; and wallets whose risk a test says."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bloxtr8 import clock, config, rails, screenings, table
from bloxtr8.entities import Contract, Deals, Escrow, StablecoinEscrow, Tier, User
from bloxtr8.rails.base import (
    DepositSeen,
    Funding,
    FundingStatus,
    LegKind,
    LegOrder,
    LegOutcome,
    LegStatus,
    Look,
    Opened,
    PayeeRefused,
    PaymentInstructions,
    RailBug,
    RailDeclined,
    ReclaimSeen,
)
from tests import factories
from tests.emulator import Platform

UNITS = 10_000  # a cent
CHAIN = 84532
TOKEN, CONTRACT, FEES = ("0x" + byte * 20 for byte in ("cc", "ec", "fe"))
STRANGER = "0x" + "5a" * 20
RAIL = "USDC_BASE"


either_side = pytest.mark.parametrize("side", ["buyer", "seller"])
unclean = pytest.mark.parametrize(  # what a screening may say of a wallet that starts no deal, and the refusal
    ("risk", "status", "code"),
    [
        ("SANCTIONED", 422, "WALLET_SANCTIONED"),
        ("HIGH", 422, "WALLET_RISK"),
        ("MEDIUM", 422, "WALLET_RISK"),
        ("UNKNOWN", 502, "UPSTREAM_FAILED"),
    ],
)


class FakeChain:
    """The rail of USDC with the vaults behind it. What is paid is final at once.

    `faults` are what the next calls of a method raise, before they did anything; `after`, when they are done.
    """

    def __init__(self) -> None:
        self.vaults: dict[str, dict[str, Any]] = {}
        self.sent: list[LegOrder] = []
        self.faults: dict[str, list[Exception]] = {}
        self.after: dict[str, list[Exception]] = {}
        self.postponed: list[str] = []
        self.status = FundingStatus.UNPAID  # what `payment` says
        self.unready = set[str]()  # wallets that the token refuses
        self._tx = 0

    # --- what people do on chain

    def pay(self, escrow: Escrow, units: int, sender: str | None = None) -> str:
        """A plain transfer to the vault; from the buyer's own wallet unless somebody else sends. Returns its ref."""
        row = vault_row(escrow)
        ref = self._ref()
        seen = DepositSeen(
            ref=ref,
            amount=units // UNITS,
            currency="USDC",
            at=clock.now(),
            external_ids=(ref,),
            units=units,
            sender=sender or row.terms["buyer"],
        )
        vault = self._vault(str(row.external_id))
        vault["deposits"].append(seen)
        vault["units"] += units
        return ref

    def reclaim(self, escrow: Escrow) -> ReclaimSeen:
        """Somebody sends all of it back to the buyer."""
        vault = self._vault(str(vault_row(escrow).external_id))
        units, vault["units"] = vault["units"], 0
        return ReclaimSeen(ref=self._ref(), units=units, at=clock.now())

    def lose(self, escrow: Escrow) -> str:
        """A re-org after finality takes the last payment away. Returns its ref."""
        vault = self._vault(str(vault_row(escrow).external_id))
        seen = vault["deposits"].pop()
        vault["units"] -= seen.units
        return str(seen.ref)

    def units(self, escrow: Escrow) -> int:
        """What lies in the vault."""
        return int(self._vault(str(vault_row(escrow).external_id))["units"])

    def balance(self, address: str) -> int:
        """What all vaults have paid to an address, in units."""
        return sum(vault["paid"].get(address, 0) for vault in self.vaults.values())

    # --- the rail

    def open(self, funding: Funding) -> Opened:
        with self._fault("open"):
            assert funding.terms is not None
            assert funding.terms["amount"] == funding.amount * UNITS
            vault = "0x" + hashlib.sha256(str(sorted(funding.terms.items())).encode()).hexdigest()[:40]
            self._vault(vault)
            return Opened(external_id=vault, cursor={"block": 0, "arrived": 0})

    def payment(self, funding: Funding) -> PaymentInstructions:
        assert funding.external_id is not None
        return PaymentInstructions(
            external_id=funding.external_id, amount=funding.amount, currency="USDC", status=self.status
        )

    def look(self, funding: Funding) -> Look:
        """Each payment is a block. One that makes no whole cent is counted, and no deposit."""
        with self._fault("look"):
            came, found = self._vault(str(funding.external_id))["deposits"], list[DepositSeen]()
            cursor = funding.cursor or {"block": 0, "arrived": 0}
            for seen in came[cursor["block"] :]:
                before = cursor["arrived"] // UNITS
                cursor = {"block": cursor["block"] + 1, "arrived": cursor["arrived"] + seen.units}
                cents = cursor["arrived"] // UNITS - before
                found += [replace(seen, amount=cents, cursor=cursor)] if cents else []
            status = FundingStatus.PAID if found else FundingStatus.UNPAID
            return Look(status=status, deposits=tuple(found), cursor=cursor)

    def close(self, funding: Funding) -> Look:
        return self.look(funding)

    def gone(self, funding: Funding, refs: list[str]) -> tuple[str, ...]:
        there = {seen.ref for seen in self._vault(str(funding.external_id))["deposits"]}
        return tuple(ref for ref in refs if ref not in there)

    def destination_ready(self, destination: str) -> bool:
        return destination not in self.unready

    def send(self, order: LegOrder) -> LegOutcome:
        with self._fault("send"):
            self.sent.append(order)
            assert order.terms is not None
            assert order.action is not None
            vault = self._vault(order.funding_id)
            if order.action not in vault["done"]:
                self._settle(vault, order)
            return LegOutcome(status=LegStatus.CONFIRMED, external_id=vault["done"][order.action])

    def find(self, order: LegOrder) -> LegOutcome | None:
        with self._fault("find"):
            done = self._vault(order.funding_id)["done"].get(order.action)
            return LegOutcome(status=LegStatus.CONFIRMED, external_id=done) if done else None

    def postpone(self, funding: Funding) -> bool:
        with self._fault("postpone"):
            self.postponed.append(funding.escrow_id)
            return True

    def _settle(self, vault: dict[str, Any], order: LegOrder) -> None:
        """Escrow.settle: once an action, never more than the amount to the seller, the fees capped, no more than there
        is."""
        terms: Any = order.terms
        seller = order.amount * UNITS if order.kind is LegKind.TRANSFER else 0
        buyer = order.also_buyer * UNITS if order.kind is LegKind.TRANSFER else order.amount * UNITS
        fee, gone = order.fee * UNITS, vault["gone"]
        within = gone["seller"] + gone["fee"] + seller + fee
        if within > terms["amount"] or seller + fee + buyer > vault["units"]:
            raise RailDeclined("reverts", code="TooMuch")
        if (gone["fee"] + fee) * 10_000 > within * terms["maxFeeBps"]:
            raise RailDeclined("reverts", code="FeeTooHigh")
        paid = {"SELLER": (terms["seller"], seller), "BUYER": (terms["buyer"], buyer)}
        barred = [who for who, (wallet, _) in paid.items() if wallet in self.unready]
        if any(paid[who][1] for who in barred):
            raise PayeeRefused("reverts", payee=barred[0]) if len(barred) == 1 else RailBug("reverts")
        self._tx += 1
        vault["done"][order.action] = f"0x{self._tx:064x}"
        vault["units"] -= seller + fee + buyer
        gone["seller"] += seller
        gone["fee"] += fee
        for address, units in ((terms["seller"], seller), (terms["feeReceiver"], fee), (terms["buyer"], buyer)):
            vault["paid"][address] = vault["paid"].get(address, 0) + units

    def _vault(self, address: str) -> dict[str, Any]:
        fresh = {"units": 0, "deposits": [], "done": {}, "paid": {}, "gone": {"seller": 0, "fee": 0}}
        return self.vaults.setdefault(address, fresh)

    def _ref(self) -> str:
        self._tx += 1
        return f"{CHAIN}:0x{self._tx:064x}:{self._tx}"

    def _fault(self, method: str) -> "_Faults":
        return _Faults(self.faults.get(method, []), self.after.get(method, []))


class _Faults:
    def __init__(self, before: list[Exception], after: list[Exception]) -> None:
        self.before, self.after = before, after

    def __enter__(self) -> None:
        if self.before:
            raise self.before.pop(0)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self.after:
            raise self.after.pop(0)


class Wallets:
    """Who is how risky; everybody is LOW at first. `asked` is who was screened, in order."""

    def __init__(self) -> None:
        self.risks: dict[str, str] = {}
        self.asked: list[str] = []

    def ask(self, address: str) -> dict[str, Any]:
        self.asked.append(address)
        risk = self.risks.get(address, "LOW")
        return {"risk": risk, "source": "test", "version": "1", "at": clock.iso(clock.now()), "lists": ["test"]}


@pytest.fixture
def wallets(monkeypatch: pytest.MonkeyPatch) -> Wallets:
    """What the screening says in this test."""
    made = Wallets()
    monkeypatch.setattr(screenings, "of_wallet", made.ask)
    return made


@pytest.fixture
def chain(aws: Platform, wallets: Wallets, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeChain]:
    """A deployment that takes USDC, over the chain of this test."""
    made, registry = FakeChain(), rails.get
    monkeypatch.setattr(rails, "get", lambda name: made if name == RAIL else registry(name))
    for name, value in {"USDC_ADDRESS": TOKEN, "ESCROW_CONTRACT": CONTRACT, "FEE_ADDRESS": FEES}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CHAIN_ID", str(CHAIN))
    monkeypatch.setenv("CHAIN_IDS", str(CHAIN))
    config.settings.cache_clear()
    yield made
    config.settings.cache_clear()


def vault_row(escrow: Escrow) -> StablecoinEscrow:
    """The rail's row as it lies in the table now."""
    return table.get(StablecoinEscrow, escrow_ulid=escrow.ulid)


def holder(**fields: Any) -> User:
    """A person with a proven wallet that was screened just now, without a payout account, of TIER_2."""
    n = len(_made) + 1
    _made.append(n)
    evidence = {"risk": "LOW", "source": "test", "version": "1", "at": clock.iso(clock.now()), "lists": ["test"]}
    values = {
        "wallet": f"0x{n:040x}", "wallet_screening": evidence, "tier": Tier.TIER_2,
        "payout_account_id": None, "payouts_ready": False,
    }  # fmt: skip
    return factories.user(**(values | fields))


_made: list[int] = []


def accepted(**fields: Any) -> Contract:
    """The contract of a deal in USDC. Fields are `factories.accepted`'s."""
    return factories.accepted(**({"seller": holder(), "buyer": holder(), "currency": "USDC"} | fields))


def executed(**fields: Any) -> Escrow:
    """The escrow that both sides signed, AWAIT_FUNDS."""
    return factories.executed(factories.contract(accepted(**fields)))


def payable(**fields: Any) -> Escrow:
    """The same with its vault open."""
    platform, _ = factories._ground
    escrow = executed(**fields)
    platform.invoke("open_funding", {"escrowId": escrow.id})
    return factories.escrow_row(escrow)


def screened(aws: Platform, escrow: Escrow) -> dict[str, Any]:
    """What the machine's screen_deposit says."""
    return dict(aws.invoke("screen_deposit", {"escrowId": escrow.id}))


def held(aws: Platform, chain: FakeChain, **fields: Any) -> Escrow:
    """An escrow that holds exactly its gross, FUNDS_HELD."""
    escrow = payable(**fields)
    chain.pay(escrow, escrow.gross * UNITS)
    assert screened(aws, escrow) == {"enough": True, "verdict": "CLEAN"}
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}
    return factories.escrow_row(escrow)


def delivered(aws: Platform, chain: FakeChain, **fields: Any) -> Escrow:
    """An escrow whose asset is the buyer's, DELIVERED."""
    _, roblox = factories._ground
    escrow = held(aws, chain, **fields)
    started = aws.call("start_delivery", escrow.seller_id, {}, escrow_id=escrow.id)
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    path = {"escrow_id": escrow.id, "delivery_id": started.body["id"]}
    assert aws.call("mark_delivered", escrow.seller_id, **path).status == 200
    return factories.escrow_row(escrow)


def sides(escrow: Escrow) -> tuple[str, str]:
    """The frozen wallets of buyer and seller."""
    terms = vault_row(escrow).terms
    return terms["buyer"], terms["seller"]


def open_deals(*user_ids: str) -> list[int]:
    """How many deals each of them has open."""
    return [table.get(Deals, user_id=user_id).open for user_id in user_ids]
