"""An escrow's rows as its rules see them, made without a table."""

import datetime as dt
from typing import Any

from bloxtr8 import money
from bloxtr8.actors import Actor
from bloxtr8.domain import ledger, plans, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import (
    Account,
    AssetType,
    Currency,
    Delivery,
    DeliveryStatus,
    Escrow,
    EscrowStatus,
    LedgerLine,
    RailName,
    Settlement,
    StripeEscrow,
)

START = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ID = "esc_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"
BUYER, SELLER = Actor(id="usr_buyer"), Actor(id="usr_seller")


def escrow(status: EscrowStatus = EscrowStatus.AWAIT_FUNDS, **fields: Any) -> Escrow:
    """An escrow of $100 whose seller pays 2.9 %; fields override."""
    values: dict[str, Any] = {
        "id": ID,
        "contract_id": ID.replace("esc", "con"),
        "offer_id": ID.replace("esc", "off"),
        "listing_id": ID.replace("esc", "lst"),
        "buyer_id": BUYER.id,
        "seller_id": SELLER.id,
        "buyer_roblox_id": "1",
        "seller_roblox_id": "2",
        "asset_type": AssetType.GROUP,
        "asset_id": "7",
        "rail": RailName.STRIPE,
        "currency": Currency.USD,
        "amount": 10_000,
        "buyer_fee_bps": 0,
        "seller_fee_bps": 290,
        "deliver_seconds": 7 * 86_400,
        "inspect_seconds": 7 * 86_400,
        "payout_account_id": "acct_1",
        "status": status,
        "fund_by": START + 3 * DAY,
        "created_at": START,
    }
    if status in {EscrowStatus.FUNDS_HELD, EscrowStatus.DELIVERED}:
        values["deliver_by"] = START + 7 * DAY
    if status is EscrowStatus.DELIVERED:
        values["inspect_by"] = START + 7 * DAY
    values |= fields
    values.setdefault("gross", money.gross(values["amount"], values["buyer_fee_bps"]))
    return Escrow(**values)


def paid(status: EscrowStatus = EscrowStatus.DELIVERED, **fields: Any) -> EscrowFile:
    """An escrow that holds its gross, with its delivery and the line of its deposit."""
    row = escrow(status, **fields)
    done = DeliveryStatus.DELIVERED if status is EscrowStatus.DELIVERED else DeliveryStatus.PENDING
    delivery = Delivery(escrow_id=row.id, id=row.id.replace("esc", "dlv"), status=done)
    entry = Entry(Account.BUYER, Account.HELD, row.gross, "paid by the buyer")
    lines = ledger.book(row, [entry], now=START, deposit_ref="ch_1", external_id="ch_1")
    return EscrowFile(row, StripeEscrow(escrow_id=row.id), [delivery], ledger=lines)


def pay_out(file: EscrowFile, planned: plans.Planned, now: dt.datetime = START) -> None:
    """The provider confirms leg after leg; after each the ledger balances."""
    while (leg := settlements.next_leg(file, planned.settlement)) is not None:
        settlements.send(leg, planned.settlement, now)
        assert ledger.balance(file.escrow, file.ledger).balanced
        file.ledger += settlements.confirm(file, leg, f"tr_{leg.id}", now)
        assert ledger.balance(file.escrow, file.ledger).balanced


def finish(file: EscrowFile, settlement: Settlement) -> None:
    """All of it is paid: it ends, and with it what ends by it."""
    closed = settlements.close(file, settlement, None, sold=True, now=START)
    file.ledger += [row for row in closed if isinstance(row, LedgerLine)]


def start(file: EscrowFile, to_seller: int | None, action: str = "confirm_delivery") -> plans.Planned:
    """The settlement of a move, by whoever makes it."""
    who, role = (SELLER, Role.SELLER) if action == "refund_escrow" else (BUYER, Role.BUYER)
    return plans.start(file, action, role, actor=who, to_seller=to_seller, reason="test", now=START)
