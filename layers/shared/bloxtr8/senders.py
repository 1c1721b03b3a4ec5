"""Who sent the money: on chain every sender is screened before a cent of it counts (D15; rail-usdc.md, Wallet risk).

A card's payer was screened by the card network. What a screening found is kept on the deposit before anything is made
of it, so each step reads it again.
"""

from functools import partial
from itertools import batched, filterfalse
from typing import NamedTuple

from bloxtr8 import clock, depositing, funding, reads, screenings, table
from bloxtr8.actors import Actor
from bloxtr8.domain import escrows, holds, quarantine, wallet_risk
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.wallet_risk import Verdict
from bloxtr8.entities import Deposit, StablecoinEscrow
from bloxtr8.logs import logger

HOLD, RETURN, WAIT, CLEAN = "HOLD", "RETURN", "WAIT", "CLEAN"


class Screened(NamedTuple):
    """Whether enough came. `verdict` on chain: HOLD, RETURN, WAIT (nobody knows yet) or CLEAN; None by card."""

    enough: bool
    verdict: str | None


def screen(escrow_id: str, actor: Actor) -> Screened:
    """screen_deposit: record every deposit, and what is known of its sender. Raises what the rail raises."""
    file, _ = depositing.look(escrow_id, actor)
    if not isinstance(file.rail, StablecoinEscrow):
        return Screened(funding.enough(file.escrow), None)
    if file.escrow.status in escrows.WAITS_FOR_MONEY:
        _look(file, actor)
    return Screened(funding.enough(file.escrow), _verdict(file))


def _look(file: EscrowFile, actor: Actor) -> None:
    """Screen who sent what waits to be held, and again what was screened a day ago. Each batch is kept: a run that ends
    before the last of many goes on where it was."""
    waiting = wallet_risk.unscreened((row for row in file.deposits if not row.late), clock.now())
    for some in batched(waiting, screenings.BATCH, strict=False):
        _keep(file, screenings.of_senders(some, clock.now()), actor)


def _keep(file: EscrowFile, fresh: list[Deposit], actor: Actor) -> None:
    for row in filter(partial(_is_aside, file), fresh):
        lines = quarantine.set_aside(file.escrow, row, clock.now())
        details = {"deposit": row.ref, "screening": row.screening}
        table.commit(file.escrow, row, *lines, action="quarantine_deposit", actor=actor, details=details)
    rest = [*filterfalse(partial(_is_aside, file), fresh)]
    if rest:
        table.commit(file.escrow, *rest, action="screen_deposit", actor=actor)


def _is_aside(file: EscrowFile, row: Deposit) -> bool:
    return quarantine.is_small(file.rail, row.sender, row.units) and quarantine.is_doubtful(row.screening)


def _verdict(file: EscrowFile) -> str:
    """The gravest first: a person decides before anything goes back."""
    if file.escrow.status not in escrows.WAITS_FOR_MONEY:
        return CLEAN
    found = wallet_risk.of_senders(file, clock.now(), late=False)
    if any(verdict in found for verdict in wallet_risk.FOR_PEOPLE):
        return HOLD
    if Verdict.WAIT in found or file.escrow.holds:
        return WAIT
    return RETURN if Verdict.RETURN in found else CLEAN


def place_holds(escrow_id: str, actor: Actor) -> None:
    """place_hold: for each deposit that a person has to look at, under a cause of its own. Safe to repeat."""
    file = reads.escrow(escrow_id)
    if not holds.can_hold(file.escrow):
        return
    now = clock.now()
    found = wallet_risk.of_senders(file, now, late=False)
    causes = [
        holds.cause(verdict, "deposit", row.ref) for verdict in wallet_risk.FOR_PEOPLE for row in found.get(verdict, [])
    ]
    fresh = [cause for cause in causes if cause not in file.escrow.hold_causes]
    for some in batched(fresh, screenings.BATCH, strict=False):
        for cause in some:
            holds.place(file.escrow, cause, now)
        logger.error("an escrow is on hold", extra={"escrowId": file.escrow.id, "causes": [*some]})
        table.commit(file.escrow, action="place_hold", actor=actor, details={"causes": [*some]})
