"""Every five minutes: look at each escrow, settlement and chargeback that is due (deadlines, warnings, repairs,
restarts)."""

from bloxtr8 import chargeback_verdicts, deadlines
from bloxtr8.actors import system
from bloxtr8.lambdas import each, schedule

ACTOR = system("enforce_escrow_deadlines")


def enforce_escrow_deadlines() -> None:
    """Bounded, and safe twice at once: every look is decided again under the row's version."""
    each(deadlines.due_escrows(), lambda escrow: deadlines.look(escrow.id, ACTOR))
    each(deadlines.due_settlements(), lambda row: deadlines.look_at_settlement(row.escrow_id, row.id, ACTOR))
    each(chargeback_verdicts.due(), lambda row: chargeback_verdicts.look(row.escrow_id, row.id, ACTOR))


lambda_handler = schedule(enforce_escrow_deadlines)
