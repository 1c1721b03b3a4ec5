"""The ledger as its parties and staff see it. Amounts in cents."""

from typing import Self

from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Balance
from bloxtr8.shapes import Moment, View


class LineView(View):
    seq: int
    at: Moment
    debit: str
    credit: str
    amount: int
    currency: str
    memo: str
    leg_id: str | None
    deposit_ref: str | None


class LedgerView(View):
    """`balanced`: the lines agree with the escrow's totals, nothing is below zero, and an ended escrow holds
    nothing."""

    escrow_id: str
    lines: list[LineView]
    accounts: dict[str, int]
    balanced: bool

    @classmethod
    def of(cls, file: EscrowFile, balance: Balance) -> Self:
        return cls(
            escrow_id=file.escrow.id,
            lines=[LineView.model_validate(line) for line in file.ledger],
            accounts={str(account): cents for account, cents in balance.accounts.items()},
            balanced=balance.balanced,
        )
