"""Surplus on its way back to the buyer: the RETURN settlements, planned in the commit of whatever freed it (D30)."""

from bloxtr8 import clock, config
from bloxtr8.actors import Actor
from bloxtr8.domain import chain_actions, ledger, plans
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.ledger import Entry
from bloxtr8.entities import Account, Deposit, Entity, StablecoinEscrow
from bloxtr8.logs import logger


def set_free(file: EscrowFile, amount: int, memo: str, actor: Actor) -> list[Entity]:
    """HELD→SURPLUS and the RETURN settlement that gives it back, in the commit of the move that frees it; the escrow
    never held it, or too much."""
    if amount <= 0:
        return []
    now = clock.now()
    lines = ledger.book(file.escrow, [Entry(Account.HELD, Account.SURPLUS, amount, memo)], now=now)
    return [*lines, *give_back(file, None, amount, memo.upper().replace(" ", "_"), actor)]


def give_back(file: EscrowFile, deposit: Deposit | None, amount: int, reason: str, actor: Actor) -> list[Entity]:
    """The RETURN of surplus that was just booked. On chain it carries all the surplus there is, and little of it waits
    for more: a vault has 53 returns."""
    if isinstance(file.rail, StablecoinEscrow):
        deposit, amount = None, plans.unreturned(file)
        if amount < config.settings().return_minimum_cents:
            return []
        if plans.returns(file) >= chain_actions.RETURNS:
            logger.error("a vault has no return left", extra={"escrowId": file.escrow.id, "surplus": amount})
            return []
    planned = plans.give_back(file, deposit, amount, actor=actor, reason=reason, now=clock.now())
    return [*planned.rows]
