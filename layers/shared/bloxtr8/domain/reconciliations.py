"""Where the books and a provider differ (states.md, section 9, I1 to I7). Amounts in cents.

What is on its way may be at the provider already, or not yet: only what no leg under way explains is a difference.
"""

from collections.abc import Iterable
from typing import NamedTuple

from bloxtr8 import money
from bloxtr8.domain import ledger, legs
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Account, Leg, LegStatus, Reconciliation, Side

UNBALANCED = "LEDGER_UNBALANCED"
BUYER, SELLER = "BUYER_DIFFERS", "SELLER_DIFFERS"  # what the card's provider had of and sent to a side
VAULT = "VAULT_DIFFERS"
SHORT = "BALANCE_SHORT"  # the platform's balance is less than what it holds for others
NOT_OURS = "NOT_OURS"  # what our row names is another escrow's at the provider, or nobody's
NOT_COMPARED = "NOT_COMPARED"  # its provider says nothing of it, though of others, or its rows can't be read
MOST_KEPT = 200  # of a day: a row has its limit, and so have people; all are counted and logged


class Difference(NamedTuple):
    """`booked` by us and `found` at the provider."""

    code: str
    escrow_id: str | None
    booked: int = 0
    found: int = 0

    def shown(self) -> dict[str, str | int | None]:
        """As the row keeps it."""
        return {"code": self.code, "escrowId": self.escrow_id, "booked": self.booked, "found": self.found}


def of_ledger(file: EscrowFile) -> list[Difference]:
    """The escrow's totals against its own lines: the first total that is another, or what is ours."""
    escrow, found = file.escrow, ledger.balance(file.escrow, file.ledger)
    if found.balanced:
        return []
    ours = found.accounts[Account.HELD] + found.accounts[Account.SURPLUS]
    sums = [(getattr(escrow, name), cents) for name, cents in found.totals.items()]
    booked, there = next((one for one in sums if one[0] != one[1]), (escrow.held + escrow.surplus, ours))
    return [Difference(UNBALANCED, escrow.id, booked, there)]


def of_card(file: EscrowFile, paid: int, sent: int) -> list[Difference]:
    """Against what the card's provider has: paid by the buyer and not sent back, and sent to the seller. What people
    paid outside of it is in the books alone."""
    accounts = ledger.balance(file.escrow, file.ledger).accounts
    buyers, sellers = _by_hand(file)
    from_buyer, seller_has = buyers - accounts[Account.BUYER], accounts[Account.SELLER] - sellers
    moving = _under_way(file)
    to_buyer = sum(leg.amount for leg in moving if leg.pays is Side.BUYER)
    to_seller = sum(leg.amount for leg in moving if leg.pays is Side.SELLER and leg.reverses is None)
    taken_back = sum(leg.amount for leg in moving if leg.reverses is not None)
    found = []
    if not from_buyer - to_buyer <= paid <= from_buyer:
        found.append(Difference(BUYER, file.escrow.id, from_buyer, paid))
    if not seller_has - taken_back <= sent <= seller_has + to_seller:
        found.append(Difference(SELLER, file.escrow.id, seller_has, sent))
    return found


def _by_hand(file: EscrowFile) -> tuple[int, int]:
    """What people paid the buyer and the seller outside of the provider, less what the seller paid back so."""
    legs_so = [leg for leg in file.legs if leg.by_hand and leg.status is LegStatus.CONFIRMED]
    buyers = sum(leg.amount for leg in legs_so if leg.pays is Side.BUYER)
    sellers = sum(leg.amount if leg.reverses is None else -leg.amount for leg in legs_so if leg.pays is Side.SELLER)
    return buyers, sellers


def of_vault(file: EscrowFile, units: int) -> list[Difference]:
    """Against what lies in the vault at finality (I6): whole cents, since less stays there."""
    booked, there = file.escrow.held + file.escrow.surplus, money.cents_of(units)
    moving = sum(leg.amount + leg.fee + leg.also_buyer for leg in _under_way(file))
    return [] if booked - moving <= there <= booked else [Difference(VAULT, file.escrow.id, booked, there)]


def has_more(found: Iterable[Difference]) -> bool:
    """Whether a vault has more than was recorded yet."""
    return any(one.code == VAULT and one.found > one.booked for one in found)


def of_balance(row: Reconciliation, booked: int) -> list[Difference]:
    """The sum of all cards' money against the platform's balance, the higher of the two looks: what was paid in or
    out between is in one of them."""
    found = max(sum(look.values()) for look in row.balance.values())
    return [] if found >= booked else [Difference(SHORT, None, booked, found)]


def count(row: Reconciliation, file: EscrowFile) -> None:
    """One escrow more in which money lies."""
    total = row.totals.setdefault(str(file.escrow.rail), {"escrows": 0, "held": 0, "surplus": 0})
    total["escrows"] += 1
    total["held"] += file.escrow.held
    total["surplus"] += file.escrow.surplus


def _under_way(file: EscrowFile) -> list[Leg]:
    found = (legs.under_way(file, settlement) for settlement in file.settlements)
    return [leg for leg in found if leg is not None and not leg.by_hand]
