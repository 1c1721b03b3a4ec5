"""All rows of the table at one moment, and what must be true of them whatever happened (states.md, section 9)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bloxtr8 import audit, table
from bloxtr8.domain import escrows, ledger, refused_payouts, settlements
from bloxtr8.domain.disputes import LIVE
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.transitions import LIFECYCLES
from bloxtr8.entities import AuditEntry, Contract, Entity, Escrow, Listing, Offer, Root, SettlementKind

CYCLES = {cycle.name: cycle for cycle in LIFECYCLES}
UNAUDITED = table.EPHEMERAL | {"AuditEntry", "Idempotency"}
type Key = tuple[str, str]


@dataclass
class Picture:
    """`items` as stored. The rows are read when they are needed, once: nobody changes one. Pictures that share items
    may share what was `read` of them, by the item's identity."""

    items: dict[Key, dict[str, Any]]
    _read: dict[int, tuple[Any, Any]] = field(default_factory=dict)  # (item, row)
    _kinds: dict[str, list[Any]] = field(default_factory=dict)
    _files: dict[str, EscrowFile] = field(default_factory=dict)

    def rows[E: Entity](self, cls: type[E]) -> list[E]:
        """All rows of a kind, oldest first."""
        return self.of_kind(cls.__name__)

    def of_kind(self, kind: str) -> list[Any]:
        """The same by the kind's name."""
        if kind not in self._kinds:
            found = [self._row(key) for key, item in self.items.items() if item["type"]["S"] == kind]
            self._kinds[kind] = sorted(found, key=lambda row: (str(getattr(row, "created_at", "")), row.label))
        return self._kinds[kind]

    def _row(self, key: Key) -> Any:
        item = self.items[key]
        of, row = self._read.get(id(item), (None, None))
        if of is not item:
            row = Entity.from_raw_data(item)
            self._read[id(item)] = item, row
        return row

    def subject(self, kind: str) -> Any | None:
        """The object of this kind that people mean: the newest; of milestones and deliveries what has its turn."""
        found, escrows = self.of_kind(kind), self.rows(Escrow)
        if found and kind in {"Milestone", "Delivery"}:
            turn = self.file(escrows[-1]).delivery.n
            return next(row for row in found if row.n == turn)
        return found[-1] if found else None

    def read(self, row: Any) -> Any:
        """The row as it is here."""
        return self._row((row.pk, row.sk))

    def file(self, escrow: Escrow) -> EscrowFile:
        found = self._files.get(escrow.ulid)
        if found is None:
            found = EscrowFile.of([self._row(key) for key in self.items if key[0] == f"ESCROW#{escrow.ulid}"])
            assert found is not None
            self._files[escrow.ulid] = found
        return found

    def entries(self) -> list[AuditEntry]:
        return self.rows(AuditEntry)

    def roots(self) -> list[Root]:
        """Every row that heads a chain."""
        return [self._row(key) for key, item in self.items.items() if "audit_seq" in item]

    def changed(self, before: "Picture") -> dict[Key, tuple[Entity | None, Entity | None]]:
        """Every audited row that is other than before: as it was and as it is."""
        keys = self.items.keys() | before.items.keys()
        found = {key: (before.items.get(key), self.items.get(key)) for key in keys}
        return {
            key: (before._row(key) if was else None, self._row(key) if now else None)
            for key, (was, now) in found.items()
            if was != now and (was or now)["type"]["S"] not in UNAUDITED  # type: ignore[index]
        }

    def lasting(self) -> dict[Key, dict[str, Any]]:
        """All but the rows that come and go with requests."""
        return {key: item for key, item in self.items.items() if item["type"]["S"] not in table.EPHEMERAL}


def broken(picture: Picture) -> list[str]:
    """Which of the invariants do not hold (C1 to C7, I1 to I5, I7)."""
    return [*_market(picture), *_contracts(picture), *_escrows(picture), *_audit(picture)]


def _more_than_one(names: Iterable[Any], what: str) -> Iterator[str]:
    yield from (f"{count} {what} of {name}" for name, count in Counter(names).items() if count > 1)


def _market(picture: Picture) -> Iterator[str]:
    listings, offers = picture.rows(Listing), picture.rows(Offer)
    over = {row.id for row in offers if row.status == "CANCELLED"}
    over |= {row.offer_id for row in picture.rows(Escrow) if row.status in CYCLES["Escrow"].ends}
    open_deals = [row.listing_id for row in offers if row.status == "ACCEPTED" and row.id not in over]
    yield from _more_than_one(open_deals, "open deals (C1)")
    live = [row for row in listings if row.status in {"ACTIVE", "RESERVED"}]
    yield from _more_than_one([(row.asset_type, row.asset_id) for row in live], "live listings (C2)")
    for row in listings:
        if (row.status == "RESERVED") != (row.id in open_deals):
            yield f"{row.id} is {row.status} with {open_deals.count(row.id)} open deals (C1)"
    epochs = {row.id: row.offers_epoch for row in listings}
    alive = [row for row in offers if row.status == "PENDING" and row.epoch == epochs[row.listing_id]]
    yield from _more_than_one([(row.listing_id, row.buyer_id) for row in alive], "alive chains (C3)")


def _contracts(picture: Picture) -> Iterator[str]:
    contracts = picture.rows(Contract)
    yield from _more_than_one([row.offer_id for row in contracts if row.status != "VOID"], "contracts (C4)")
    signed = Counter(row.contract_id for row in picture.of_kind("Signature"))
    opened = {row.contract_id for row in picture.rows(Escrow)}
    for row in contracts:
        if len({signed[row.id] == 2, row.status == "EXECUTED", row.id in opened}) > 1:
            yield f"{row.id} is {row.status} with {signed[row.id]} signatures (C5)"


def _escrows(picture: Picture) -> Iterator[str]:
    for escrow in picture.rows(Escrow):
        file = picture.file(escrow)
        yield from (f"{escrow.id}: {what}" for what in (*_alone(file), *_books(file)))


def _alone(file: EscrowFile) -> Iterator[str]:
    """C6."""
    live = [row.id for row in file.settlements if row.status in {"OPEN", "PARKED"} and row.kind in _OF_HELD_MONEY]
    if live != [file.escrow.settlement_id] * bool(file.escrow.settlement_id):
        yield f"settlements {live}, and named is {file.escrow.settlement_id} (C6)"
    disputes = sum(row.status in LIVE for row in file.disputes)
    if (disputes, file.escrow.status) not in {(1, "DISPUTED"), (0, file.escrow.status)} or (
        disputes == 0 and file.escrow.status == "DISPUTED"
    ):
        yield f"{disputes} live disputes while {file.escrow.status} (C6)"
    if sum(row.status == "OPEN" for row in file.proposals) > 1:
        yield "two proposals (C6)"
    live = file.proposal if file.escrow.status in escrows.MONEY_HELD else None
    if live and live.remaining != refused_payouts.to_divide(file):
        yield "a proposal stands that divides another sum than there is (section 5)"


_OF_HELD_MONEY = set(SettlementKind) - settlements.APART


def _books(file: EscrowFile) -> Iterator[str]:
    """I1 to I5, I7."""
    found = ledger.balance(file.escrow, file.ledger)
    if not found.balanced or sum(found.accounts.values()):
        yield f"{found.accounts} (I1)"
    if file.escrow.status in ledger.ENDS and file.escrow.held:
        yield f"an end with {file.escrow.held} (I2)"
    confirmed = {leg.id for leg in file.legs if leg.status == "CONFIRMED"}
    if {line.leg_id for line in file.ledger if line.leg_id} != confirmed:
        yield "a leg without its line, or a line without its leg (I4)"
    within = {"HELD", "SURPLUS"}
    if not all(line.leg_id or line.external_id or {line.debit, line.credit} <= within for line in file.ledger):
        yield "a line of nothing (I4)"
    yield from _more_than_one([(row.ref,) for row in file.deposits], "deposits (I5)")
    if {line.currency for line in file.ledger} - {file.escrow.currency}:
        yield "two currencies (I7)"


def _audit(picture: Picture) -> Iterator[str]:
    """C7."""
    chains: dict[str, list[AuditEntry]] = defaultdict(list)
    for entry in sorted(picture.entries(), key=lambda entry: entry.seq):
        chains[entry.root_id].append(entry)
    for root in picture.roots():
        assert isinstance(root, Root)
        chain = chains.pop(root.root_id, [])
        if not audit.complete(audit.verify(chain), root.root_id, root).ok:
            yield f"the chain of {root.root_id} (C7)"
    yield from (f"a chain without its root, {root_id} (C7)" for root_id in chains)
