"""What came back of a card trade whose buyer may have the asset is set aside: people decide whose it is, and pay it
outside of the provider, to either side or a part to each (states.md, section 4, reinstate_chargeback)."""

import datetime as dt

from bloxtr8 import ids
from bloxtr8.domain import ledger
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.entities import (
    MANUAL,
    Account,
    Entity,
    LedgerLine,
    Leg,
    LegStatus,
    ManualPayment,
    ManualPaymentStatus,
    RailName,
    Settlement,
    SettlementKind,
    SettlementStatus,
    Side,
)
from bloxtr8.errors import Conflict, Unprocessable

_CAUSE = Account.BANK, Account.SURPLUS
_ACCOUNTS = {Side.BUYER: Account.BUYER, Side.SELLER: Account.SELLER}


def announced(file: EscrowFile) -> int:
    """What of it people are about to pay."""
    return sum(row.amount for row in file.manual_payments if row.pays and row.status is ManualPaymentStatus.ANNOUNCED)


def amount(file: EscrowFile) -> int:
    """The cents that wait for people; on chain what is set aside is the vault's, and the buyer's after its term."""
    return file.escrow.quarantined - announced(file) if file.escrow.rail is RailName.STRIPE else 0


def check(file: EscrowFile, cents: int) -> None:
    """Raises Conflict NOTHING_SET_ASIDE, Unprocessable MORE_THAN_SET_ASIDE with `setAside`."""
    there = amount(file)
    if there <= 0:
        raise Conflict("Nothing is set aside.", "NOTHING_SET_ASIDE")
    if cents > there:
        raise Unprocessable("So much is not set aside.", "MORE_THAN_SET_ASIDE", setAside=there)


def cause(file: EscrowFile) -> LedgerLine | None:
    """The line that brought the last of it."""
    return next((line for line in reversed(file.ledger) if (line.debit, line.credit) == _CAUSE), None)


def pay(file: EscrowFile, row: ManualPayment, now: dt.datetime) -> list[Entity]:
    """People have paid it. A settlement of its own, with one confirmed leg, is what its line names, so that it is
    booked once. Returns the rows this made."""
    escrow, side, external_id = file.escrow, Side(row.pays), f"{MANUAL}{row.payment_id}"
    settlement = Settlement(
        escrow_id=escrow.id,
        id=ids.new("stl"),
        kind=SettlementKind.OUTSIDE,
        status=SettlementStatus.DONE,
        to_seller=row.amount if side is Side.SELLER else 0,
        to_buyer=row.amount if side is Side.BUYER else 0,
        reason="SET_ASIDE",
        actor=row.people[-1]["id"],
        created_at=now,
        finished_at=now,
    )
    leg = Leg(
        escrow_id=escrow.id,
        settlement_id=settlement.id,
        n=1,
        pays=side,
        amount=row.amount,
        currency=escrow.currency,
        source_account=Account.SURPLUS,
        status=LegStatus.CONFIRMED,
        external_id=external_id,
        confirmed_at=now,
    )
    entry = Entry(Account.SURPLUS, _ACCOUNTS[side], row.amount, f"set aside, paid to the {side.lower()}")
    lines = ledger.book(escrow, [entry], now=now, leg_id=leg.id, external_id=external_id)
    escrow.quarantined -= row.amount
    row.settlement_id, row.leg = settlement.id, leg.n
    file.settlements.append(settlement)
    file.legs.append(leg)
    return [settlement, leg, *lines]
