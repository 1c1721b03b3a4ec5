"""Every five minutes: look at each escrow, settlement and chargeback that is due (deadlines, warnings, repairs,
restarts)."""

from collections.abc import Iterator
from itertools import filterfalse

from bloxtr8 import chargeback_verdicts, deadlines
from bloxtr8.actors import system
from bloxtr8.entities import Escrow
from bloxtr8.lambdas import schedule, work

ACTOR = system("enforce_escrow_deadlines")
SECONDS = 50.0  # for each kind; then no look begins, and the function's time is enough for the last ones


def enforce_escrow_deadlines() -> None:
    """Bounded, and safe twice at once: every look is decided again under the row's version. What asks nobody comes
    first, what asks the chain last, and what is left in the next run: anybody can make a look at a vault slow, and
    Roblox or Stripe may be; none keeps another kind waiting for ever."""
    vaults: list[Escrow] = []
    work(
        deadlines.due_settlements(),
        lambda row: deadlines.look_at_settlement(row.escrow_id, row.id, ACTOR),
        seconds=SECONDS,
    )
    work(_without_vaults(vaults), _look, seconds=SECONDS)
    work(
        chargeback_verdicts.due(),
        lambda row: chargeback_verdicts.look(row.escrow_id, row.id, ACTOR),
        seconds=SECONDS,
    )
    work([vaults], _look, seconds=SECONDS)


def _without_vaults(vaults: list[Escrow]) -> Iterator[list[Escrow]]:
    """Due escrows, a page at a time; those whose looks ask the chain are put aside."""
    for page in deadlines.due_escrows():
        vaults += filter(deadlines.asks_chain, page)
        yield [*filterfalse(deadlines.asks_chain, page)]


def _look(escrow: Escrow) -> None:
    deadlines.look(escrow.id, ACTOR)


lambda_handler = schedule(enforce_escrow_deadlines)
