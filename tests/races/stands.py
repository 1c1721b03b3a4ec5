"""Where a trade stands, in words: what two moves that both happened have to leave, whichever was first."""

from bloxtr8.domain import ledger
from bloxtr8.entities import Account, Escrow
from tests.lifecycles.picture import Picture

_SHOWN = [account for account in Account if account not in {Account.BUYER, Account.LOSS}]  # which are minus the rest


def stand(picture: Picture) -> str:
    """Its status and holds, what is or was paid out of it, its disputes, and where its money is, to the cent."""
    escrow = picture.rows(Escrow)[-1]
    file = picture.file(escrow)
    accounts = ledger.balance(escrow, file.ledger).accounts
    return ", ".join([
        " + ".join([str(escrow.status), *sorted(escrow.holds)]),
        *sorted(f"{row.kind} {row.status}" for row in file.settlements),
        *(f"dispute {row.status}" for row in file.disputes),
        *(f"chargeback {row.status}" for row in file.chargebacks),
        *(f"{account} {accounts[account]}" for account in _SHOWN if accounts[account]),
    ])  # fmt: skip
