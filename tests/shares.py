"""What each side has to have got of an escrow that ended, by the formula of section 10 and by nothing else: over its
settlements' shares, what was lost on the way and what people paid outside."""

from collections.abc import Iterator

from bloxtr8.domain import ledger, owed
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Account, EscrowStatus, Settlement, SettlementKind, SettlementStatus, Side

_PAYS = {SettlementKind.RELEASE, SettlementKind.REFUND, SettlementKind.SPLIT, SettlementKind.MILESTONE}
_ENDS = {EscrowStatus.RELEASED, EscrowStatus.REFUNDED, EscrowStatus.SPLIT}


def wrong(file: EscrowFile) -> Iterator[str]:
    """What does not agree, in words; of an escrow that goes on, or never held its money, only what never may be."""
    escrow = file.escrow
    yield from _too_much(file)
    if escrow.status not in _ENDS:
        return
    paid = [row for row in file.settlements if row.kind in _PAYS and _is_carried_out(file, row)]
    sellers = sum(row.seller_share for row in paid)
    fee = sellers * escrow.seller_fee_bps // 10_000
    fees = fee + (escrow.gross - escrow.amount) * sellers // escrow.amount
    got = {account: _moved(file, Account.HELD, account) for account in (Account.SELLER, Account.FEES)}
    due = {Account.SELLER: sellers - fee, Account.FEES: fees}
    if got != due:
        yield f"{escrow.id} paid {got}, by its shares {due}"
    by_plan = any(row.status is SettlementStatus.DONE and row.kind is not SettlementKind.MILESTONE for row in paid)
    if not by_plan:  # it ended by a loss or a reclaim
        return
    decided = sellers + sum(row.buyer_share for row in paid) + escrow.gone
    if decided != escrow.amount:
        yield f"{escrow.id} of {escrow.amount} ended with {decided} decided or gone"
    outcome = EscrowStatus.SPLIT if sellers else EscrowStatus.REFUNDED
    outcome = EscrowStatus.RELEASED if sellers == escrow.amount else outcome
    if escrow.status is not outcome:
        yield f"{escrow.id} ended as {escrow.status} with {sellers} of {escrow.amount} the seller's"


def _too_much(file: EscrowFile) -> Iterator[str]:
    """No loss is made good twice, and the seller never has more than his part, and what people gave him of what was
    set aside."""
    if (standing := owed.standing(file.ledger)) < 0:
        yield f"{file.escrow.id}: of its losses {standing} stand"
    has = ledger.balance(file.escrow, file.ledger).accounts[Account.SELLER]
    part = sum(_moved(file, source, Account.SELLER) for source in (Account.HELD, Account.SURPLUS))
    if has > part:
        yield f"{file.escrow.id}: the seller has {has} of {part}"


def _is_carried_out(file: EscrowFile, settlement: Settlement) -> bool:
    """Whether its shares are what was paid: it ended, or was overtaken when the seller had his part; not where another
    is in its place."""
    replaced = any(row.replaces == settlement.id for row in file.settlements)
    return not replaced and (settlement.status is SettlementStatus.DONE or Side.SELLER in _paid(file, settlement))


def _paid(file: EscrowFile, settlement: Settlement) -> set[Side]:
    """Whom it has paid, or those before it in whose place it is."""
    confirmed = {leg.pays for leg in file.legs_of(settlement.id) if leg.confirmed_at}
    before = file.settlement(settlement.replaces) if settlement.replaces else None
    return confirmed | (_paid(file, before) if before else set())


def _moved(file: EscrowFile, source: Account, account: Account) -> int:
    """What a recovery takes back, or the bank of the buyer, changes nothing of it."""
    return sum(line.amount for line in file.ledger if (line.debit, line.credit) == (source, account))
