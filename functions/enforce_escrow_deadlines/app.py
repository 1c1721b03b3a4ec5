"""Every five minutes: look at each escrow, settlement and chargeback that is due (deadlines, warnings, repairs,
restarts)."""

import time
from itertools import filterfalse, takewhile

from bloxtr8 import chargeback_verdicts, deadlines
from bloxtr8.actors import system
from bloxtr8.entities import Escrow
from bloxtr8.lambdas import each, schedule

ACTOR = system("enforce_escrow_deadlines")
SECONDS = 200.0  # of a run; then no look at a vault begins, and the function's time is enough for the last one


def enforce_escrow_deadlines() -> None:
    """Bounded, and safe twice at once: every look is decided again under the row's version. What asks the chain comes
    last, and what is left of it in the next run: anybody can make a look at a vault slow."""
    until = time.monotonic() + SECONDS
    escrows = deadlines.due_escrows()
    each(filterfalse(deadlines.asks_chain, escrows), _look)
    each(deadlines.due_settlements(), lambda row: deadlines.look_at_settlement(row.escrow_id, row.id, ACTOR))
    each(chargeback_verdicts.due(), lambda row: chargeback_verdicts.look(row.escrow_id, row.id, ACTOR))
    each(takewhile(lambda _: time.monotonic() < until, filter(deadlines.asks_chain, escrows)), _look)


def _look(escrow: Escrow) -> None:
    deadlines.look(escrow.id, ACTOR)


lambda_handler = schedule(enforce_escrow_deadlines)
