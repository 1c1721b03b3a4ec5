"""Who sent the money: on chain every sender is screened before a cent of it counts (D15; rail-usdc.md, Wallet risk).

A card's payer was screened by the card network. What a screening found is kept on the deposit before anything is made
of it, so each step reads it again.
"""

from typing import NamedTuple

from bloxtr8 import clock, funding, reads, screenings, table
from bloxtr8.actors import Actor
from bloxtr8.domain import holds, wallet_risk
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.wallet_risk import Verdict
from bloxtr8.entities import StablecoinEscrow
from bloxtr8.logs import logger

HOLD, RETURN, WAIT, CLEAN = "HOLD", "RETURN", "WAIT", "CLEAN"
_STOPPED = (Verdict.SANCTIONS, Verdict.REVIEW)


class Screened(NamedTuple):
    """Whether enough came. `verdict` on chain: HOLD, RETURN, WAIT (nobody knows yet) or CLEAN; None by card."""

    enough: bool
    verdict: str | None


def screen(escrow_id: str, actor: Actor) -> Screened:
    """screen_deposit: record every deposit, and what is known of its sender. Raises what the rail raises."""
    file, _ = funding.look(escrow_id, actor)
    if not isinstance(file.rail, StablecoinEscrow):
        return Screened(funding.enough(file.escrow), None)
    fresh = screenings.of_senders([row for row in file.deposits if not row.late])
    if fresh:
        table.commit(file.escrow, *fresh, action="screen_deposit", actor=actor)
    return Screened(funding.enough(file.escrow), _verdict(file))


def _verdict(file: EscrowFile) -> str:
    """The gravest first: a person decides before anything goes back."""
    if not holds.can_hold(file.escrow):
        return CLEAN
    found = wallet_risk.of_senders(file, late=False)
    if any(verdict in found for verdict in _STOPPED):
        return HOLD
    if Verdict.WAIT in found or file.escrow.holds:
        return WAIT
    return RETURN if Verdict.RETURN in found else CLEAN


def place_holds(escrow_id: str, actor: Actor) -> None:
    """place_hold: for each deposit that a person has to look at, under a cause of its own. Safe to repeat."""
    file = reads.escrow(escrow_id)
    if not holds.can_hold(file.escrow):
        return
    found, now = wallet_risk.of_senders(file, late=False), clock.now()
    causes = [holds.cause(verdict, "deposit", row.ref) for verdict in _STOPPED for row in found.get(verdict, [])]
    placed = [cause for cause in causes if holds.place(file.escrow, cause, now)]
    if placed:
        table.commit(file.escrow, action="place_hold", actor=actor, details={"causes": placed})
        logger.error("an escrow is on hold", extra={"escrowId": file.escrow.id, "causes": placed})
