"""Look-up rows of what a rail calls things: each outside id counts once (I5; table.md)."""

from collections.abc import Iterable

from bloxtr8 import table
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Lookup, StablecoinEscrow
from bloxtr8.rails.base import RailBug

MANUAL = "MANUAL"


def of_place(file: EscrowFile, external_id: str) -> Lookup:
    """Of where the buyer pays: the PaymentIntent, or the vault's address."""
    index = "VAULT" if isinstance(file.rail, StablecoinEscrow) else "PI"
    return Lookup(index=index, value=external_id, target=file.escrow.id)


def of(file: EscrowFile, external_id: str) -> Lookup:
    """Of a payment, in or out: by card by its kind (`ch_1`), on chain `TX#chain#hash#log` or `TX#chain#hash`."""
    if not isinstance(file.rail, StablecoinEscrow):
        return Lookup(index=external_id[:2].upper(), value=external_id, target=file.escrow.id)
    whole = external_id if ":" in external_id else f"{file.rail.terms['chainId']}:{external_id}"
    return Lookup(index="TX", value=whole.replace(":", "#"), target=file.escrow.id)


def of_manual(file: EscrowFile, key: str) -> Lookup:
    """Of a payment that people made outside, by the `key` of its name."""
    return Lookup(index=MANUAL, value=key, target=file.escrow.id)


def escrow_of(payment_ids: Iterable[str]) -> str | None:
    """Whose a card payment is, by the first of its ids that is known; None: another product's."""
    for payment_id in payment_ids:
        found = table.find(Lookup, index=payment_id[:2].upper(), value=payment_id)
        if found is not None:
            return found.target
    return None


def missing(rows: Iterable[Lookup]) -> list[Lookup]:
    """Those that are not there yet: a rail may have made some when the funding opened. Another escrow's money is not
    counted twice (I5): RailBug."""
    rows = list(rows)
    found = table.load(*(table.ref(Lookup, index=row.index, value=row.value) for row in rows))
    for row, there in zip(rows, found, strict=True):
        if there is not None and there.target != row.target:
            raise RailBug(f"{row.value} is of {there.target}, not of {row.target}")
    return [row for row, there in zip(rows, found, strict=True) if there is None]
